"""RobotState and Trajectory: positions and velocities of a robot, at one moment and over time. z is up."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.robot import Robot


@dataclass(frozen=True, kw_only=True, eq=False)
class RobotState:
    """Positions and velocities of a robot at one moment.

    Attributes:
        root: position of the root link (3,), metres.
        rotation: rotation of the root link (4,).
        pose: of the joints (Q,): quaternions of balls, angles of hinges.
        linear: velocity of the root (3,), m/s.
        angular: angular velocity of the root (3,) in the world, rad/s.
        velocity: of the joints (A,), rad/s; a ball's in the frame of its link.
    """

    root: Array
    rotation: Array
    pose: Array
    linear: Array
    angular: Array
    velocity: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Trajectory:
    """T frames of a robot's motion.

    Attributes:
        robot: its description.
        fps: frames a second.
        root: positions of the root (T, 3), metres.
        rotation: rotations of the root (T, 4).
        pose: of the joints (T, Q).
    """

    robot: Robot
    fps: float
    root: Array
    rotation: Array
    pose: Array

    def __len__(self) -> int:
        return len(self.root)

    @property
    def seconds(self) -> float:
        """Duration from the first frame to the last, in seconds."""
        return (len(self) - 1) / self.fps

    def __getitem__(self, frames: slice) -> Self:
        return replace(self, root=self.root[frames], rotation=self.rotation[frames], pose=self.pose[frames])

    def resample(self, fps: float) -> Self:
        """Return the trajectory at another frame rate, interpolated, up to the last frame that still fits."""
        times = np.arange(int(self.seconds * fps + 1e-6) + 1) / fps * self.fps
        low = np.minimum(np.floor(times).astype(int), len(self) - 1)
        high = np.minimum(low + 1, len(self) - 1)
        part = times - low
        turn = self.robot.difference(self.pose[low], self.pose[high]) * part[:, None]
        return replace(
            self,
            fps=fps,
            root=self.root[low] + (self.root[high] - self.root[low]) * part[:, None],
            rotation=quaternion.slerp(self.rotation[low], self.rotation[high], part),
            pose=self.robot.integrate(self.pose[low], turn),
        )

    def moved(self, shift: Array) -> Self:
        """Return the trajectory moved by (3,) or (T, 3) metres."""
        return replace(self, root=self.root + shift)

    def states(self) -> list[RobotState]:
        """Return the frames as states; velocities are central differences."""
        linear = _rates(self.root, self.fps)
        angular = _turn_rates(self.rotation, self.fps)
        velocity = np.zeros((len(self), self.robot.dof))
        if len(self) > 1:
            step = self.robot.difference(self.pose[:-1], self.pose[1:]) * self.fps
            velocity = np.concatenate([step[:1], (step[1:] + step[:-1]) / 2, step[-1:]])
        return [
            RobotState(root=r, rotation=t, pose=p, linear=a, angular=w, velocity=v)
            for r, t, p, a, w, v in zip(
                self.root, self.rotation, self.pose, linear, angular, velocity, strict=True
            )
        ]


def _rates(values: Array, fps: float) -> Array:
    """Return rates of change (T, n): central differences, one-sided at the ends."""
    if len(values) < 2:
        return np.zeros_like(values)
    rates: Array = np.gradient(values, 1.0 / fps, axis=0)
    return rates


def _turn_rates(turns: Array, fps: float) -> Array:
    """Return angular velocities (T, 3), in the frame that the rotations (T, 4) are given in."""
    if len(turns) < 2:
        return np.zeros((len(turns), 3))
    step = quaternion.log(quaternion.multiply(turns[1:], quaternion.inverse(turns[:-1]))) * fps
    return np.concatenate([step[:1], (step[1:] + step[:-1]) / 2, step[-1:]])
