"""Turns a moving character without sliding its feet: the body rotates about the foot that it stands on."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from motiongen.contacts import CONTACT_INDEX
from motiongen.features import FPS, Frames, RootState
from motiongen.rotation import quat_multiply, quat_rotate, quat_yaw
from motiongen.shaping.turning import CURVE_RATE, MOVING_RATE, STANDING_RATE
from motiongen.skeleton import SMPL22

ARRIVAL_DISTANCE = 0.4
"""Metres from its goal at which a character has arrived."""
HEADING_GAIN = 2.5
"""Turn rate for each radian of heading error, rad/s."""


@dataclass
class Steering:
    """State of a turn or of a walk to a goal.

    Attributes:
        angle: radians still to be turned by.
        goal: (2,) x and z of the point to walk to, or None.
        is_curve: whether the angle is that of a walk in a curve, which is wider than a turn.
    """

    angle: float = 0.0
    goal: np.ndarray | None = None
    is_curve: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to steer."""
        return self.goal is None and abs(self.angle) < 1e-4

    def has_arrived(self, root: RootState) -> bool:
        """Return whether the goal is reached.

        Args:
            root: where the character is.
        """
        return self.goal is not None and _distance(self.goal, root) < ARRIVAL_DISTANCE

    def apply(self, frames: Frames, root: RootState) -> Frames:
        """Return frames turned towards the goal, or by a part of the angle; updates the root state in place.

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
            moving_rate = CURVE_RATE if self.is_curve and self.goal is None else MOVING_RATE
            step = self._step(STANDING_RATE if both else moving_rate, frames, root, frame, turned)
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

    def _step(self, rate: float, frames: Frames, root: RootState, frame: int, turned: float) -> float:
        """Return the radians to turn by in this frame."""
        if self.goal is not None:
            step = HEADING_GAIN * self._heading_error(frames, root, turned) / FPS
        else:
            step = math.copysign(min(abs(self.angle), rate / FPS), self.angle)
            self.angle -= step
        return max(-rate / FPS, min(rate / FPS, step))

    def _heading_error(self, frames: Frames, root: RootState, turned: float) -> float:
        """Return the radians from the direction of travel, or of view where it stands, to the goal."""
        assert self.goal is not None
        path = frames.root[0, :, [0, 2]]
        travel = path[-1] - path[0]
        course = float(root.heading[0])
        if float(travel.norm()) > 0.25 / FPS * len(path):
            course = math.atan2(float(travel[0]), float(travel[1]))
        x, z = self.goal - root.position[0].numpy()
        return (math.atan2(x, z) - course - turned + math.pi) % (2 * math.pi) - math.pi


def _distance(goal: np.ndarray, root: RootState) -> float:
    return float(np.linalg.norm(goal - root.position[0].numpy()))


def _rotated(point: torch.Tensor, angle: float) -> torch.Tensor:
    """Return a point (2,) of the floor, x and z, rotated about the origin."""
    sine, cosine = math.sin(angle), math.cos(angle)
    return torch.stack([cosine * point[0] + sine * point[1], cosine * point[1] - sine * point[0]])
