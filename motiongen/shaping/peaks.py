"""Peaks of a signal by prominence, and the signals in which repetitions of an act are seen."""

import torch
from torch import Tensor
from torch.nn import functional

from motiongen.contacts import CONTACT_INDEX
from motiongen.motion import Motion
from motiongen.rotation import quat_rotate, quat_yaw

MIN_SECONDS = 0.25
"""Least time between two repetitions."""
SHARE = 0.4
"""Least prominence of a repetition, as a share of the largest."""

RAISING_SECONDS = 0.25
"""Time in which an arm is raised, or lowered, which is no wave."""
SWAY_SECONDS = 1.0
"""Time over which a raised hand's place is averaged: a wave is faster."""
RELEASED = 0.3
"""Share of the signal's range under which a repetition is over."""

_HEIGHT = "jump hop leap skip bounce burpee cartwheel flip backflip handspring somersault jumping"
_DIP = "squat bow sit kneel crouch duck bend lunge push-up push-ups sit-up sit-ups pick curtsy lie"
_FOOT = "kick stomp stamp"
_REACH = "punch box strike hit slash stab chop throw toss push"
_SIGNALS = {
    **dict.fromkeys(_HEIGHT.split(), "height"), **dict.fromkeys(_DIP.split(), "dip"),
    **dict.fromkeys(_FOOT.split(), "foot"),
    **dict.fromkeys(_REACH.split(), "reach"), "wave": "sway", "clap": "clap", "applaud": "clap",
}  # fmt: skip
_LEAST = {"height": 0.06, "dip": 0.08, "foot": 0.15, "reach": 0.12, "sway": 0.04, "clap": 0.06, "body": 0.08}
"""Least prominence that counts as the act, metres."""


def signal_of(sentence: str) -> str:
    """Return the name of the signal in which a sentence's act is seen, by its first word that says so.

    Args:
        sentence: "a person does push-ups".
    """
    for word in sentence.lower().split():
        for form in (word, word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("ing")):
            if form in _SIGNALS:
                return _SIGNALS[form]
    return "body"


def signal(motion: Motion, name: str) -> Tensor:
    """Return a signal (T,), metres, of a motion of SMPL-22: it rises once in each repetition.

    Args:
        motion: the motion.
        name: "height" of the lower foot, "dip" of the head, "foot" height, "reach" of a hand, "sway" of a raised hand,
            "clap", or "body", the first principal component of all joints.
    """
    positions, index = motion.positions(), motion.skeleton.index
    local = quat_rotate(quat_yaw(-motion.heading())[:, None], positions - positions[:, :1])  # (T, J, 3)
    wrists = [index("left_wrist"), index("right_wrist")]
    if name == "height":
        found = positions[:, CONTACT_INDEX, 1].amin(dim=1)
    elif name == "dip":
        found = -positions[:, index("head"), 1]
    elif name == "foot":
        found = positions[:, [index("left_ankle"), index("right_ankle")], 1].amax(dim=1)
    elif name == "reach":
        shoulders = local[:, [index("left_shoulder"), index("right_shoulder")]]
        found = (local[:, wrists] - shoulders).norm(dim=-1).amax(dim=1)
    elif name == "clap":
        found = -(local[:, wrists[0]] - local[:, wrists[1]]).norm(dim=-1)
    elif name == "sway":
        found = _sway(local, wrists, [index("left_elbow"), index("right_elbow")], motion.fps)
    else:
        found = _principal(
            torch.cat([local[:, 1:], positions[:, :1] * positions.new_tensor([0, 1, 0])], dim=1)
        )
    return _smooth(found)


def peaks(values: Tensor, fps: float, least: float) -> list[int]:
    """Return the frames of a signal's peaks, in order.

    A peak counts whose prominence, its height over the higher of the valleys beside it, is at least `least` and at
    least `SHARE` of the largest; of two within `MIN_SECONDS` the higher one counts. A signal that begins or ends high
    has no peak there, but its ends are no valleys either.

    Args:
        values: (T,).
        fps: frames a second.
        least: least prominence, in the signal's unit.
    """
    heights = values.tolist()
    found = _tops(heights)
    bar = max([least, *(SHARE * prominence for _, prominence in found)])
    kept: list[int] = []
    for frame, prominence in found:
        if prominence < bar:
            continue
        if kept and frame - kept[-1] < MIN_SECONDS * fps:
            if heights[frame] > heights[kept[-1]]:
                kept[-1] = frame
            continue
        kept.append(frame)
    return kept


