"""Finds everyday acts in a motion by thresholds on its joints, without a learned judge: where, and how often."""

from collections.abc import Callable

import torch
from torch import Tensor

from motiongen.contacts import CLEARANCE, CONTACT_INDEX, joint_speed
from motiongen.motion import Motion

RAISING_SECONDS = 0.3
"""Time in which an arm is raised, or lowered."""
Span = tuple[int, int]
"""Frames [begin, end) in which an act is seen."""


def _walk(motion: Motion) -> tuple[Tensor, float, float]:
    """Way of the root within half a second before and after, metres."""
    half = min(round(motion.fps / 2), motion.num_frames - 1)
    path = motion.root[:, [0, 2]]
    frames = torch.arange(motion.num_frames)
    ahead, behind = (frames + half).clamp(max=motion.num_frames - 1), (frames - half).clamp(min=0)
    return (path[ahead] - path[behind]).norm(dim=-1), 0.35, 0.6


def _jump(motion: Motion) -> tuple[Tensor, float, float]:
    """Height of the lowest foot over the floor, metres."""
    feet = motion.positions()[:, CONTACT_INDEX, 1] - motion.root.new_tensor(CLEARANCE)
    lowest = feet.amin(dim=1)
    return lowest - lowest.quantile(0.1), 0.04, 0.10


def _kick(motion: Motion) -> tuple[Tensor, float, float]:
    """Height of the higher ankle over the lower one, metres."""
    ankles = _heights(motion, "left_ankle", "right_ankle")
    return (ankles[:, 0] - ankles[:, 1]).abs(), 0.20, 0.35


def _squat(motion: Motion) -> tuple[Tensor, float, float]:
    """How far the pelvis is under the highest it was, metres."""
    pelvis = motion.positions()[:, 0, 1]
    return pelvis.quantile(0.95) - pelvis, 0.15, 0.28


def _bow(motion: Motion) -> tuple[Tensor, float, float]:
    """How far the head comes down by the back alone, metres."""
    above = _heights(motion, "head")[:, 0] - motion.positions()[:, 0, 1]
    return above.quantile(0.95) - above, 0.10, 0.18


def _wave(motion: Motion) -> tuple[Tensor, float, float]:
    """Height of the higher wrist over its shoulder, metres."""
    arms = _heights(motion, "left_wrist", "right_wrist") - _heights(motion, "left_shoulder", "right_shoulder")
    return arms.amax(dim=1), -0.15, -0.05


def _punch(motion: Motion) -> tuple[Tensor, float, float]:
    """Longest reach of a fist from its shoulder, as a share of the arm, while it is high."""
    positions, index = motion.positions(), motion.skeleton.index
    shares = []
    for side in ("left", "right"):
        shoulder, elbow, wrist = (
            positions[:, index(f"{side}_{part}")] for part in ("shoulder", "elbow", "wrist")
        )
        arm = ((wrist - elbow).norm(dim=-1) + (elbow - shoulder).norm(dim=-1)).clamp_min(1e-6)
        high = (wrist[:, 1] > shoulder[:, 1] - 0.25).float()
        shares.append((wrist - shoulder)[:, [0, 2]].norm(dim=-1) / arm * high)
    return torch.stack(shares).amax(dim=0), 0.65, 0.82


def _clap(motion: Motion) -> tuple[Tensor, float, float]:
    """Nearness of the wrists, metres, with the sign of nearness."""
    positions, index = motion.positions(), motion.skeleton.index
    apart = (positions[:, index("left_wrist")] - positions[:, index("right_wrist")]).norm(dim=-1)
    return -apart, -0.26, -0.20


ACTS: dict[str, Callable[[Motion], tuple[Tensor, float, float]]] = {
    "walk": _walk, "jump": _jump, "kick": _kick, "squat": _squat, "bow": _bow, "wave": _wave, "punch": _punch,
    "clap": _clap,
}  # fmt: skip
"""Name of an act -> its measure (T,), and the values under which it is over and over which it begins."""


def spans(motion: Motion, act: str) -> list[Span]:
    """Return the spans of frames in which an act is seen, in order.

    It begins where its measure rises over one threshold, and is over where it falls under a lower one.

    Args:
        motion: of SMPL-22.
        act: a name in `ACTS`.
    """
    measure, low, high = ACTS[act](motion)
    found: list[Span] = []
    begin = None
    for frame, value in enumerate(measure.tolist()):
        if begin is None and value > high:
            begin = frame
        elif begin is not None and value < low:
            found.append((begin, frame))
            begin = None
    return found if begin is None else [*found, (begin, motion.num_frames)]


def sways(motion: Motion) -> int:
    """Return how often a raised hand goes to and fro: whole cycles of its fastest direction, rounded.

    Reversals of the wrist's way against the elbow count where the hand is raised and goes at least 5 cm.
    """
    raised = spans(motion, "wave")
    if not raised:
        return 0
    positions, index = motion.positions(), motion.skeleton.index
    speeds = joint_speed(positions, motion.fps)[:, [index("left_wrist"), index("right_wrist")]].mean(dim=0)
    side = ("left", "right")[int(speeds.argmax())]
    way = positions[:, index(f"{side}_wrist")] - positions[:, index(f"{side}_elbow")]
    begin, end = max(raised, key=lambda span: span[1] - span[0])
    margin = round(RAISING_SECONDS * motion.fps) if end - begin > 3 * RAISING_SECONDS * motion.fps else 0
    begin, end = begin + margin, end - margin  # raising and lowering the arm are no waves
    across = way[begin:end] - way[begin:end].mean(dim=0)
    _, _, axes = torch.linalg.svd(across, full_matrices=False)
    values = (across @ axes[0]).tolist()
    extreme, direction, turns = values[0], 0, 0
    for value in values:
        if (direction >= 0 and value > extreme) or (direction <= 0 and value < extreme):
            direction = direction or (1 if value > extreme else -1)
            extreme = value
        elif abs(value - extreme) > 0.05:
            turns, direction, extreme = turns + 1, -direction, value
    return round(turns / 2)


def follow(motion: Motion, first: str, second: str) -> bool:
    """Return whether two acts are seen, and the second goes on after the first has begun.

    Args:
        motion: of SMPL-22.
        first: a name in `ACTS`.
        second: another.
    """
    before, after = spans(motion, first), spans(motion, second)
    return bool(before and after) and any(end > before[0][1] or begin > before[0][0] for begin, end in after)


def _heights(motion: Motion, *names: str) -> Tensor:
    return motion.positions()[:, [motion.skeleton.index(name) for name in names], 1]
