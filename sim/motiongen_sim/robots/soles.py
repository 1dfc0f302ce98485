"""Soles: where the feet of a robot touch the floor."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pybullet import GEOM_BOX

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.body import Body
from motiongen_sim.robots.dynamics import Dynamics, Motions
from motiongen_sim.robots.measurement import standing
from motiongen_sim.robots.quaternion import Array

_THICK = 0.02
"""Points of a foot up to this far over its lowest one belong to its sole, in metres."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sole:
    """A foot's sole at one moment.

    Attributes:
        row: the foot's row in `Motions`.
        corners: (C, 3), metres.
        turn: rotation matrix (3, 3) from flat on the floor, heading along x.
    """

    row: int
    corners: Array
    turn: Array

    @cached_property
    def centre(self) -> Array:
        """Mean of the corners (3,), metres."""
        middle: Array = self.corners.sum(axis=0) / len(self.corners)
        return middle

    def inner(self, share: float) -> Array:
        """Return the corners (C, 3) of a share of the sole about its middle."""
        corners: Array = self.centre + share * (self.corners - self.centre)
        return corners

    @property
    def yaw(self) -> float:
        """Where the foot heads, in radians about z."""
        return float(np.arctan2(self.turn[1, 0], self.turn[0, 0]))


class Soles:
    """The soles of a robot's feet.

    Args:
        body: the robot; its state is changed.
        dynamics: of that body.
    """

    def __init__(self, body: Body, dynamics: Dynamics) -> None:
        body.set_state(standing(body.robot).states()[0])
        motions = dynamics.motions()
        self._rows = [dynamics.index[body.links[name]] for name in body.robot.feet]
        self._flat = [motions.frames[row] for row in self._rows]
        self._local: list[Array] = []
        for name, frame in zip(body.robot.feet, self._flat, strict=True):
            points = np.concatenate([_points(shape, frame[2]) for shape in _shapes(body, name)])
            heights = points @ frame[2]
            self._local.append(points[heights < heights.min() + _THICK])

    def at(self, motions: Motions) -> list[Sole]:
        """Return the soles in the state that was measured, in the order of the robot's feet."""
        return [
            Sole(
                row=row,
                corners=motions.centres[row] + local @ motions.frames[row].T,
                turn=motions.frames[row] @ flat.T,
            )
            for row, local, flat in zip(self._rows, self._local, self._flat, strict=True)
        ]


def _shapes(body: Body, name: str) -> list[tuple[int, Array, Array, Array]]:
    shapes = body.client.getCollisionShapeData(body.id, body.links[name])
    return [(shape[2], *(np.array(shape[k]) for k in (3, 5, 6))) for shape in shapes]


def _points(shape: tuple[int, Array, Array, Array], up: Array) -> Array:
    """Return the points (P, 3) of a box or a ball that may touch the floor, in the axes of the link's inertia.

    Args:
        shape: kind, size, position (3,) and rotation (4,).
        up: (3,) away from the floor.
    """
    kind, size, position, turn = shape
    if kind != GEOM_BOX:
        return (position - size[0] * up)[None]  # (1, 3)
    ends = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
    return position + quaternion.rotate(turn[None], ends * size)  # (8, 3)
