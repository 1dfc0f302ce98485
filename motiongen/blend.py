"""Inertialization: a transition from one motion to another without a jump in pose or speed.

The difference of the two at the transition, in pose and in speed, is added to the incoming frames and fades out (Bollo,
"Inertialization: High-Performance Animation Transitions", GDC 2018, here with a quintic ease).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.rotation import axis_angle_from_quat, quat_from_axis_angle, quat_inverse, quat_multiply


def fade(num_frames: int, length: int) -> Tensor:
    """Return weights (num_frames,) that fall from 1 to 0 within `length` frames, flat at both ends."""
    t = (torch.arange(num_frames) / max(length, 1)).clamp(max=1.0)
    return 1 - t**3 * (10 - 15 * t + 6 * t**2)


@dataclass(frozen=True)
class Seam:
    """The offset between incoming frames and those before them, which is added to the incoming frames and fades out.

    Attributes:
        turn: (J, 3) offset of the joints' rotations at the first incoming frame, as axis angles, radians.
        turn_drift: (J, 3) change of that offset a frame.
        shift: (3,) offset of the root at the first incoming frame, metres.
        shift_drift: (3,) change of that offset a frame.
        length: number of frames in which the offset fades out.
    """

    turn: Tensor
    turn_drift: Tensor
    shift: Tensor
    shift_drift: Tensor
    length: int

    def apply(self, rotations: Tensor, root: Tensor, first: int = 0) -> tuple[Tensor, Tensor]:
        """Return incoming frames with the offset added.

        Args:
            rotations: local rotations (T, J, 4).
            root: root positions (T, 3), metres.
            first: number of the first of these frames, counted from the seam.
        """
        steps = torch.arange(first, first + len(rotations)).to(rotations)
        weights = fade(first + len(rotations), self.length)[first:].to(rotations)
        turn = (self.turn + self.turn_drift * steps[:, None, None]) * weights[:, None, None]  # (T, J, 3)
        shift = (self.shift + self.shift_drift * steps[:, None]) * weights[:, None]  # (T, 3)
        return quat_multiply(rotations, quat_from_axis_angle(turn)), root + shift


def seam(rotations: Tensor, root: Tensor, before_rotations: Tensor, before_root: Tensor, length: int) -> Seam:
    """Return the offset between incoming frames and those before them; the arguments are those of `take_over`."""
    old_step, new_step = _step_after(before_rotations, _turn), -_step_after(rotations[:3].flip(0), _turn)
    expected = quat_multiply(before_rotations[-1], quat_from_axis_angle(old_step))
    turn = axis_angle_from_quat(quat_multiply(quat_inverse(rotations[0]), expected))  # (J, 3)
    turn_drift = _difference(old_step, new_step, before_rotations, rotations)
    old_step, new_step = _step_after(before_root, _shift), -_step_after(root[:3].flip(0), _shift)
    shift = before_root[-1] + old_step - root[0]  # (3,)
    return Seam(turn, turn_drift, shift, _difference(old_step, new_step, before_root, root), length)


def take_over(
    rotations: Tensor, root: Tensor, before_rotations: Tensor, before_root: Tensor, length: int
) -> tuple[Tensor, Tensor]:
    """Return incoming rotations (T, J, 4) and root (T, 3) that continue the frames before them.

    Frames that already continue them smoothly stay as they are, to third order in time.

    Args:
        rotations: local rotations of the incoming motion (T, J, 4).
        root: its root positions (T, 3), metres.
        before_rotations: the last frames before it (P, J, 4), P >= 1; the last three give the speed.
        before_root: their root positions (P, 3).
        length: number of frames in which the offset fades out.
    """
    return seam(rotations, root, before_rotations, before_root, length).apply(rotations, root)


def _step_after(frames: Tensor, step: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Return the step that would follow up to three frames, at the acceleration of the steps between them."""
    if frames.shape[0] < 2:
        return torch.zeros_like(step(frames[-1], frames[-1]))
    last = step(frames[-2], frames[-1])
    return last if frames.shape[0] < 3 else 2 * last - step(frames[-3], frames[-2])


def _difference(old_step: Tensor, new_step: Tensor, before: Tensor, incoming: Tensor) -> Tensor:
    """Return the difference of two steps; 0 where one side is a single frame, whose speed is unknown."""
    return old_step - new_step if min(before.shape[0], incoming.shape[0]) > 1 else torch.zeros_like(old_step)


def _turn(a: Tensor, b: Tensor) -> Tensor:
    return axis_angle_from_quat(quat_multiply(quat_inverse(a), b))


def _shift(a: Tensor, b: Tensor) -> Tensor:
    return b - a
