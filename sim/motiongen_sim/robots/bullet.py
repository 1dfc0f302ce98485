"""PyBullet without its output: physics servers, undoing of steps, and a camera that needs no GPU."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@contextmanager
def silence() -> Iterator[None]:
    """Discard the output of C code on stdout and stderr while the block runs."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(stream, os.dup(stream)) for stream in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for stream, _ in kept:
            os.dup2(nowhere, stream)
        yield
    finally:
        for stream, copy in kept:
            os.dup2(copy, stream)
            os.close(copy)
        os.close(nowhere)


with silence():  # it prints its build time when it is imported
    import pybullet
    import pybullet_data
    from pybullet_utils.bullet_client import BulletClient

SIMULATION_RATE = 240
"""Physics steps a second: PyBullet's default, which its solver is tuned for."""


def connect() -> Any:
    """Return a new physics server: pybullet's functions as methods, with gravity and its data path set.

    Overlapping pairs are kept in one order, so that a world put back into a state goes on exactly as before.
    `disconnect()` frees it; so does losing the last reference.
    """
    with silence():
        client = BulletClient(pybullet.DIRECT)
    client.setAdditionalSearchPath(pybullet_data.getDataPath())
    client.setGravity(0.0, 0.0, -9.81)
    client.setPhysicsEngineParameter(fixedTimeStep=1.0 / SIMULATION_RATE, deterministicOverlappingPairs=1)
    return client


@contextmanager
def undone(client: Any) -> Iterator[None]:
    """Put all bodies back into the state they had when the block began. Motors keep their last targets."""
    state = client.saveState()
    try:
        yield
    finally:
        client.restoreState(state)
        client.removeState(state)


def yaw_quaternion(yaw: float) -> list[float]:
    """Return the quaternion (x, y, z, w) of a rotation by `yaw` radians about z."""
    return [0.0, 0.0, float(np.sin(yaw / 2)), float(np.cos(yaw / 2))]


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A pinhole camera that looks from one point at another; z is up.

    Attributes:
        eye: position of the camera, in metres.
        target: point that it looks at, in metres.
        field_of_view: vertical, in degrees.
        aspect: width of the view, in heights; the picture's own for None, and with another its pixels are not square.
        light: direction towards the light.
    """

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    field_of_view: float = 40.0
    aspect: float | None = None
    light: tuple[float, float, float] = (0.6, -0.4, 1.0)

    def render(self, client: Any, width: int, height: int, *, shadow: bool = True) -> NDArray[np.uint8]:
        """Return a picture (height, width, 3), drawn by PyBullet's software renderer.

        Args:
            client: the physics server.
            width: in pixels.
            height: in pixels.
            shadow: draw shadows, which takes longer.
        """
        view = client.computeViewMatrix(self.eye, self.target, (0.0, 0.0, 1.0))
        aspect = self.aspect or width / height
        projection = client.computeProjectionMatrixFOV(self.field_of_view, aspect, 0.05, 10.0)
        pixels = client.getCameraImage(
            width,
            height,
            viewMatrix=view,
            projectionMatrix=projection,
            lightDirection=self.light,
            shadow=int(shadow),
            renderer=pybullet.ER_TINY_RENDERER,
        )[2]
        rgba = np.asarray(pixels, dtype=np.uint8).reshape(height, width, 4)
        return np.ascontiguousarray(rgba[..., :3])
