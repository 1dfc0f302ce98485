"""RobotRenderer: pictures of a robot, and of its reference beside it, without a GPU."""

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
from motiongen_sim.robots.body import Body
from motiongen_sim.robots.bullet import silence
from motiongen_sim.robots.measurement import foot_heights, link_poses, standing
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.trajectory import RobotState

REFERENCE_COLOUR = (0.80, 0.81, 0.83)
"""Colour of the reference robot."""
REFERENCE_OFFSET = 1.3
"""Distance from the robot to the reference robot, in metres."""
_FINE = 2  # drawn larger by this, then shrunk: the software display smooths no edges itself
_ORBIT = np.radians(35.0)
_DISTANCE, _AIM = 6.0, 0.74
"""Distance of the camera and height that it aims at, in heights of the standing robot's pelvis."""
_FOLLOW = 0.2


class RobotRenderer:
    """Draws a robot on a floor, by a camera that follows it.

    Args:
        robot: its description.
        size: width and height of the pictures, in pixels.
        with_reference: draw a second robot beside it, in grey, in the state of the reference.
    """

    def __init__(self, robot: Robot, size: tuple[int, int], *, with_reference: bool = False) -> None:
        self._meshes = [RobotMesh(robot, robot.colour)]
        if with_reference:
            self._meshes.append(RobotMesh(robot, REFERENCE_COLOUR))
        self._canvas = Canvas((size[0] * _FINE, size[1] * _FINE), BACKGROUND)
        self._scene: Scene | None = None
        self._tall = -float(foot_heights(standing(robot))[0])
        self._yaw = 0.0
        self._target: Array | None = None

    def reset_camera(self) -> None:
        """Let the camera start at the robot's next position, and not follow it there from the last one."""
        self._target = None

    def draw(self, states: Sequence[RobotState]) -> NDArray[np.uint8]:
        """Return a picture (height, width, 3).

        Args:
            states: of the robot, and of the reference where it is drawn.
        """
        if self._target is None:
            self._yaw = float(quaternion.yaw_of(states[0].rotation)) + _ORBIT
        away, right, _ = view_axes(self._yaw)
        count = len(self._meshes)
        for number, (mesh, state) in enumerate(zip(self._meshes, states, strict=True)):
            mesh.set_state(state, right * REFERENCE_OFFSET * (number - (count - 1) / 2))
        middle = _ours(states[0].root) * np.array([1.0, 0.0, 1.0]) + np.array([0.0, _AIM * self._tall, 0.0])
        # It follows softly: a camera that is fixed to a body makes the floor jitter.
        self._target = middle if self._target is None else self._target + _FOLLOW * (middle - self._target)
        if self._scene is None:
            self._scene = Scene(self._canvas, self._meshes)
        return shrink(self._scene.draw(0, self._target + _DISTANCE * self._tall * away, self._target), _FINE)

    def close(self) -> None:
        """Free the canvas."""
        self._canvas.close()


class LiveWindow:
    """Shows a robot in PyBullet's own window, in real time.

    Args:
        robot: its description.
        rate: states shown a second.

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

    def show(self, state: RobotState) -> None:
        """Show a state; waits until it is due."""
        self._body.set_state(state)
        self._client.resetDebugVisualizerCamera(3.0, 60.0, -12.0, [*state.root[:2].tolist(), 0.8])
        self._due = max(self._due + self._step, time.monotonic() - self._step)
        time.sleep(max(0.0, self._due - time.monotonic()))

    def close(self) -> None:
        """Close the window."""
        self._client.disconnect()


class RobotMesh:
    """The shapes of a robot as one posed mesh, a Character of motiongen.render.

    Args:
        robot: its description.
        colour: of the whole mesh, sRGB; the URDF's colours where it is None.
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

    def set_state(self, state: RobotState, shift: Array) -> None:
        """Pose the mesh.

        Args:
            state: of the robot.
            shift: (3,) metres in motiongen's axes, added to all vertices.
        """
        positions, rotations = link_poses(self._robot, state, self._links)
        matrices = quaternion.matrices(rotations)[self._owner]  # (V, 3, 3)
        vertices = np.einsum("vij,vj->vi", matrices, self._vertices) + positions[self._owner]
        self._shown[0] = _ours(vertices) + shift
        self._shown[1] = _ours(np.einsum("vij,vj->vi", matrices, self._normals))

    def pose(self, frame: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return vertices (V, 3) and normals (V, 3) of the state that was set last; the frame is not used."""
        return self._shown[0], self._shown[1]


def _ours(vectors: Array) -> Array:
    """Return vectors (..., 3) given in a robot's axes (x forward, z up) in motiongen's (x left, y up, z forward)."""
    turned: Array = vectors[..., [1, 2, 0]]
    return turned
