"""Follower: drives a robot from target state to target state, with an integral term against steady errors."""

from dataclasses import replace

import numpy as np

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.bullet import SIMULATION_RATE
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.trajectory import RobotState
from motiongen_sim.robots.world import World

GAIN = 0.3
"""Integral gain: share of the joint error that is added to the correction in each frame."""
LEAK = 0.9
"""Share of the correction that is kept from one frame to the next (a leaky integrator)."""
MOST = 0.35
"""Largest correction, in radians."""


class Correction:
    """Integral term of the joints' targets (a leaky, clipped integrator).

    A PD controller holds a weight only with an error; adding the error of the frames before to the target removes most
    of it.

    Args:
        robot: its description.
    """

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self._radians = np.zeros(robot.dof)

    def reset(self) -> None:
        """Set the correction to zero."""
        self._radians = np.zeros_like(self._radians)

    def after(self, pose: Array, goal: Array) -> Array:
        """Return the correction (A,) for the next target, in radians.

        Args:
            pose: (Q,) that the last frame ended in.
            goal: (Q,) that it should have ended in.
        """
        lacking = self._robot.difference(pose, goal)
        self._radians = np.clip(LEAK * self._radians + GAIN * lacking, -MOST, MOST)
        return self._radians


def interpolate(robot: Robot, start: RobotState, end: RobotState, steps: int) -> list[RobotState]:
    """Return states between two states at constant velocity.

    Args:
        robot: its description.
        start: left out of the result.
        end: the last one of the result.
        steps: number of states, one for each physics step.
    """
    seconds = steps / SIMULATION_RATE
    turn = robot.difference(start.pose, end.pose)
    swing = quaternion.log(quaternion.multiply(end.rotation, quaternion.inverse(start.rotation)))
    parts = np.arange(1, steps + 1)[:, None] / steps
    poses = robot.integrate(start.pose, turn * parts)
    rotations = quaternion.multiply(quaternion.exp(swing * parts), start.rotation)
    return [
        RobotState(
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
    """Drives a robot from target state to target state.

    Args:
        world: the simulation with the robot.
        start: the state that the robot begins in.
    """

    def __init__(self, world: World, start: RobotState) -> None:
        self._world, self._robot = world, world.robot
        self._correction = Correction(world.robot)
        self._goal = self._target = start
        world.set_state(start if world.balance is None else world.balance.stance(start))

    def follow(self, goal: RobotState, steps: int) -> RobotState:
        """Simulate the way to a target state, and return the state that is reached.

        Args:
            goal: the target.
            steps: physics steps.
        """
        target = goal
        if self._world.balance is None:  # it knows the weights that it holds, and its legs go their own ways
            correction = self._correction.after(self._world.state.pose, self._goal.pose)
            pose = self._robot.integrate(goal.pose, correction)
            target = replace(goal, pose=self._robot.pose_within_limits(pose))
        self._world.advance(interpolate(self._robot, self._target, target, steps))
        self._goal, self._target = goal, target
        return self._world.state
