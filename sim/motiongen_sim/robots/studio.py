"""Pictures of a robot, and of its reference beside it, drawn as motiongen draws people: no GPU needed."""

import os
import sys
import time
from collections.abc import Sequence

import numpy as np
import pybullet
import pybullet_data
from numpy.typing import NDArray
from pybullet_utils.bullet_client import BulletClient

from motiongen.render.camera import view_axes
from motiongen.render.canvas import Canvas
from motiongen.render.scene import BACKGROUND, Scene
from motiongen.render.video import shrink
from motiongen_sim.robots import quaternion, shapes
from motiongen_sim.robots.bench import foot_heights, link_poses, standing
from motiongen_sim.robots.body import Body
from motiongen_sim.robots.bullet import silence
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.trajectory import State

GHOST = (0.80, 0.81, 0.83)
"""Colour of a reference."""
APART = 1.3
"""Metres from the robot to its reference."""
_FINE = 2  # drawn larger by this, then shrunk: the software display smooths no edges itself
_ORBIT = np.radians(35.0)
_DISTANCE, _AIM = 6.0, 0.74
"""How far the camera is, and how high it aims, in heights of the robot's pelvis when standing."""
_FOLLOW = 0.2


class Studio:
    """A floor, a robot on it, and a camera that follows.

    Args:
        robot: what is drawn.
        size: of the pictures, width and height in pixels.
        has_ghost: whether its reference is drawn beside it, in grey.
    """

    def __init__(self, robot: Robot, size: tuple[int, int], *, has_ghost: bool = False) -> None:
        self._puppets = [Puppet(robot, robot.colour)]
        if has_ghost:
            self._puppets.append(Puppet(robot, GHOST))
        self._canvas = Canvas((size[0] * _FINE, size[1] * _FINE), BACKGROUND)
        self._scene: Scene | None = None
        self._tall = -float(foot_heights(standing(robot))[0])
        self._yaw = 0.0
        self._target: Array | None = None

    def cut(self) -> None:
        """Begin a new scene: the camera goes to where the robot will be, at once."""
        self._target = None

    def draw(self, states: Sequence[State]) -> NDArray[np.uint8]:
        """Return a picture (height, width, 3) of the robot in a state, and of its reference in another."""
        if self._target is None:
            self._yaw = float(quaternion.yaw_of(states[0].rotation)) + _ORBIT
        away, right, _ = view_axes(self._yaw)
        count = len(self._puppets)
        for number, (puppet, state) in enumerate(zip(self._puppets, states, strict=True)):
            puppet.place(state, right * APART * (number - (count - 1) / 2))
        middle = _ours(states[0].root) * np.array([1.0, 0.0, 1.0]) + np.array([0.0, _AIM * self._tall, 0.0])
        # It follows softly: a camera that is fixed to a body makes the floor jitter.
        self._target = middle if self._target is None else self._target + _FOLLOW * (middle - self._target)
        if self._scene is None:
            self._scene = Scene(self._canvas, self._puppets)
        return shrink(self._scene.draw(0, self._target + _DISTANCE * self._tall * away, self._target), _FINE)

    def close(self) -> None:
        """Free the canvas."""
        self._canvas.close()


class Window:
    """A robot in PyBullet's own window, at the pace of life.

    Raises:
        ValueError: there is no display.
    """

    def __init__(self, robot: Robot, rate: float) -> None:
        if sys.platform == "linux" and not os.environ.get("DISPLAY"):
            # PyBullet would end the process.
            raise ValueError("gui: expected a display, got none; write a video instead: -o OUT.mp4")
        with silence():
            self._client = BulletClient(pybullet.GUI)
        self._client.setAdditionalSearchPath(pybullet_data.getDataPath())
        self._client.configureDebugVisualizer(self._client.COV_ENABLE_GUI, 0)
        self._client.loadURDF("plane.urdf")
        self._body, self._step, self._due = Body(self._client, robot), 1.0 / rate, time.monotonic()

    def show(self, state: State) -> None:
        """Show a state when it is due."""
        self._body.place(state)
        self._client.resetDebugVisualizerCamera(3.0, 60.0, -12.0, [*state.root[:2].tolist(), 0.8])
        self._due = max(self._due + self._step, time.monotonic() - self._step)
        time.sleep(max(0.0, self._due - time.monotonic()))

    def close(self) -> None:
        """Close it."""
        self._client.disconnect()


class Puppet:
    """A robot's shapes as a mesh that is put into states (a Character of motiongen.render).

    Args:
        robot: whose.
        colour: of all of it; the URDF's where it is None.
    """

    def __init__(self, robot: Robot, colour: shapes.Colour | None = None) -> None:
        self._robot = robot
        parts = shapes.parts(robot.text, robot.scale)
        sizes = [len(part.vertices) for part in parts]
        starts = np.cumsum([0, *sizes[:-1]])
        self.faces = np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=True)])
        colours = [np.tile(colour or part.colour, (len(part.vertices), 1)) for part in parts]
        self.colours = np.concatenate(colours).astype(np.float32)
        self._links = [part.link for part in parts]
        self._owner = np.repeat(np.arange(len(parts)), sizes)
        self._vertices = np.concatenate([part.vertices for part in parts])
        self._normals = np.concatenate([part.normals for part in parts])
        self._shown = np.zeros((2, len(self._vertices), 3), dtype=np.float32)

    def place(self, state: State, shift: Array) -> None:
        """Put it into a state, moved by `shift` (3,) in motiongen's axes."""
        places, turns = link_poses(self._robot, state, self._links)
        matrices = quaternion.matrices(turns)[self._owner]  # (V, 3, 3)
        vertices = np.einsum("vij,vj->vi", matrices, self._vertices) + places[self._owner]
        self._shown[0] = _ours(vertices) + shift
        self._shown[1] = _ours(np.einsum("vij,vj->vi", matrices, self._normals))

    def pose(self, frame: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return vertices (V, 3) and normals (V, 3) as they were placed last."""
        return self._shown[0], self._shown[1]


def _ours(vectors: Array) -> Array:
    """Return vectors (..., 3) of a robot's axes (x forward, z up) in motiongen's (x left, y up, z forward)."""
    turned: Array = vectors[..., [1, 2, 0]]
    return turned
