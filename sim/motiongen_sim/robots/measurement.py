"""Forward kinematics of robots: positions of feet, links and the centre of mass in given states."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.body import Body
from motiongen_sim.robots.bullet import connect
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.trajectory import RobotState, Trajectory

SUSPENDED_CLEARANCE = 0.1
"""Distance from the feet to the floor, in metres, when the pelvis of a standing robot is fixed."""


def suspended(trajectory: Trajectory) -> Trajectory:
    """Return a trajectory moved to where a robot with a fixed pelvis is held: feet a little over the floor."""
    height = SUSPENDED_CLEARANCE - float(foot_heights(standing(trajectory.robot))[0])
    return trajectory.moved(np.array([0.0, 0.0, height]) - trajectory.root[:1])


def standing(robot: Robot) -> Trajectory:
    """Return a trajectory of one frame: the zero pose, upright, the root at the origin."""
    turn = quaternion.IDENTITY[None]
    return Trajectory(robot=robot, fps=1.0, root=np.zeros((1, 3)), rotation=turn, pose=robot.zero_pose[None])


def foot_heights(trajectory: Trajectory) -> Array:
    """Return the height of the lowest point of the feet in each frame (T,), in metres."""
    body = _measuring_body(trajectory.robot)
    heights = np.empty(len(trajectory))
    for frame, state in enumerate(trajectory.states()):
        body.set_state(state)
        heights[frame] = body.lowest_foot_point()
    return heights


def measure(robot: Robot, states: Sequence[RobotState]) -> tuple[Array, Array]:
    """Return the positions of the end effectors (T, 4, 3) and of the centre of mass (T, 3), in metres.

    Args:
        robot: its description.
        states: T states.
    """
    body = _measuring_body(robot)
    tips, centres = np.empty((len(states), len(robot.end_effectors), 3)), np.empty((len(states), 3))
    for frame, state in enumerate(states):
        body.set_state(state)
        tips[frame], centres[frame] = body.end_effectors(), body.centre_of_mass()
    return tips, centres


def link_poses(robot: Robot, state: RobotState, links: Sequence[str]) -> tuple[Array, Array]:
    """Return positions (L, 3), in metres, and rotations (L, 4) of links in a state.

    Args:
        robot: its description.
        state: of the robot.
        links: names of the links; the root link is named as in the URDF.
    """
    body = _measuring_body(robot)
    body.set_state(state)
    return body.link_poses(links)


@cache
def _measuring_body(robot: Robot) -> Body:
    """Return the robot's body in a physics server that is kept for measuring alone."""
    return Body(connect(), robot, is_bare=True)
