"""What a robot is to do, frame by frame: where its root is, and how its joints are turned. z is up."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.robot import Robot


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    """How a robot is at one moment.

    Attributes:
        root: where its root link is (3,), metres.
        rotation: how that is turned (4,).
        pose: its joints (Q,): quaternions of balls, angles of hinges.
        linear: the root's velocity (3,), m/s.
        angular: the root's angular velocity (3,) in the world, rad/s.
        velocity: the joints' (A,), rad/s; a ball's in the frame of its link.
    """

    root: Array
    rotation: Array
    pose: Array
    linear: Array
    angular: Array
    velocity: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Trajectory:
    """T frames of a robot, and their velocities.

    Attributes:
        robot: whose.
        fps: frames a second.
        root: (T, 3) metres.
        rotation: (T, 4) of the root.
        pose: (T, Q) joints.
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
        """From the first frame to the last."""
        return (len(self) - 1) / self.fps

    def __getitem__(self, frames: slice) -> Self:
        return replace(self, root=self.root[frames], rotation=self.rotation[frames], pose=self.pose[frames])

    def resample(self, fps: float) -> Self:
        """Return the trajectory at another rate, from its first frame to the last one that still fits."""
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
            pose=self.robot.turned(self.pose[low], turn),
        )

    def moved(self, shift: Array) -> Self:
        """Return the trajectory moved by (3,) or (T, 3) metres."""
        return replace(self, root=self.root + shift)

    def states(self) -> list[State]:
        """Return its frames with their velocities: differences over a frame to each side."""
        linear = _rates(self.root, self.fps)
        angular = _turn_rates(self.rotation, self.fps)
        velocity = np.zeros((len(self), self.robot.freedom))
        if len(self) > 1:
            step = self.robot.difference(self.pose[:-1], self.pose[1:]) * self.fps
            velocity = np.concatenate([step[:1], (step[1:] + step[:-1]) / 2, step[-1:]])
        return [
            State(root=r, rotation=t, pose=p, linear=a, angular=w, velocity=v)
            for r, t, p, a, w, v in zip(
                self.root, self.rotation, self.pose, linear, angular, velocity, strict=True
            )
        ]


def _rates(values: Array, fps: float) -> Array:
    """Return (T, n) rates of change: half the way between the neighbours, one-sided at the ends."""
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
