"""Turning a character while it moves, without its feet sliding: the body swings about the foot that it stands on."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from motiongen.contacts import CONTACT_INDEX
from motiongen.features import FPS, Frames, RootState
from motiongen.rotation import quat_multiply, quat_rotate, quat_yaw
from motiongen.skeleton import SMPL22

MOVING_RATE = 1.8
"""Fastest turn while a foot is in the air, rad/s."""
STANDING_RATE = 0.6
"""Fastest turn on both feet, rad/s: a foot 10 cm from the middle then slides at 6 cm/s."""
ARRIVED = 0.4
"""Metres from its goal at which a character has arrived."""
GAIN = 2.5
"""Turn for each radian off the course, rad/s."""


@dataclass
class Steering:
    """Where a character is to turn.

    Attributes:
        angle: radians still to be turned by.
        goal: (2,) x and z of the point to walk to, or nothing.
    """

    angle: float = 0.0
    goal: np.ndarray | None = None

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return self.goal is None and abs(self.angle) < 1e-4

    def has_arrived(self, root: RootState) -> bool:
        """Whether the goal is reached."""
        return self.goal is not None and _distance(self.goal, root) < ARRIVED

    def apply(self, frames: Frames, root: RootState) -> Frames:
        """Return frames (1, T) turned towards the goal, or by what is left of the angle; moves the root state along."""
        positions = SMPL22.fk(frames.rotations[0], frames.root[0])[1][:, CONTACT_INDEX][
            ..., [0, 2]
        ]  # (T, 4, 2)
        turned, shift = 0.0, torch.zeros(2)
        yaws, shifts = [], []
        for frame, planted in enumerate(frames.contacts[0]):
            pivot = positions[frame, planted].mean(dim=0) if planted.any() else frames.root[0, frame, [0, 2]]
            both = bool(planted[:2].any() and planted[2:].any())
            step = self._step(STANDING_RATE if both else MOVING_RATE, frames, root, frame, turned)
            shift = (
                _turned(pivot, turned) + shift - _turned(pivot, turned + step)
            )  # the pivot stays where it is
            turned += step
            yaws.append(turned)
            shifts.append(shift)
        yaw, moved = quat_yaw(torch.tensor(yaws)), torch.zeros(len(yaws), 3)
        moved[:, [0, 2]] = torch.stack(shifts)
        rotations = frames.rotations.clone()
        rotations[0, :, 0] = quat_multiply(yaw, rotations[0, :, 0])
        root.heading = root.heading + turned
        root.position = _turned(root.position[0], turned)[None] + shifts[-1]
        return Frames(rotations, (quat_rotate(yaw, frames.root[0]) + moved)[None], frames.contacts)

    def _step(self, rate: float, frames: Frames, root: RootState, frame: int, turned: float) -> float:
        """Radians by which to turn in this frame."""
        if self.goal is not None:
            step = GAIN * self._off_course(frames, root, turned) / FPS
        else:
            step = math.copysign(min(abs(self.angle), rate / FPS), self.angle)
            self.angle -= step
        return max(-rate / FPS, min(rate / FPS, step))

    def _off_course(self, frames: Frames, root: RootState, turned: float) -> float:
        """Radians between where the character goes, or looks where it stands, and its goal."""
        assert self.goal is not None
        path = frames.root[0, :, [0, 2]]
        way = path[-1] - path[0]
        course = float(root.heading[0])
        if float(way.norm()) > 0.25 / FPS * len(path):
            course = math.atan2(float(way[0]), float(way[1]))
        x, z = self.goal - root.position[0].numpy()
        return (math.atan2(x, z) - course - turned + math.pi) % (2 * math.pi) - math.pi


def _distance(goal: np.ndarray, root: RootState) -> float:
    return float(np.linalg.norm(goal - root.position[0].numpy()))


def _turned(point: torch.Tensor, angle: float) -> torch.Tensor:
    """Return a point (2,) of the floor, x and z, turned about the origin."""
    sine, cosine = math.sin(angle), math.cos(angle)
    return torch.stack([cosine * point[0] + sine * point[1], cosine * point[1] - sine * point[0]])
