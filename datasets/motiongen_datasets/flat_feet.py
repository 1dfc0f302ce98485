"""Feet whose toes point up while they stand, laid flat: bodies without toes have the slope of their feet guessed."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from motiongen.contacts import joint_speed
from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle, quat_multiply
from motiongen.skeleton import SMPL22

STANDING_SPEED = 0.3
"""An ankle slower than this, m/s, near its lowest, stands."""
NEAR = 0.03
"""How near, metres."""
LEAST_SHARE = 0.1
"""Part of the frames that a foot must stand for its slope to be known."""
LEAST_SLOPE = math.radians(3.0)
MOST_SLOPE = math.radians(40.0)


def with_flat_feet(motion: Motion) -> Motion:
    """Return a motion of SMPL-22 whose toes do not point up where its feet stand; feet on tiptoe stay so."""
    positions = motion.positions()
    rotations = motion.rotations.clone()
    for side in ("left", "right"):
        ankle, toe = SMPL22.index(f"{side}_ankle"), SMPL22.index(f"{side}_foot")
        raised = _raised(positions[:, ankle], positions[:, toe], SMPL22.offsets[toe], motion.fps)
        if raised is None or not LEAST_SLOPE < raised < MOST_SLOPE:
            continue
        down = quat_from_axis_angle(rotations.new_tensor([raised, 0.0, 0.0]))
        rotations[:, ankle] = quat_multiply(rotations[:, ankle], down.expand(motion.num_frames, 4))
    return replace(motion, rotations=rotations)


def _raised(ankle: Tensor, toe: Tensor, rest: Tensor, fps: float) -> float | None:
    """Return by how much the toes (T, 3) point up more than at rest while the ankle (T, 3) stands, radians."""
    slow = joint_speed(ankle[:, None], fps)[:, 0] < STANDING_SPEED
    if int(slow.sum()) < LEAST_SHARE * len(ankle):
        return None
    stands = slow & (ankle[:, 1] < float(ankle[slow, 1].quantile(0.1)) + NEAR)
    foot = (toe - ankle)[stands]
    slope = torch.asin((foot[:, 1] / foot.norm(dim=-1)).clamp(-1, 1)).median()
    return float(slope - torch.asin(rest[1] / rest.norm()))
