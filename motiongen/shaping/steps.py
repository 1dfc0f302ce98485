"""Counts the steps of a motion, and ends it after so many."""

from torch import Tensor

from motiongen.motion import Motion

MIN_SWING_SECONDS = 0.1
"""Shortest time in the air of a foot that steps."""
MIN_STEP = 0.12
"""Least way of a foot that steps, metres."""
SETTLE_SECONDS = 0.1
"""Time after the last step's contact that is kept."""


def footfalls(motion: Motion) -> list[int]:
    """Return the frames at which a foot of a motion of SMPL-22 comes down from a step, in order."""
    contacts, positions = motion.contacts(), motion.positions()
    found = []
    for name, columns in (("left", slice(0, 2)), ("right", slice(2, 4))):
        path = positions[:, motion.skeleton.index(f"{name}_ankle")][:, [0, 2]]
        found += _landings(
            contacts[:, columns].any(dim=1).tolist(), path, round(MIN_SWING_SECONDS * motion.fps)
        )
    return sorted(found)


def end_after(motion: Motion, count: int) -> Motion:
    """Return a motion up to its `count`-th step; the whole motion where there are fewer.

    Args:
        motion: of SMPL-22.
        count: steps, 1 or more.
    """
    found = footfalls(motion)
    if len(found) < count:
        return motion
    return motion[: min(motion.num_frames, found[count - 1] + 1 + round(SETTLE_SECONDS * motion.fps))]


def _landings(stands: list[bool], path: Tensor, shortest: int) -> list[int]:
    """Return the frames at which a foot stands after at least `shortest` frames in the air and a way of MIN_STEP."""
    found, left = [], 0
    for frame in range(1, len(stands)):
        if stands[frame - 1] and not stands[frame]:
            left = frame
        lands = stands[frame] and not stands[frame - 1] and frame - left >= shortest
        if lands and float((path[frame] - path[left]).norm()) >= MIN_STEP:
            found.append(frame)
    return found
