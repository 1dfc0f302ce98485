"""Inertialization: one motion takes over from another without a jump in pose or speed.

The incoming frames keep their own course; what differs at the seam, in place and in speed, is added to them and
fades out (Bollo, "Inertialization: High-Performance Animation Transitions", GDC 2018, with a quintic ease).
"""

import torch
from torch import Tensor

from motiongen.rotation import axis_angle_from_quat, quat_from_axis_angle, quat_inverse, quat_multiply


def fade(num_frames: int, length: int) -> Tensor:
    """Return weights (num_frames,) that fall from 1 to 0 within `length` frames, flat at both ends."""
    t = (torch.arange(num_frames) / max(length, 1)).clamp(max=1.0)
    return 1 - t**3 * (10 - 15 * t + 6 * t**2)


def take_over(
    rotations: Tensor, root: Tensor, before_rotations: Tensor, before_root: Tensor, length: int
) -> tuple[Tensor, Tensor]:
    """Return rotations (T, J, 4) and root (T, 3) that follow on from the frames before them.

    Args:
        rotations: local rotations of the incoming motion (T, J, 4).
        root: its root positions (T, 3), metres.
        before_rotations: the last frames before it (P, J, 4), P >= 1; two frames give their speed, too.
        before_root: their root positions (P, 3).
        length: frames until the incoming motion is on its own course.
    """
    weights = fade(rotations.shape[0], length).to(rotations)
    steps = torch.arange(rotations.shape[0]).to(rotations)
    jump, drift = _offset(rotations, before_rotations)
    turn = (jump + drift * steps[:, None, None]) * weights[:, None, None]  # (T, J, 3)
    jump, drift = _root_offset(root, before_root)
    shift = (jump + drift * steps[:, None]) * weights[:, None]  # (T, 3)
    return quat_multiply(rotations, quat_from_axis_angle(turn)), root + shift


def _offset(incoming: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
    """Rotation vectors (J, 3): the difference at the first frame, and that of the speeds per frame."""
    speed = _speed(before[-2:]) if before.shape[0] > 1 else torch.zeros_like(before[-1, :, :3])
    expected = quat_multiply(before[-1], quat_from_axis_angle(speed))
    jump = axis_angle_from_quat(quat_multiply(quat_inverse(incoming[0]), expected))
    if incoming.shape[0] < 2 or before.shape[0] < 2:
        return jump, torch.zeros_like(jump)
    return jump, speed - _speed(incoming[:2])


def _speed(pair: Tensor) -> Tensor:
    return axis_angle_from_quat(quat_multiply(quat_inverse(pair[0]), pair[1]))


def _root_offset(incoming: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
    speed = before[-1] - before[-2] if before.shape[0] > 1 else torch.zeros_like(before[-1])
    jump = before[-1] + speed - incoming[0]
    if incoming.shape[0] < 2 or before.shape[0] < 2:
        return jump, torch.zeros_like(jump)
    return jump, speed - (incoming[1] - incoming[0])
