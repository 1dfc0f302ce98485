"""Dynamics: mass matrix, gravity torques and momentum of a body, from the Jacobians of its links.

PyBullet's own calculateMassMatrix is wrong for ball joints, or else for hinges that do not turn about z.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.body import Body
from motiongen_sim.robots.quaternion import Array

GRAVITY = 9.81
_LEAST = 0.01
"""Links lighter than this, in kilograms, are left out: camera frames and stickers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Motions:
    """How a body's velocities (D,), D = 6 + A, move its L heavy links, the root first, in one state.

    Velocities are those of the root's centre of mass, (3,) linear and (3,) angular in the world, then the joints' (A,).

    Attributes:
        centres: of mass of the links (L, 3), metres.
        frames: rotation matrices (L, 3, 3) of the axes of their inertia.
        linear: Jacobians (L, 3, D) of the centres.
        angular: Jacobians (L, 3, D) of the links' angular velocities in the world.
        inertia: the mass matrix (D, D).
        rows: Jacobians (6 L, D) of the centres and of the turns in the links' own axes, times the roots of their masses
            and inertias: `inertia` is their square.
        gravity: the forces (D,) that hold the body against its weight.
    """

    centres: Array
    frames: Array
    linear: Array
    angular: Array
    inertia: Array
    rows: Array
    gravity: Array

    def drift(self, before: Self, velocity: Array, seconds: float) -> Array:
        """Return the forces (D,) that steady velocities (D,) take: those of Coriolis, and centrifugal ones.

        Args:
            before: the motions so many seconds ago.
            velocity: now.
            seconds: a short time.
        """
        forces: Array = self.rows.T @ ((self.rows - before.rows) @ velocity) / seconds
        return forces


class Dynamics:
    """Mass matrix and gravity torques of a body in its current state.

    Args:
        body: the robot.

    Attributes:
        index: PyBullet's number of a heavy link, -1 for the root -> its row in `Motions`.
    """

    def __init__(self, body: Body) -> None:
        self._body = body
        heavy = [link for link in range(len(body.masses) - 1) if body.masses[link + 1] > _LEAST]
        self._links = sorted({*heavy, *body.joints})
        self.index = {link: row for row, link in enumerate((-1, *self._links))}
        infos = [body.client.getDynamicsInfo(body.id, link) for link in (-1, *self._links)]
        self._weights = np.sqrt([info[0] for info in infos])  # (L,)
        self._spins = np.sqrt([info[2] for info in infos])[:, :, None]  # (L, 3, 1)
        joints = body.robot.joints
        self._owner = np.array(
            [self._links.index(body.joints[i]) for i, j in enumerate(joints) for _ in _span(j)]
        )
        self._axes = np.zeros((len(self._owner), 3))  # in the link's own frame
        for joint in joints:
            back = quaternion.inverse(joint.frame)
            self._axes[joint.v] = np.eye(3) if joint.is_ball else quaternion.rotate(back, joint.axis)
        self._moves = self._ancestry()

    def mass_matrix_and_gravity(self) -> tuple[Array, Array]:
        """Return the mass matrix (6 + A, 6 + A), and the torques (A,) that hold the joints against gravity."""
        motions = self.motions()
        return motions.inertia, motions.gravity[6:]

    def centre_of_mass(self, motions: Motions) -> Array:
        """Return the position of the centre of mass (3,), in metres."""
        centre: Array = self._weights**2 @ motions.centres / motions.inertia[0, 0]
        return centre

    def motions(self) -> Motions:
        """Return how velocities move the links, and what moving them takes. Its rows are those of `index`."""
        body = self._body
        states = body.client.getLinkStates(body.id, self._links, 0, 1)
        base, axes = body.client.getBasePositionAndOrientation(body.id)
        centres = np.array([base, *(state[0] for state in states)])  # (L, 3)
        frames = quaternion.matrices(np.array([axes, *(state[1] for state in states)]))  # (L, 3, 3)
        pivots = np.array([state[4] for state in states])[self._owner]  # (A, 3)
        turned = quaternion.matrices(np.array([state[5] for state in states])[self._owner])
        joint_axes = (turned @ self._axes[:, :, None])[:, :, 0]

        spin = np.concatenate([np.zeros((3, 3)), np.eye(3), joint_axes])  # (D, 3), D = 6 + A
        through = np.concatenate([np.zeros((3, 3)), np.tile(centres[0], (3, 1)), pivots])
        linear = quaternion.cross(spin[:, None], centres[None] - through[:, None])  # (D, L, 3)
        linear[:3] = np.eye(3)[:, None]
        linear = (linear * self._moves[:, :, None]).transpose(1, 2, 0)  # (L, 3, D)
        angular = (spin.T[None] * self._moves.T[:, None]).reshape(len(centres), 3, -1)  # (L, 3, D)

        rows = np.concatenate(
            [linear * self._weights[:, None, None], (frames.transpose(0, 2, 1) @ angular) * self._spins]
        ).reshape(-1, len(spin))
        return Motions(
            centres=centres,
            frames=frames,
            linear=linear,
            angular=angular,
            inertia=rows.T @ rows,
            rows=rows,
            gravity=GRAVITY * (self._weights**2) @ linear[:, 2],
        )

    def _ancestry(self) -> Array:
        """Return 1 where a degree of freedom (rows, D) moves a link (columns, the root first), 0 elsewhere."""
        body = self._body
        moves = np.zeros((6 + len(self._owner), 1 + len(self._links)))
        moves[:6] = 1.0
        for column, link in enumerate(self._links, start=1):
            while link >= 0:
                if link in self._links:
                    moves[6:][self._owner == self._links.index(link), column] = 1.0
                link = body.client.getJointInfo(body.id, link)[16]
        return moves


def _span(joint: Any) -> range:
    return range(joint.v.start, joint.v.stop)
