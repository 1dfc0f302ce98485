"""A rotation as the angles of up to three hinges in a row, whatever their axes are."""

from dataclasses import dataclass

import numpy as np

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.quaternion import Array

_LOCKED = 0.15
"""Sine of the angle between first and last axis under which they do nearly the same: then the first holds still."""
_OVER = 10.0
"""How much worse a radian beyond a limit is than a radian of movement."""


@dataclass(frozen=True, eq=False)
class Hinges:
    """One to three hinges in a row.

    Attributes:
        axes: (n, 3) unit vectors at zero angles, the first one's in the frame that the row hangs on.
        lower: (n,) radians.
        upper: (n,) radians.
    """

    axes: Array
    lower: Array
    upper: Array

    def rotation(self, angles: Array) -> Array:
        """Return the rotation (..., 4) that angles (..., n) make."""
        turn = np.broadcast_to(quaternion.IDENTITY, (*angles.shape[:-1], 4))
        for number, axis in enumerate(self.axes):
            turn = quaternion.multiply(turn, quaternion.exp(axis * angles[..., number, None]))
        return turn

    def solve(self, turns: Array, before: Array) -> Array:
        """Return angles (T, n), unclipped, that make rotations (T, 4), each as near as may be to those before it.

        Two hinges leave out what they cannot do: the turn about the axis across both. Of the two ways in which three
        hinges make a rotation, the one is taken that moves less and keeps to the limits.

        Args:
            turns: in the frame that the row hangs on.
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
            # Each as the turn of the circle that is nearest to the last one, and as that between the limits.
            options = np.concatenate([last + _wrap(way - last), middle + _wrap(way - middle)])  # (4, n)
            over = np.maximum(options - self.upper, 0.0) + np.maximum(self.lower - options, 0.0)
            best = int(np.argmin(np.abs(options - last).sum(axis=1) + _OVER * over.sum(axis=1)))
            held = apart[frame, best % 2] / _LOCKED
            last = options[best] if held >= 1.0 else self._held(options[best], turn, third, last, held)
            angles[frame] = last
        return angles

    def _held(self, angles: Array, turn: Array, third: Array, last: Array, held: float) -> Array:
        """Return angles whose first one moves by a share `held` squared alone; the last makes up for it."""
        one = last[0] + (angles[0] - last[0]) * held**2
        if len(self.axes) == 2:
            return np.array([one, angles[1]])
        rest = quaternion.multiply(quaternion.exp(-self.axes[0] * one), turn)
        rest = quaternion.multiply(quaternion.exp(-self.axes[1] * angles[1]), rest)
        return np.array([one, angles[1], last[2] + _wrap(_twist(rest, third) - last[2])])


def _ways(turns: Array, first: Array, second: Array, third: Array) -> tuple[Array, Array]:
    """Return the two ways (T, 2, 3) of three axes to make rotations (T, 4), nearest where they cannot.

    And the sine (T, 2) of the angle between the first axis and where the last one is put: near zero they do the same.

    Turned by all three, the third axis is where the first two put it: its part along the first axis depends on the
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
    """Return the angles (T,) about a unit axis (3,) or (T, 3) that bring `start` (T, 3) nearest to `end` (T, 3)."""
    across = np.sum(axis * quaternion.cross(start, end), axis=-1)
    along = np.sum(start * end, axis=-1) - np.sum(axis * start, axis=-1) * np.sum(axis * end, axis=-1)
    angles: Array = np.arctan2(across, along)
    return angles


def _twist(turns: Array, axis: Array) -> Array:
    """Return the angle (...) about a unit axis (3,) that is in rotations (..., 4)."""
    return _wrap(2 * np.arctan2(turns[..., :3] @ axis, turns[..., 3]))


def _wrap(angles: Array) -> Array:
    """Return the same angles in [-pi, pi)."""
    wrapped: Array = (angles + np.pi) % (2 * np.pi) - np.pi
    return wrapped
