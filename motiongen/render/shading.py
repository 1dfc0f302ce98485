"""Lighting computed as vertex colours, which looks the same on every display, with shaders or without.

Hemispheric light from above, a key light from the camera's upper left, and a rim light that sets off the outline.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_STEPS = 2048
_TO_SRGB = np.round(np.clip(np.linspace(0.0, 1.0, _STEPS), 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)


@dataclass(frozen=True, kw_only=True)
class Light:
    """The lights of a scene: the key light's direction, and the linear colour or strength of each light."""

    key: tuple[float, float, float] = (-0.36, 0.85, 0.38)
    """Direction towards the key light in the camera's frame: right, up, towards the viewer."""
    key_colour: tuple[float, float, float] = (0.92, 0.88, 0.82)
    sky_colour: tuple[float, float, float] = (0.43, 0.45, 0.49)
    ground_colour: tuple[float, float, float] = (0.20, 0.19, 0.19)
    rim: float = 0.22
    shine: float = 0.06

    def direction(self, yaw: float) -> Array:
        """Return the unit direction (3,) to the key light in the world, with the camera at `yaw` radians about +Y."""
        right, up, near = self.key
        x, z = right * np.cos(yaw) + near * np.sin(yaw), -right * np.sin(yaw) + near * np.cos(yaw)
        return np.asarray(np.array([x, up, z]) / np.linalg.norm(self.key), dtype=np.float32)


def to_linear(colours: Array) -> Array:
    """Return the linear colours of sRGB colours in [0, 1]."""
    return np.asarray(np.clip(colours, 0, 1) ** 2.2, dtype=np.float32)


def shade(
    colours: Array, vertices: Array, normals: Array, eye: Array, key: Array, light: Light
) -> NDArray[np.uint8]:
    """Return lit sRGB vertex colours (V, 3), 0 to 255.

    Args:
        colours: (V, 3) linear surface colours.
        vertices: (V, 3) metres.
        normals: (V, 3) unit.
        eye: (3,) position of the camera, metres.
        key: (3,) unit direction towards the key light.
        light: strengths and colours.
    """
    view = eye - vertices
    view *= 1.0 / np.sqrt(np.einsum("vc,vc->v", view, view))[:, None]
    facing = np.clip(np.einsum("vc,vc->v", normals, view), 0.0, 1.0)
    half = view + key
    half *= 1.0 / np.sqrt(np.einsum("vc,vc->v", half, half))[:, None]
    up = 0.5 + 0.5 * normals[:, 1]
    # Wrapped diffuse: the light reaches a little past the terminator, as on skin or cloth.
    diffuse = np.clip((normals @ key + 0.25) / 1.25, 0.0, 1.0) ** 1.5
    shine = np.clip(np.einsum("vc,vc->v", normals, half), 0.0, 1.0) ** 24 * light.shine
    rim = (1.0 - facing) ** 3 * (0.35 + 0.65 * up) * light.rim
    weights = np.stack([1.0 - up, up, diffuse], axis=1)  # (V, 3)
    lamps = np.array([light.ground_colour, light.sky_colour, light.key_colour], dtype=np.float32)
    lit = colours * (weights @ lamps)
    lit += (shine + rim)[:, None]
    shades: NDArray[np.uint8] = _TO_SRGB[np.minimum(lit * (_STEPS - 1), _STEPS - 1).astype(np.int32)]
    return shades
