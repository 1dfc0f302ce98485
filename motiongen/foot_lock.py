"""Foot locking: standing feet are held in place by two-bone inverse kinematics of each leg.

An optional last step for motion that will be looked at closely. It changes hips and knees alone; a foot keeps its
rotation in the world.
"""

import torch
from torch import Tensor

from motiongen.rotation import quat_between, quat_from_axis_angle, quat_multiply, quat_rotate
from motiongen.skeleton import Skeleton, local_rotations

MIN_FRAMES = 3
"""Shortest contact, in frames, that counts as a step."""
EASE_SECONDS = 0.15
"""Time in which a foot is drawn to its locked position before a step, and released after it."""
MAX_REACH = 0.999
"""Largest distance from hip to ankle, as a share of the leg's length: a straight leg has no knee axis."""


def lock_feet(
    global_rotations: Tensor, positions: Tensor, contacts: Tensor, skeleton: Skeleton, fps: float
) -> Tensor:
    """Return local rotations (T, J, 4) with which standing feet hold still.

    Args:
        global_rotations: joint rotations in the world (T, J, 4).
        positions: joint positions in the world (T, J, 3), metres, over a floor at y = 0.
        contacts: foot contacts (T, 4) bool in the order of `contacts.CONTACT_JOINTS`.
        skeleton: the joints; they have SMPL's names.
        fps: frames a second.

    Raises:
        ValueError: the skeleton has other joint names.
    """
    locked = global_rotations.clone()
    for side, columns in (("left", slice(0, 2)), ("right", slice(2, 4))):
        hip, knee, ankle = (skeleton.index(f"{side}_{part}") for part in ("hip", "knee", "ankle"))
        standing = contacts[:, columns].any(dim=1)  # (T,)
        target = _ankle_targets(positions[:, ankle], standing, round(EASE_SECONDS * fps))
        bend, swing = leg_rotations(positions[:, hip], positions[:, knee], positions[:, ankle], target)
        locked[:, hip] = quat_multiply(swing, locked[:, hip])
        locked[:, knee] = quat_multiply(swing, quat_multiply(bend, locked[:, knee]))
    return local_rotations(locked, skeleton)


def _ankle_targets(path: Tensor, standing: Tensor, ease: int) -> Tensor:
    """Return where an ankle (T, 3) should be: at the median position of each step while it stands, else on its path.

    The correction grows and fades over `ease` frames beside each step. Heights stay as they are, for a heel may lift.
    """
    shift, weight = torch.zeros_like(path), torch.zeros_like(path[:, 0])
    for first, last in _runs(standing):
        locked = path[first:last].median(dim=0).values
        begin, end = max(0, first - ease), min(len(path), last + ease)
        frames = torch.arange(begin, end, device=path.device)
        outside = torch.maximum(first - frames, frames - (last - 1)).clamp_min(0)  # frames from the step
        share = 0.5 + 0.5 * torch.cos(torch.pi * outside / (ease + 1)).to(path)
        nearest = path[frames.clamp(first, last - 1)]  # beside the step the correction of its edge frame
        closer = share > weight[begin:end]
        shift[begin:end] = torch.where(closer[:, None], (locked - nearest) * share[:, None], shift[begin:end])
        weight[begin:end] = torch.maximum(weight[begin:end], share)
    return path + shift * path.new_tensor([1.0, 0.0, 1.0])


def _runs(mask: Tensor) -> list[tuple[int, int]]:
    """Return the runs [first, last) of true that are at least MIN_FRAMES long."""
    edges = torch.diff(mask.int(), prepend=mask.new_zeros(1).int(), append=mask.new_zeros(1).int())
    starts, ends = (edges == 1).nonzero()[:, 0].tolist(), (edges == -1).nonzero()[:, 0].tolist()
    return [(first, last) for first, last in zip(starts, ends, strict=True) if last - first >= MIN_FRAMES]


def leg_rotations(hip: Tensor, knee: Tensor, ankle: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return rotations (T, 4) of the shin about the knee, and of the leg about the hip: the ankle then is at target."""
    thigh, shin = hip - knee, ankle - knee
    a, b = thigh.norm(dim=-1), shin.norm(dim=-1)
    distance = torch.minimum((target - hip).norm(dim=-1), (a + b) * MAX_REACH)
    knee_angle = torch.acos(((thigh * shin).sum(-1) / (a * b)).clamp(-1, 1))
    wanted = torch.acos(((a**2 + b**2 - distance**2) / (2 * a * b)).clamp(-1, 1))
    axis = torch.linalg.cross(thigh, shin)  # turning the shin about it opens the knee
    length = axis.norm(dim=-1, keepdim=True)
    axis = torch.where(length > 1e-6, axis / length.clamp_min(1e-6), axis.new_tensor([-1.0, 0.0, 0.0]))
    bend = quat_from_axis_angle(axis * (wanted - knee_angle)[:, None])
    moved = knee + quat_rotate(bend, shin)
    return bend, quat_between(moved - hip, target - hip)
