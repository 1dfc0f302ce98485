"""Where a robot's parts are in a pose: measured on a body that is put into it, in a world of its own."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.body import Body
from motiongen_sim.robots.bullet import connect
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.trajectory import State, Trajectory

HANGING = 0.1
"""Metres from the feet to the floor when the pelvis of a standing robot is bolted down."""


def hung(trajectory: Trajectory) -> Trajectory:
    """Return the trajectory of a robot whose pelvis is bolted down: its feet hang a little over the floor."""
    height = HANGING - float(foot_heights(standing(trajectory.robot))[0])
    return trajectory.moved(np.array([0.0, 0.0, height]) - trajectory.root[:1])


def standing(robot: Robot) -> Trajectory:
    """Return one frame of the zero pose, upright at the origin."""
    turn = quaternion.IDENTITY[None]
    return Trajectory(robot=robot, fps=1.0, root=np.zeros((1, 3)), rotation=turn, pose=robot.zero_pose[None])


def foot_heights(trajectory: Trajectory) -> Array:
    """Return how high the lowest point of the feet is in each frame (T,), metres."""
    body = _bench(trajectory.robot)
    heights = np.empty(len(trajectory))
    for frame, state in enumerate(trajectory.states()):
        body.place(state)
        heights[frame] = body.lowest()
    return heights


def measure(robot: Robot, states: Sequence[State]) -> tuple[Array, Array]:
    """Return where hands and feet (T, 4, 3) and the centre of mass (T, 3) are in each state, metres."""
    body = _bench(robot)
    tips, centres = np.empty((len(states), len(robot.tips), 3)), np.empty((len(states), 3))
    for frame, state in enumerate(states):
        body.place(state)
        tips[frame], centres[frame] = body.tips(), body.centre_of_mass()
    return tips, centres


def link_poses(robot: Robot, state: State, links: Sequence[str]) -> tuple[Array, Array]:
    """Return where links are (L, 3), and how they are turned (L, 4), in a state; the root's frame is its link's."""
    body = _bench(robot)
    body.place(state)
    return body.link_poses(links)


@cache
def _bench(robot: Robot) -> Body:
    """A body to measure poses by, in a world of its own."""
    return Body(connect(), robot, is_bare=True)
