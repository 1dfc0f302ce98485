"""Foot contacts, joint speeds and the height of the floor under a clip."""

import torch
from torch import Tensor

from motiongen.skeleton import SMPL22, Skeleton

CONTACT_JOINTS = ("left_ankle", "left_foot", "right_ankle", "right_foot")
CONTACT_INDEX = [SMPL22.index(name) for name in CONTACT_JOINTS]
"""Their indices in SMPL-22."""
CLEARANCE = (0.085, 0.025, 0.085, 0.025)
"""Height of each contact joint over the sole of SMPL-22 in the T-pose, metres."""

MAX_SPEED = 0.45
"""Speed, m/s, below which a joint near the floor is in contact with it."""
MAX_LIFT = 0.05
"""Height over its standing height, metres, below which a joint is near the floor."""


def foot_contacts(positions: Tensor, skeleton: Skeleton, fps: float) -> Tensor:
    """Return foot contacts (T, 4) bool in the order of CONTACT_JOINTS: joints that are near the floor and slow.

    Args:
        positions: joint positions (T, J, 3) over a floor at y = 0, metres.
        skeleton: the joints; they have SMPL's names.
        fps: frames a second.
    """
    feet = positions[:, [skeleton.index(name) for name in CONTACT_JOINTS]]  # (T, 4, 3)
    speed = joint_speed(feet, fps)
    lift = feet[..., 1] - feet.new_tensor(CLEARANCE)
    return (speed < MAX_SPEED) & (lift < MAX_LIFT)


def joint_speed(positions: Tensor, fps: float) -> Tensor:
    """Return the speed (T, J) of positions (T, J, 3), m/s; the first frame takes that of the second."""
    if positions.shape[0] < 2:
        return torch.zeros_like(positions[..., 0])
    speed = (positions[1:] - positions[:-1]).norm(dim=-1) * fps
    return torch.cat([speed[:1], speed])


def ground_height(positions: Tensor, skeleton: Skeleton) -> float:
    """Return the height of the floor that a clip (T, J, 3) stands on, metres.

    For SMPL's joints the soles' 5th percentile over time, so that neither a jump nor a single bad frame decides;
    for others the lowest joint's.
    """
    if skeleton.names == SMPL22.names:
        feet = positions[:, [skeleton.index(name) for name in CONTACT_JOINTS], 1]
        lowest = (feet - feet.new_tensor(CLEARANCE)).amin(dim=1)  # (T,)
    else:
        lowest = positions[..., 1].amin(dim=1)
    return float(lowest.quantile(0.05))
