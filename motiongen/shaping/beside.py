"""Lets the arms of one motion be seen on another: two acts at once."""

from dataclasses import replace

import torch
from torch import Tensor

from motiongen.motion import Motion
from motiongen.rotation import quat_slerp

EASE_SECONDS = 0.4
"""Time in which the arms are taken over, and given back."""
ACTIVE = 0.4
"""An arm acts that moves at least so much as the busier one."""
_ARM = ("collar", "shoulder", "elbow", "wrist")
_TRUNK = ("spine1", "spine2", "spine3", "neck", "head")
_LEAST = 0.1  # metres: with less, no arm acts


def with_arms_of(motion: Motion, other: Motion) -> Motion:
    """Return a motion of SMPL-22 with the acting arms of another, or with its whole trunk where no arm acts.

    Args:
        motion: of the legs and the path.
        other: shows the act; it is cut to the motion's length, or its last frame is held.
    """
    other = other.at(torch.arange(motion.num_frames))
    ranges = torch.stack([_range(other, side) for side in ("left", "right")])
    sides = [
        side
        for side, size in zip(("left", "right"), ranges.tolist(), strict=True)
        if size >= ACTIVE * ranges.max()
    ]
    names = [f"{side}_{part}" for side in sides for part in _ARM]
    if ranges.max() < _LEAST:
        names = [*_TRUNK, *(f"{side}_{part}" for side in ("left", "right") for part in _ARM)]
    joints = [motion.skeleton.index(name) for name in names]
    frames = torch.arange(motion.num_frames)
    ease = torch.minimum(frames, frames.flip(0)) / (EASE_SECONDS * motion.fps)
    weight = ease.clamp(0, 1).to(motion.root)
    weight = (weight * weight * (3 - 2 * weight))[:, None]
    rotations = motion.rotations.clone()
    rotations[:, joints] = quat_slerp(motion.rotations[:, joints], other.rotations[:, joints], weight)
    return replace(motion, rotations=rotations)


def _range(motion: Motion, side: str) -> Tensor:
    """Return how far a wrist moves against its shoulder, metres."""
    positions, index = motion.positions(), motion.skeleton.index
    arm = positions[:, index(f"{side}_wrist")] - positions[:, index(f"{side}_shoulder")]
    return (arm.quantile(0.97, dim=0) - arm.quantile(0.03, dim=0)).norm()
