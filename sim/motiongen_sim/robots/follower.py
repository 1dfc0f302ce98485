"""A robot that follows goals as they come: each is glided to over a frame, and what the joints lack is made up for."""

from dataclasses import replace

import numpy as np

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.bullet import SIMULATION_RATE
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.trajectory import State
from motiongen_sim.robots.world import World

GAIN = 0.3
"""Share of what a joint lacks that is added to its correction, frame by frame."""
LEAK = 0.9
"""Share of the correction that is kept from a frame to the next."""
MOST = 0.35
"""Radians of correction at most."""


class Correction:
    """What joints are asked for beyond their goals: a PD controller holds a weight only by being off its target.

    It learns how far from what each joint lacked in the frames before, and leaves gravity and inertia little to take
    away.
    """

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self._radians = np.zeros(robot.freedom)

    def reset(self) -> None:
        """Forget it."""
        self._radians = np.zeros_like(self._radians)

    def after(self, pose: Array, goal: Array) -> Array:
        """Return the correction (A,) after a frame that ended in a pose (Q,) in place of its goal (Q,)."""
        lacking = self._robot.difference(pose, goal)
        self._radians = np.clip(LEAK * self._radians + GAIN * lacking, -MOST, MOST)
        return self._radians


def glide(robot: Robot, start: State, end: State, steps: int) -> list[State]:
    """Return `steps` states on the way from one to another, at an even speed; the last is the end."""
    seconds = steps / SIMULATION_RATE
    turn = robot.difference(start.pose, end.pose)
    swing = quaternion.log(quaternion.multiply(end.rotation, quaternion.inverse(start.rotation)))
    parts = np.arange(1, steps + 1)[:, None] / steps
    poses = robot.turned(start.pose, turn * parts)
    rotations = quaternion.multiply(quaternion.exp(swing * parts), start.rotation)
    return [
        State(
            root=root,
            rotation=rotation,
            pose=pose,
            linear=(end.root - start.root) / seconds,
            angular=swing / seconds,
            velocity=turn / seconds,
        )
        for root, rotation, pose in zip(
            start.root + (end.root - start.root) * parts, rotations, poses, strict=True
        )
    ]


class Follower:
    """Drives a world's robot from goal to goal.

    Args:
        world: whose robot.
        start: the goal that it is put into at once.
    """

    def __init__(self, world: World, start: State) -> None:
        self._world, self._robot = world, world.robot
        self._correction = Correction(world.robot)
        self._goal = self._target = start
        world.place(start)

    def follow(self, goal: State, steps: int) -> State:
        """Simulate `steps` physics steps in which the robot is to reach a goal, and return the state it is in."""
        correction = self._correction.after(self._world.state.pose, self._goal.pose)
        pose = self._robot.turned(goal.pose, correction)
        target = replace(goal, pose=self._robot.pose_within_limits(pose))
        self._world.advance(glide(self._robot, self._target, target, steps))
        self._goal, self._target = goal, target
        return self._world.state
