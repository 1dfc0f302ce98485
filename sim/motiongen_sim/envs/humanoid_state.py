"""The state of HumanoidTrack: its numbers and their names."""

from collections.abc import Sequence

import numpy as np

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.trajectory import RobotState

AHEAD = 2
"""Frames of the reference in a state: the next one, and the one after it."""


def observe(robot: Robot, state: RobotState, goals: Sequence[RobotState]) -> Array:
    """Return a state (D,): the robot's own numbers, then for each goal the offset of its root and its numbers.

    Args:
        robot: its description.
        state: of the robot.
        goals: of the reference, in the next frames.
    """
    back = _heading(state)
    parts = [_describe(robot, state, back)]
    for goal in goals:
        parts += [quaternion.rotate(back, goal.root - state.root)[:2], _describe(robot, goal, back)]
    return np.concatenate(parts)


def state_names(robot: Robot) -> tuple[str, ...]:
    """Return the names of a state's numbers."""
    names = list(robot_names(robot))
    for ahead in range(1, AHEAD + 1):
        names += [f"goal{ahead}_offset_{axis}" for axis in "xy"] + _names(robot, f"goal{ahead}")
    return tuple(names)


def robot_names(robot: Robot) -> tuple[str, ...]:
    """Return the names of the robot's own numbers, which are the first ones of a state."""
    return tuple(_names(robot, "robot"))


def action_names(robot: Robot) -> tuple[str, ...]:
    """Return the names of an action's numbers, and of a velocity's."""
    return tuple(
        name
        for joint in robot.joints
        for name in ([f"{joint.name}_{axis}" for axis in "xyz"] if joint.is_ball else [joint.name])
    )


def _heading(state: RobotState) -> Array:
    """Return the rotation (4,) from the world into a robot's heading frame: x forward, z up."""
    return quaternion.inverse(quaternion.about_z(quaternion.yaw_of(state.rotation)))


def _describe(robot: Robot, state: RobotState, back: Array) -> Array:
    """Return a state's numbers in a heading frame."""
    return np.concatenate(
        [
            state.root[2:],
            quaternion.sixd(quaternion.multiply(back, state.rotation)),
            quaternion.rotate(back, state.linear),
            quaternion.rotate(back, state.angular),
            quaternion.sixd(state.pose[robot.ball_q]).ravel(),
            state.pose[robot.hinge_q],
            state.velocity,
        ]
    )


def _names(robot: Robot, whose: str) -> list[str]:
    names = ["height", *(f"rotation_{n}" for n in range(6))]
    names += [f"{kind}_{axis}" for kind in ("linear", "angular") for axis in "xyz"]
    names += [f"{joint.name}_{n}" for joint in robot.joints if joint.is_ball for n in range(6)]
    names += [joint.name for joint in robot.joints if not joint.is_ball]
    names += [f"{name}_velocity" for name in action_names(robot)]
    return [f"{whose}_{name}" for name in names]
