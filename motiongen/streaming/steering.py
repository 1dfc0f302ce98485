"""Turns a moving character without sliding its feet: the body rotates about the foot that it stands on."""

import math
from dataclasses import dataclass

import torch

from motiongen.contacts import CONTACT_INDEX
from motiongen.features import FPS, Frames, RootState
from motiongen.rotation import quat_multiply, quat_rotate, quat_yaw
from motiongen.shaping.turning import CURVE_RATE, MOVING_RATE, STANDING_RATE
from motiongen.skeleton import SMPL22


@dataclass
class Steering:
    """State of a turn.

    Attributes:
        angle: radians still to be turned by.
        is_curve: whether the angle is that of a walk in a curve, which is wider than a turn.
    """

    angle: float = 0.0
    is_curve: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to steer."""
        return abs(self.angle) < 1e-4

    def apply(self, frames: Frames, root: RootState) -> Frames:
        """Return frames turned by a part of the angle; updates the root state in place.

        Args:
            frames: (1, T).
            root: root state after the frames.
        """
        positions = SMPL22.fk(frames.rotations[0], frames.root[0])[1][:, CONTACT_INDEX][
            ..., [0, 2]
        ]  # (T, 4, 2)
        turned, shift = 0.0, torch.zeros(2)
        yaws, shifts = [], []
        for frame, planted in enumerate(frames.contacts[0]):
            pivot = positions[frame, planted].mean(dim=0) if planted.any() else frames.root[0, frame, [0, 2]]
            both = bool(planted[:2].any() and planted[2:].any())
            moving_rate = CURVE_RATE if self.is_curve else MOVING_RATE
            step = self._step(STANDING_RATE if both else moving_rate)
            shift = (
                _rotated(pivot, turned) + shift - _rotated(pivot, turned + step)
            )  # the pivot stays where it is
            turned += step
            yaws.append(turned)
            shifts.append(shift)
        yaw, moved = quat_yaw(torch.tensor(yaws)), torch.zeros(len(yaws), 3)
        moved[:, [0, 2]] = torch.stack(shifts)
        rotations = frames.rotations.clone()
        rotations[0, :, 0] = quat_multiply(yaw, rotations[0, :, 0])
        root.heading = root.heading + turned
        root.position = _rotated(root.position[0], turned)[None] + shifts[-1]
        return Frames(rotations, (quat_rotate(yaw, frames.root[0]) + moved)[None], frames.contacts)

    def _step(self, rate: float) -> float:
        """Return the radians to turn by in this frame, at most `rate` a second."""
        step = math.copysign(min(abs(self.angle), rate / FPS), self.angle)
        self.angle -= step
        return step


def _rotated(point: torch.Tensor, angle: float) -> torch.Tensor:
    """Return a point (2,) of the floor, x and z, rotated about the origin."""
    sine, cosine = math.sin(angle), math.cos(angle)
    return torch.stack([cosine * point[0] + sine * point[1], cosine * point[1] - sine * point[0]])
