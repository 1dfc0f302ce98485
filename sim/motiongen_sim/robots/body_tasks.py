"""Tasks: accelerations asked of a body that stands on points of the floor, and the torques that come nearest to them.

Whole-body control by weighted tasks (as in Herzog et al., "Momentum Control with Hierarchical Inverse Dynamics on a
Torque-Controlled Humanoid", 2016, with weights in place of ranks). Joints have motors, the root has none: of all that
is asked, the floor's forces decide what becomes true. Without that constraint the best accelerations are a linear
system's solution; how much it costs to be pushed away from it is a quadratic form of the root's six forces alone. So
the forces are the non-negative least squares of six rows, and everything else is linear.
"""

import numpy as np
from scipy.optimize import lsq_linear, nnls

from motiongen_sim.robots.dynamics import Motions
from motiongen_sim.robots.quaternion import Array, cross

FRICTION = 0.6
"""Friction that is counted on; there is more."""
_CONE = np.array([[FRICTION, 0, 1], [-FRICTION, 0, 1], [0, FRICTION, 1], [0, -FRICTION, 1]])
_EVENNESS = 1e-3
"""Cost of a newton at one point, against the square root of the tasks' costs: spreads forces over the points."""
_LOOSE = 0.1
"""The same at a link that has just come to the floor."""


class BodyTasks:
    """Accelerations (D,) asked of a body in one state, with weights: the cost of a unit that is missed, squared.

    Args:
        motions: of the body.
        load: forces (D,) that no acceleration takes: those against weight and drift.
        wished: (D,) accelerations asked of each freedom.
        weights: (D,) of these; above zero for all joints.
    """

    def __init__(self, motions: Motions, load: Array, wished: Array, weights: Array) -> None:
        self._motions, self._load = motions, load
        self._cost, self._pull = np.diag(weights), weights * wished

    def ask(self, jacobian: Array, wished: Array, weight: float) -> None:
        """Ask for an acceleration (n,) of what a Jacobian (n, D) says the speed of."""
        weighted = weight * jacobian.T
        self._cost += weighted @ jacobian
        self._pull += weighted @ wished

    def torques(self, rows: list[int], points: list[Array], firmness: list[float]) -> Array:
        """Return the torques (A,) of the joints.

        Args:
            rows: of the links that stand on the floor.
            points: (C, 3) of each of them that touch it.
            firmness: how much each of them may bear, in 0..1.
        """
        motions = self._motions
        base = motions.inertia[:6]
        solved = np.linalg.solve(self._cost, np.concatenate([self._pull[:, None], base.T], axis=1))
        free, answer = solved[:, 0], solved[:, 1:]  # (D,), (D, 6)
        missing = base @ free + self._load[:6]  # the forces on the root that the tasks take
        if not rows:
            return self._torques(free - answer @ np.linalg.solve(base @ answer, missing))
        arms = np.concatenate(points) - motions.centres[0]
        count = len(arms)
        edges = np.empty((6, count, len(_CONE)))
        edges[:3] = _CONE.T[:, None]
        edges[3:] = cross(arms[:, None], _CONE[None]).transpose(2, 0, 1)
        basis = edges.reshape(6, -1)
        bend = base @ answer
        lower = np.linalg.cholesky(bend)
        system = np.zeros((6 + basis.shape[1], 1 + basis.shape[1]))
        system[:6] = np.linalg.solve(lower, np.concatenate([missing[:, None], basis], axis=1))
        costs = [_EVENNESS + _LOOSE * (1 - firm) for firm in firmness]
        spread = [len(_CONE) * len(where) for where in points]
        system[6:, 1:].flat[:: basis.shape[1] + 1] = np.repeat(costs, spread)
        pushes = _least_pushes(system[:, 1:], system[:, 0])
        acceleration = free + answer @ np.linalg.solve(bend, basis @ pushes - missing)
        forces = pushes.reshape(count, -1) @ _CONE  # (C, 3)
        torques, begin = self._torques(acceleration), 0
        for row, where in zip(rows, points, strict=True):
            force = forces[begin : begin + len(where)]
            begin += len(where)
            torques -= force.sum(axis=0) @ motions.linear[row][:, 6:]
            turning = cross(where - motions.centres[row], force).sum(axis=0)
            torques -= turning @ motions.angular[row][:, 6:]
        return torques

    def _torques(self, acceleration: Array) -> Array:
        torques: Array = self._motions.inertia[6:] @ acceleration + self._load[6:]
        return torques


def _least_pushes(system: Array, wanted: Array) -> Array:
    """Return the x (n,) >= 0 of the least |system x - wanted|; `nnls` raises where it comes to its last iteration."""
    try:
        pushes: Array = nnls(system, wanted)[0]
    except RuntimeError:
        pushes = np.maximum(lsq_linear(system, wanted, bounds=(0.0, np.inf)).x, 0.0)
    return pushes
