"""How well a dance's accents fall on the music's beats.

Beat alignment score (Li et al., "AI Choreographer", ICCV 2021, equation 6; as Siyao et al., "Bailando", CVPR 2022,
compute it): at 60 frames a second, kinematic beats are the local minima of the mean joint speed after a Gaussian of 5
frames, and a music beat counts exp(-d^2 / 18) where d is the distance in frames to the nearest of them.

The score alone rewards jitter: a body that stops all the time has a stop near every beat. `beat_precision` and
`alignment_margin` tell that from dancing.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from motiongen.evaluation.bootstrap import Interval, mean_interval
from motiongen.kinematic_beats import RATE, kinematic_beats

TOLERANCE = 3.0
"""Standard deviation of the score's Gaussian, frames."""


def beat_alignment(positions: Tensor, fps: float, beats: Tensor) -> float:
    """Return the score, 0 to 1, of a dance (T, J, 3) under music beats (K,), seconds; 0 without kinematic beats.

    Only beats within the dance count. Without any there is no score: a NaN would spoil a mean, a 0 bias it.

    Raises:
        ValueError: no beat lies within the dance.
    """
    beats = _inside(beats, positions, fps)
    return float(_near(beats, kinematic_beats(positions, fps)).mean())


def beat_precision(positions: Tensor, fps: float, beats: Tensor) -> float:
    """Return the same the other way round: how near each kinematic beat is to a music beat. Jitter lowers it.

    0 without kinematic beats.

    Raises:
        ValueError: no beat lies within the dance.
    """
    beats = _inside(beats, positions, fps)
    found = kinematic_beats(positions, fps)
    return float(_near(found, beats).mean()) if len(found) else 0.0


def alignment_margin(
    dances: Sequence[Tensor],
    fps: float,
    beats: Sequence[Tensor],
    *,
    generator: torch.Generator,
    resamples: int = 2000,
) -> Interval:
    """Return by how much dances fit their own beats better than the other songs', with its 95 % interval.

    A dance's own score less its mean score under the other songs; the interval is a bootstrap over the dances. 0 says
    that a dance does not listen. Other songs without a beat within the dance are left out.

    Args:
        dances: N of (T, J, 3), metres, of any lengths.
        fps: their rate.
        beats: beats (K,) of the song of each dance, seconds from its first frame.
        generator: draws the resamples.
        resamples: how many.

    Raises:
        ValueError: fewer than two dances, a song too many or too few, or a dance without a beat of its own or others.
    """
    if len(dances) != len(beats) or len(dances) < 2:
        raise ValueError(
            f"dances, beats: expected as many of both and at least 2, got {len(dances)} and {len(beats)}; "
            "give the beats of each dance's song"
        )
    gains = []
    for index, dance in enumerate(dances):
        found, own = kinematic_beats(dance, fps), _inside(beats[index], dance, fps)
        others = [_within(heard, dance, fps) for other, heard in enumerate(beats) if other != index]
        scores = [_near(heard, found).mean() for heard in others if len(heard)]
        if not scores:
            raise ValueError(
                f"beats: expected another song's beat within dance {index}, got none; give more songs"
            )
        gains.append(_near(own, found).mean() - torch.stack(scores).mean())
    return mean_interval(torch.stack(gains), generator=generator, resamples=resamples)


def _within(beats: Tensor, positions: Tensor, fps: float) -> Tensor:
    return beats[(beats >= 0) & (beats < len(positions) / fps)].to(positions.device, torch.float64)


def _inside(beats: Tensor, positions: Tensor, fps: float) -> Tensor:
    inside = _within(beats, positions, fps)
    if not len(inside):
        raise ValueError(
            f"beats: expected one within {len(positions) / fps:.2f} s, got none; give the song's beats"
        )
    return inside


def _near(moments: Tensor, others: Tensor) -> Tensor:
    """How near each moment (K,) is to one of the others (M,), 1 to 0."""
    if not len(others):
        return torch.zeros_like(moments)
    away = (moments[:, None] - others[None]).abs().amin(dim=1) * RATE
    return torch.exp(-away.square() / (2 * TOLERANCE**2))
