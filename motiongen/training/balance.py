"""Balanced sampling weights of clips: rare postures and fast motion are oversampled."""

from collections import Counter
from collections.abc import Sequence

from torch import Tensor

from motiongen.body_floor import LOW_PELVIS
from motiongen.features import LAYOUT
from motiongen.kinematics import local_positions, world_velocities

LOW_BOOST = 4.0
"""A clip that is near the floor throughout is drawn 1 + this often."""
USUAL_SPEED = 0.6
"""Mean joint speed of a clip that is drawn as often as it is there, m/s; slower ones teach less, faster ones more."""
SPEED_RANGE = (0.35, 2.5)


def balanced_weights(clips: Sequence[Tensor], sources: Sequence[str], source_power: float) -> list[float]:
    """Return how often each clip (T, 140) is drawn, per frame, by its source's size, its postures and its speed.

    Args:
        clips: learned frames.
        sources: the source of each clip.
        source_power: a source with n frames is drawn as n**power: 1 as much as is there, 0 all sources alike.
    """
    frames: Counter[str] = Counter()
    for clip, source in zip(clips, sources, strict=True):
        frames[source] += len(clip)
    return [
        frames[source] ** (source_power - 1) * _interest(clip)
        for clip, source in zip(clips, sources, strict=True)
    ]


def _interest(clip: Tensor) -> float:
    low = float((clip[:, LAYOUT["height"]] < LOW_PELVIS).float().mean())
    some = clip[None]  # (1, T, 140)
    speed = float(world_velocities(some, local_positions(some)).norm(dim=-1).mean()) if len(clip) > 1 else 0.0
    least, most = SPEED_RANGE
    return (1 + LOW_BOOST * low) * min(max(speed / USUAL_SPEED, least), most)
