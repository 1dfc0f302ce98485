"""A pose of the whole body that a character comes to at a time ahead, and leaves again."""

import math
from dataclasses import dataclass

import numpy as np

from motiongen.features import FPS
from motiongen.streaming.single_pose import Quat, blend, multiply, yaw

COMES, STAYS, LEAVES = 0.9, 0.1, 0.7
"""Seconds in which a pose is come to, is held, and is left."""


@dataclass
class PoseAhead:
    """A pose to come to.

    Attributes:
        rotations: (22, 4) local rotations, that of the root without its heading.
        height: of the root over the floor, metres.
        left: frames to its time; negative after it.
    """

    rotations: np.ndarray
    height: float
    left: int

    @classmethod
    def of(cls, rotations: np.ndarray, height: float, seconds: float) -> "PoseAhead":
        """Return a pose at a time from now.

        Args:
            rotations: (22, 4) local rotations.
            height: of the root over the floor, metres.
            seconds: time to it.
        """
        upright = rotations.copy()
        root = _quat(rotations[0])
        upright[0] = multiply(yaw(-2 * math.atan2(root[1], root[3])), root)
        return cls(upright, height, max(1, round(seconds * FPS)))

    @property
    def is_over(self) -> bool:
        """Whether it has been left."""
        return self.left < -(STAYS + LEAVES) * FPS

    @property
    def settles(self) -> bool:
        """Whether feet go to the places that the pose has them at."""
        return -STAYS * FPS <= self.left < COMES * FPS

    def apply(self, rotations: np.ndarray, root: np.ndarray, heading: float) -> None:
        """Bring a frame as near to the pose as its time says.

        Args:
            rotations: local rotations (22, 4), changed in place.
            root: (3,) metres, changed in place.
            heading: of the character, radians.
        """
        self.left -= 1
        if self.left >= 0:
            share = _eased(1 - self.left / (COMES * FPS))
        else:
            share = _eased(1 - (-self.left - STAYS * FPS) / (LEAVES * FPS))
        if share <= 0:
            return
        now, turned = _quat(rotations[0]), yaw(heading)
        rotations[0] = blend(now, multiply(turned, _quat(self.rotations[0])), share)
        near = np.where((rotations[1:] * self.rotations[1:]).sum(axis=-1, keepdims=True) < 0, -1.0, 1.0)
        mixed = (1 - share) * rotations[1:] + share * near * self.rotations[1:]
        rotations[1:] = mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)
        root[1] += (self.height - root[1]) * share


def _eased(done: float) -> float:
    done = min(max(done, 0.0), 1.0)
    return done**3 * (10 - 15 * done + 6 * done * done)


def _quat(values: np.ndarray) -> Quat:
    x, y, z, w = values.tolist()
    return x, y, z, w
