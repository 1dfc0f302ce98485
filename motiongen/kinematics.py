"""Joint positions and velocities of motion features, fast enough on a CPU for a loss at every training step.

Batched products of 3 x 3 matrices are slow on a CPU, even more so backwards. Here matrix components are the outermost
axes and frames the innermost, and a level of the skeleton's tree is one broadcast product.
"""

from itertools import groupby

import torch
from torch import Tensor

from motiongen.features import FPS, LAYOUT
from motiongen.skeleton import SMPL22


def _levels() -> list[tuple[list[int], list[int]]]:
    """Return for each level below the root its joints, and the indices of their parents in the level above."""
    depth = [0] * SMPL22.num_joints
    for joint, parent in enumerate(SMPL22.parents[1:], start=1):
        depth[joint] = depth[parent] + 1
    above, levels = [0], []
    for _, joints in groupby(
        sorted(range(1, SMPL22.num_joints), key=depth.__getitem__), key=depth.__getitem__
    ):
        here = list(joints)
        levels.append((here, [above.index(SMPL22.parents[joint]) for joint in here]))
        above = here
    return levels


SHORTEST = 1e-4
"""Squared length below which a 6-D column is not normalised: its gradient would outweigh all others."""

LEVELS = _levels()
ORDER = [0] + [joint for joints, _ in LEVELS for joint in joints]
UNSORT = [ORDER.index(joint) for joint in range(SMPL22.num_joints)]


def local_positions(features: Tensor) -> Tensor:
    """Return joint positions (..., 22, 3), metres, of features (..., 140): pelvis at the origin, heading taken out.

    Differentiable and in fp32, for losses and the reconstruction error.
    """
    sixd = features[..., LAYOUT["tilt"].start : LAYOUT["joints"].stop]
    return joint_positions(sixd.unflatten(-1, (SMPL22.num_joints, 6)))


def positions_over_floor(features: Tensor) -> Tensor:
    """Return `local_positions` (..., 22, 3) of features (..., 140) at their height: the pelvis is over the origin."""
    positions = local_positions(features)
    return positions + features[..., None, LAYOUT["height"]] * positions.new_tensor([0.0, 1.0, 0.0])


def joint_positions(sixd: Tensor, rows: bool = False) -> Tensor:
    """Return joint positions (..., 22, 3), metres, of local rotations (..., 22, 6); the pelvis is at the origin.

    Args:
        sixd: first two columns of each matrix; any six numbers are brought to a rotation.
        rows: whether the six numbers are the first two rows instead, as in pytorch3d.
    """
    planes = sixd.float().reshape(-1, SMPL22.num_joints, 6).permute(2, 1, 0).contiguous()  # (6, J, M)
    local = _matrices(planes)  # (3 rows, 3 columns, J, M)
    if rows:
        local = local.transpose(0, 1)
    offsets = SMPL22.offsets.to(local)
    rotations, positions = local[:, :, :1], torch.zeros_like(local[:, 0, :1])  # of the level above
    level_positions = [positions]
    for joints, parents in LEVELS:
        rotations, positions = rotations[:, :, parents], positions[:, parents]  # of each joint's parent
        moved = (rotations * offsets[joints].T[None, :, :, None]).sum(1)  # (3, J', M)
        positions = positions + moved
        rotations = (rotations[:, :, None] * local[None, :, :, joints]).sum(1)  # (3, 3, J', M)
        level_positions.append(positions)
    stacked = torch.cat(level_positions, dim=1)[:, UNSORT]  # (3, J, M)
    return stacked.permute(2, 1, 0).unflatten(0, sixd.shape[:-2])  # (..., J, 3)


def _matrices(planes: Tensor) -> Tensor:
    """Return rotation matrices (3, 3, J, M) for 6-D rotations (6, J, M) by Gram-Schmidt (Zhou et al., CVPR 2019)."""
    first, second = planes[:3], planes[3:]
    first = first * first.square().sum(0).clamp_min(SHORTEST).rsqrt()
    second = second - (first * second).sum(0) * first
    second = second * second.square().sum(0).clamp_min(SHORTEST).rsqrt()
    third = torch.stack(
        [
            first[1] * second[2] - first[2] * second[1],
            first[2] * second[0] - first[0] * second[2],
            first[0] * second[1] - first[1] * second[0],
        ]
    )
    return torch.stack([first, second, third], dim=1)


def world_velocities(features: Tensor, positions: Tensor) -> Tensor:
    """Return joint velocities (B, T - 1, 22, 3) over the ground, m/s, in the heading frame of the later frame.

    Args:
        features: (B, T, 140).
        positions: their local positions (B, T, 22, 3).
    """
    now = features[:, 1:].float()
    velocity, turn = now[..., LAYOUT["velocity"]], now[..., 0:1]  # (B, T - 1, 2), (B, T - 1, 1)
    rise = (now[..., LAYOUT["height"]] - features[:, :-1, LAYOUT["height"]].float()) * FPS
    x, y, z = ((positions[:, 1:] - positions[:, :-1]) * FPS).unbind(-1)  # (B, T - 1, 22)
    swept = turn * positions[:, 1:, :, 2], -turn * positions[:, 1:, :, 0]  # turn about +Y, to first order
    return torch.stack([x + velocity[..., :1] + swept[0], y + rise, z + velocity[..., 1:] + swept[1]], dim=-1)