def repetitions(motion: Motion, sentence: str) -> list[int]:
    """Return the frames at which repetitions of a sentence's act are seen, in order.

    Args:
        motion: of SMPL-22.
        sentence: the act.
    """
    name = signal_of(sentence)
    return peaks(signal(motion, name), motion.fps, _LEAST[name])


def clarity(motion: Motion, sentence: str) -> float:
    """Return how plainly a sentence's act is told from all else; 0 where it is not seen.

    It is the least prominence of a repetition over the largest that does not count.

    Args:
        motion: of SMPL-22.
        sentence: the act.
    """
    name = signal_of(sentence)
    values = signal(motion, name)
    found = set(peaks(values, motion.fps, _LEAST[name]))
    tops = _tops(values.tolist())
    counted = [prominence for frame, prominence in tops if frame in found]
    others = [prominence for frame, prominence in tops if frame not in found]
    return min(counted, default=0.0) / max([_LEAST[name], *others])


def progress(motion: Motion, sentence: str) -> tuple[int, bool]:
    """Return how often a sentence's act has been seen so far, and whether the last time is over.

    Args:
        motion: of SMPL-22, which may end anywhere.
        sentence: the act.
    """
    name = signal_of(sentence)
    values = signal(motion, name)
    found = peaks(values, motion.fps, _LEAST[name])
    low = values.min() + RELEASED * (values.max() - values.min())
    return len(found), bool(found and (values[found[-1] :] <= low).any())


def _tops(heights: list[float]) -> list[tuple[int, float]]:
    """Return the frame and the prominence of each local maximum."""
    tops = [i for i in range(1, len(heights) - 1) if heights[i - 1] < heights[i] >= heights[i + 1]]
    return [(i, _prominence(heights, i)) for i in tops]


def _prominence(heights: list[float], peak: int) -> float:
    """Return the height of a peak over the higher of the lowest points on its way to a higher one, on either side."""
    valleys = []
    for step in (-1, 1):
        lowest, i = heights[peak], peak + step
        while 0 <= i < len(heights) and heights[i] <= heights[peak]:
            lowest = min(lowest, heights[i])
            i += step
        valleys.append(lowest)
    return heights[peak] - max(valleys)


def _principal(points: Tensor) -> Tensor:
    """Return the first principal component (T,) of points (T, P, 3), with its longer excursions upwards."""
    rows = points.flatten(1).double()
    rows = rows - rows.mean(dim=0)
    _, _, axes = torch.linalg.svd(rows, full_matrices=False)
    found = rows @ axes[0]
    return (found if found.max() >= -found.min() else -found).float()


def _sway(local: Tensor, wrists: list[int], elbows: list[int], fps: float) -> Tensor:
    """Return how far (T,) the busier raised hand is to one side of its average place; 0 where it is not raised."""
    ways = local[:, wrists] - local[:, elbows]  # (T, 2, 3)
    margin = round(RAISING_SECONDS * fps)
    lowered = functional.pad((ways[..., 1] <= 0).to(ways).T[None], (margin, margin), mode="replicate")
    raised = 1 - functional.max_pool1d(lowered, 2 * margin + 1, stride=1)[0].T  # (T, 2)
    width = min(round(SWAY_SECONDS * fps), len(ways)) | 1
    padded = functional.pad(ways.flatten(1).T[None], (width // 2, width // 2), mode="replicate")
    mean = functional.avg_pool1d(padded, width, stride=1)[0].T.unflatten(1, (2, 3))
    swing = (ways - mean) * raised[..., None]  # (T, 2, 3)
    side = int(swing.square().sum(dim=(0, 2)).argmax())
    return _principal(swing[:, side, None])


def _smooth(values: Tensor) -> Tensor:
    padded = functional.pad(values.float()[None, None], (2, 2), mode="replicate")
    return functional.conv1d(padded, values.new_tensor([1.0, 2, 3, 2, 1]).float()[None, None] / 9)[0, 0]
