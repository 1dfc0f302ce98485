"""Hinges: closed-form inverse kinematics of up to three hinges in series, about any axes."""

from dataclasses import dataclass

import numpy as np

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.quaternion import Array

_LOCKED = 0.15
"""Sine of the angle between the first and the last axis below which the hinges are near gimbal lock."""
_OVER = 10.0
"""Cost of a radian beyond a limit, in radians of movement."""


@dataclass(frozen=True, eq=False)
class Hinges:
    """One to three hinges in series.

    Attributes:
        axes: (n, 3) unit vectors at zero angles, the first one in the frame of the parent link.
        lower: (n,) lower limits, radians.
        upper: (n,) upper limits, radians.
    """

    axes: Array
    lower: Array
    upper: Array

    def rotation(self, angles: Array) -> Array:
        """Return the rotations (..., 4) of angles (..., n)."""
        turn = np.broadcast_to(quaternion.IDENTITY, (*angles.shape[:-1], 4))
        for number, axis in enumerate(self.axes):
            turn = quaternion.multiply(turn, quaternion.exp(axis * angles[..., number, None]))
        return turn

    def solve(self, turns: Array, before: Array) -> Array:
        """Return angles (T, n), not clipped to the limits, for rotations (T, 4), continuous over the frames.

        Two hinges leave out the rotation about the axis across both. Three hinges have two solutions; the one is chosen
        that moves less and keeps to the limits.

        Args:
            turns: (T, 4) in the frame of the parent link.
            before: (n,) angles before the first frame.
        """
        if len(self.axes) == 1:
            return _twist(turns, self.axes[0])[:, None]
        third = self.axes[2] if len(self.axes) == 3 else np.cross(*self.axes)
        ways, apart = _ways(turns, self.axes[0], self.axes[1], third)  # (T, 2, 3), (T, 2)
        middle = (self.lower + self.upper) / 2
        angles, last = np.empty((len(turns), len(self.axes))), before
        for frame, turn in enumerate(turns):
            way = ways[frame, :, : len(self.axes)]
            # Of angles that differ by full turns: the nearest to the last one, and to the middle of the limits.
            options = np.concatenate([last + _wrap(way - last), middle + _wrap(way - middle)])  # (4, n)
            over = np.maximum(options - self.upper, 0.0) + np.maximum(self.lower - options, 0.0)
            best = int(np.argmin(np.abs(options - last).sum(axis=1) + _OVER * over.sum(axis=1)))
            held = apart[frame, best % 2] / _LOCKED
            last = options[best] if held >= 1.0 else self._held(options[best], turn, third, last, held)
            angles[frame] = last
        return angles

    def _held(self, angles: Array, turn: Array, third: Array, last: Array, held: float) -> Array:
        """Return angles near gimbal lock: the first one moves by the share `held` squared, the last makes up for it."""
        one = last[0] + (angles[0] - last[0]) * held**2
        if len(self.axes) == 2:
            return np.array([one, angles[1]])
        rest = quaternion.multiply(quaternion.exp(-self.axes[0] * one), turn)
        rest = quaternion.multiply(quaternion.exp(-self.axes[1] * angles[1]), rest)
        return np.array([one, angles[1], last[2] + _wrap(_twist(rest, third) - last[2])])


def _ways(turns: Array, first: Array, second: Array, third: Array) -> tuple[Array, Array]:
    """Return both solutions (T, 2, 3) for rotations (T, 4) about three axes, the nearest where there is none.

    Also returns the sine (T, 2) of the angle between the first and the rotated last axis: near zero is gimbal lock.

    The rotated third axis depends on the first two angles alone: its part along the first axis depends on the
    second angle alone, as a cosine (Davenport, "Rotations about nonorthogonal axes", 1973).
    """
    put = quaternion.rotate(turns, np.broadcast_to(third, (len(turns), 3)))
    constant = (first @ second) * (second @ third)
    cosine, sine = first @ third - constant, first @ quaternion.cross(second, third)
    reach = np.clip((put @ first - constant) / np.hypot(cosine, sine), -1.0, 1.0)
    ways, apart = np.empty((len(turns), 2, 3)), np.empty((len(turns), 2))
    for number, sign in enumerate((1.0, -1.0)):
        two = _wrap(np.arctan2(sine, cosine) + sign * np.arccos(reach))
        start = quaternion.rotate(
            quaternion.exp(second * two[:, None]), np.broadcast_to(third, (len(turns), 3))
        )
        one = angle_about(first, start, put)
        rest = quaternion.multiply(quaternion.exp(-first * one[:, None]), turns)
        rest = quaternion.multiply(quaternion.exp(-second * two[:, None]), rest)
        ways[:, number] = np.stack([one, two, _twist(rest, third)], axis=-1)
        apart[:, number] = np.linalg.norm(quaternion.cross(first, start), axis=-1)
    return ways, apart


def angle_about(axis: Array, start: Array, end: Array) -> Array:
    """Return the angles (T,) about an axis that rotate vectors nearest to others.

    Args:
        axis: unit (3,) or (T, 3).
        start: unit vectors (T, 3).
        end: unit vectors (T, 3).
    """
    across = np.sum(axis * quaternion.cross(start, end), axis=-1)
    along = np.sum(start * end, axis=-1) - np.sum(axis * start, axis=-1) * np.sum(axis * end, axis=-1)
    angles: Array = np.arctan2(across, along)
    return angles


def _twist(turns: Array, axis: Array) -> Array:
    """Return the twist angle (...) of rotations (..., 4) about a unit axis (3,)."""
    return _wrap(2 * np.arctan2(turns[..., :3] @ axis, turns[..., 3]))


def _wrap(angles: Array) -> Array:
    """Return the same angles in [-pi, pi)."""
    wrapped: Array = (angles + np.pi) % (2 * np.pi) - np.pi
    return wrapped
