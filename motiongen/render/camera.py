"""The camera of a clip: one distance and direction for all frames, and a target that follows smoothly."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FIELD_OF_VIEW = np.radians(28.0)
"""Vertical field of view, radians: a long lens, which keeps a body's proportions."""
# Angle between the camera and the direction that the character faces: larger when it walks, so that steps show.
_ORBIT, _ORBIT_TRAVELLING = np.radians(32.0), np.radians(50.0)
_TRAVELS = 1.0  # metres
_PITCH = np.radians(13.0)
_FOLLOW_SECONDS = 0.5
_MARGIN = 0.10  # metres around the joints: flesh, and some room


@dataclass(frozen=True)
class CameraPath:
    """The camera of each frame of a clip.

    Attributes:
        targets: (T, 3) the point looked at, metres.
        offset: (3,) from the target to the camera, metres.
    """

    targets: Array
    offset: Array

    def eye(self, frame: int) -> Array:
        """Return the camera's position (3,) at a frame, metres."""
        return np.asarray(self.targets[frame] + self.offset)


def plan_camera(
    points: Array, centres: Array, yaw: float, fps: float, aspect: float, foot: float = 0.0
) -> CameraPath:
    """Return a camera path that keeps every point in the picture.

    Args:
        points: (T, P, 3) points that must be seen, metres.
        centres: (T, 3) points that the target follows over the floor, metres.
        yaw: direction of the camera, radians about +Y; 0 is on +Z.
        fps: frames a second.
        aspect: width over height of the picture.
        foot: share of the picture's height left free below, for a caption.
    """
    away, right, up = view_axes(yaw)
    targets = _smooth(centres, _FOLLOW_SECONDS * fps)
    low, high = min(points[..., 1].min(), 0.0), points[..., 1].max()
    low -= foot / (1 - foot) * (high - low)
    targets[:, 1] = (low + high) / 2
    seen = points - targets[:, None]  # (T, P, 3)
    depth, tangent = seen @ away, np.tan(FIELD_OF_VIEW / 2)
    across = (np.abs(seen @ right) + _MARGIN) / (tangent * aspect)
    over, under = (seen @ up + _MARGIN) / tangent, (_MARGIN - seen @ up) / (tangent * (1 - 2 * foot))
    distance = float((depth + np.maximum(across, np.maximum(over, under))).max())
    return CameraPath(targets=targets, offset=away * distance)


def view_yaw(headings: Array, centres: Array) -> float:
    """Return the direction of the camera, radians about +Y, for a character with headings (T,) at centres (T, 3)."""
    mean = np.exp(1j * headings).mean()
    # The mean heading, or the first one where the character turns around itself.
    heading = np.angle(mean) if abs(mean) > 0.7 else headings[0]
    travels = float(np.ptp(centres[:, [0, 2]], axis=0).max()) > _TRAVELS
    return float(heading + (_ORBIT_TRAVELLING if travels else _ORBIT))


def view_axes(yaw: float) -> tuple[Array, Array, Array]:
    """Return unit vectors (3,) towards the camera, to its right and up, for a camera in the direction `yaw`."""
    away = np.array([np.sin(yaw) * np.cos(_PITCH), np.sin(_PITCH), np.cos(yaw) * np.cos(_PITCH)])
    right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
    return away, right, np.cross(away, right)


def _smooth(values: Array, sigma: float) -> Array:
    """Return values (T, C) smoothed by a Gaussian of `sigma` frames, with the first and last value repeated."""
    reach = max(1, int(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-6)) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel, mode="valid") for column in padded.T], axis=1)
