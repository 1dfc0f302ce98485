"""Planner of PushT: a beam search over at most three pushes that bring the block to its outline."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motiongen_sim.experts.push_t_block import (
    CENTRE_OF_GRAVITY,
    CONTACTS,
    CORNERS,
    STARTS,
    STOPS,
    TOUCHING,
    is_free,
    pushed,
    shortest_paths,
    step_back,
    to_block,
    to_world,
)

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

TRAVEL_SPEED, PUSH_SPEED = 14.0, 8.0
"""Speed on the path to a push and during it, in pixels a control step."""
OVERHEAD = 10.0
"""Further control steps of a push: to back off, to line up, to come to rest."""
LENGTHS = np.array([2.0, 5, 10, 18, 28, 40, 55, 75, 100, 130, 165, 205])
SHORTEST, LONGEST = 1.5, 240.0
MAX_PUSHES, BEAM, WIDTH, REFINED = 3, 100, 500, 600
TABLE = 512.0

_CONTACT = np.repeat(np.arange(len(CONTACTS)), len(LENGTHS))
_LENGTH = np.tile(LENGTHS, len(CONTACTS))
_BETWEEN = shortest_paths()[0][: len(CONTACTS), : len(CONTACTS)]


@dataclass(frozen=True)
class Plan:
    """A sequence of P pushes.

    Attributes:
        contacts: indices of the contact points (P,).
        lengths: of the pushes (P,), in pixels.
        cost: estimated duration, in control steps.
        path: points (W, 2) on the table that lead to the start of the first push.
    """

    contacts: Indices
    lengths: Array
    cost: float
    path: Array


@dataclass(frozen=True)
class _Branches:
    """B partial plans: pushes (B, P), poses of the block after them (B, 3), and costs in control steps (B,)."""

    contacts: Indices
    lengths: Array
    poses: Array
    costs: Array

    def __getitem__(self, chosen: Indices) -> "_Branches":
        return _Branches(self.contacts[chosen], self.lengths[chosen], self.poses[chosen], self.costs[chosen])


def plan(pose: Array, pusher: Array, goal: Array, preference: Array | float = 1.0) -> Plan | None:
    """Return the quickest plan found that brings the block from a pose to a goal, or None if there is none.

    A beam search over contact points and lengths; plans that end near the goal are refined by the Gauss-Newton method.

    Args:
        pose: x, y and angle (3,) of the block.
        pusher: x and y (2,) of the pusher.
        goal: x, y and angle (3,) of the outline.
        preference: factors (K,) on the cost of the path to each contact point.
    """
    start = step_back(to_block(pose, pusher))
    is_allowed = _is_on_table(to_world(pose, STOPS))
    between, following = shortest_paths(is_allowed)
    first_leg = np.linalg.norm(STOPS - start, axis=-1)
    first_leg = np.where(is_free(start, STOPS) & is_allowed, first_leg, np.inf)
    through = first_leg[:, None] + between
    branches = _first_pushes(pose, through.min(axis=0)[: len(CONTACTS)] * preference)
    best: tuple[float, Indices, Array] | None = None
    for depth in range(MAX_PUSHES):
        found = _best(branches, pose, goal)
        if found is not None and (best is None or found[0] < best[0] - 1e-6):
            best = found
        if depth < MAX_PUSHES - 1:
            branches = _next_pushes(branches, goal, None if depth == 0 else BEAM)
    if best is None:
        return None
    cost, contacts, lengths = best
    stop = int(through[:, contacts[0]].argmin())
    path = [start, STOPS[stop]]
    while stop != contacts[0]:
        stop = int(following[stop, contacts[0]])
        path.append(STOPS[stop])
    return Plan(contacts, lengths, cost, to_world(pose, np.array(path)))


def _first_pushes(pose: Array, distances: Array) -> _Branches:
    """Return all possible first pushes, given the length of the path (K,) to each contact point."""
    poses = pushed(pose, _CONTACT, _LENGTH)
    costs = distances[_CONTACT] / TRAVEL_SPEED + OVERHEAD + _LENGTH / PUSH_SPEED
    is_possible = _is_inside(poses) & _is_on_table(to_world(poses, TOUCHING[_CONTACT]))
    branches = _Branches(_CONTACT[:, None], _LENGTH[:, None], poses, np.where(is_possible, costs, np.inf))
    return branches[np.flatnonzero(np.isfinite(branches.costs))]


def _next_pushes(branches: _Branches, goal: Array, beam: int | None) -> _Branches:
    """Return the cheapest plans with one more push, of the `beam` cheapest branches."""
    promise = branches.costs + _rough_remainder(_errors(branches.poses, goal))
    branches = branches[np.argsort(promise)[:beam]]
    poses = pushed(branches.poses[:, None], _CONTACT, _LENGTH).reshape(-1, 3)
    distance = _BETWEEN[branches.contacts[:, -1]][:, _CONTACT] + 12.0  # with backing off and lining up
    costs = branches.costs[:, None] + distance / TRAVEL_SPEED + OVERHEAD + _LENGTH / PUSH_SPEED
    can_start = _is_on_table(to_world(branches.poses[:, None], STARTS))[:, _CONTACT]
    costs = np.where(can_start, costs, np.inf).ravel()
    errors = _errors(poses, goal)
    totals = costs + _rough_remainder(errors)
    promising = np.argpartition(totals, WIDTH)[:WIDTH] if len(totals) > WIDTH else np.arange(len(totals))
    chosen = np.union1d(promising, _nearly_there(costs, errors))
    # Only now, since to see which keep off the walls takes longest.
    chosen = chosen[np.isfinite(costs[chosen]) & _is_inside(poses[chosen])]
    before, new = np.divmod(chosen, len(_CONTACT))
    return _Branches(
        np.column_stack([branches.contacts[before], _CONTACT[new]]),
        np.column_stack([branches.lengths[before], _LENGTH[new]]),
        poses[chosen],
        costs[chosen],
    )


def _best(branches: _Branches, pose: Array, goal: Array) -> tuple[float, Indices, Array] | None:
    """Return cost, contacts and lengths of the best branch, refined where it ends near the goal."""
    if len(branches.costs) == 0:
        return None
    errors = _errors(branches.poses, goal)
    totals = branches.costs + _remainder(errors)
    first = int(totals.argmin())
    best = float(totals[first]), branches.contacts[first], branches.lengths[first]
    near = branches[_nearly_there(branches.costs, errors)]
    if len(near.costs):
        lengths = _refine(pose, goal, near.contacts, near.lengths)
        longer = (lengths - near.lengths).sum(axis=1) / PUSH_SPEED
        totals = near.costs + longer + _remainder(_errors(_run(pose, near.contacts, lengths), goal))
        first = int(totals.argmin())
        if totals[first] < best[0]:
            best = float(totals[first]), near.contacts[first], lengths[first]
    return best


def _refine(pose: Array, goal: Array, contacts: Indices, lengths: Array) -> Array:
    """Return lengths (B, P) of pushes that end nearer to the goal (Gauss-Newton)."""
    for _ in range(4):
        misses = _misses(_run(pose, contacts, lengths), goal)
        slopes = [
            (_misses(_run(pose, contacts, lengths + 0.5 * column), goal) - misses) / 0.5
            for column in np.eye(lengths.shape[1])
        ]
        jacobian = np.stack(slopes, axis=-1)  # (B, 3, P)
        square = jacobian @ jacobian.transpose(0, 2, 1) + 0.05 * np.eye(3)
        change = -jacobian.transpose(0, 2, 1) @ np.linalg.solve(square, misses[..., None])
        lengths = np.clip(lengths + np.clip(change[..., 0], -40.0, 40.0), SHORTEST, LONGEST)
    return lengths


def _run(pose: Array, contacts: Indices, lengths: Array) -> Array:
    """Return the pose of the block (B, 3) after pushes (B, P)."""
    poses = np.broadcast_to(pose, (len(contacts), 3))
    for contact, length in zip(contacts.T, lengths.T, strict=True):
        poses = pushed(poses, contact, length)
    return poses


def _misses(poses: Array, goal: Array) -> Array:
    """Return errors of poses (..., 3): along the outline's x and y in pixels, and 50 times the angle."""
    off = to_world(poses, CENTRE_OF_GRAVITY) - to_world(goal, CENTRE_OF_GRAVITY)
    cosine, sine = np.cos(goal[2]), np.sin(goal[2])
    angle = (poses[..., 2] - goal[2] + np.pi) % (2 * np.pi) - np.pi
    x, y = off[..., 0], off[..., 1]
    return np.stack([cosine * x + sine * y, -sine * x + cosine * y, 50.0 * angle], axis=-1)


def _errors(poses: Array, goal: Array) -> Array:
    """Return distance in pixels, angle in radians, and about the share of the outline left uncovered, (..., 3)."""
    misses = np.abs(_misses(poses, goal))
    angle = misses[..., 2] / 50.0
    # Of 6300 square pixels, a shift by one along either axis bares 120; a turn, about 90 % of a radian's worth.
    bare = (misses[..., 0] + misses[..., 1]) * 120.0 / 6300.0 + 0.9 * angle
    return np.stack([np.hypot(misses[..., 0], misses[..., 1]), angle, bare], axis=-1)


def _is_done(errors: Array) -> NDArray[np.bool_]:
    return np.asarray(errors[..., 2] < 0.03)


def _steps_left(errors: Array) -> Array:
    """Return the control steps (...) of a straight push to the goal, without its overhead."""
    return np.asarray(errors[..., 0] / PUSH_SPEED + 14.0 * errors[..., 1])


def _rough_remainder(errors: Array) -> Array:
    """Return an estimate of the control steps left (...), by which branches are compared."""
    return 2.0 * _steps_left(errors) + 25.0 * ~_is_done(errors)


def _remainder(errors: Array) -> Array:
    """Return an upper bound of the control steps left (...): with less, the last push would be put off forever."""
    dear = 25.0 * (np.minimum(1.0, errors[..., 0] / 10.0) + np.minimum(1.0, errors[..., 1] / 0.2))
    return (2.0 * _steps_left(errors) + dear + 15.0) * ~_is_done(errors)


def _nearly_there(costs: Array, errors: Array) -> Indices:
    """Return indices of the cheapest branches that end near the goal."""
    left = _steps_left(errors)
    near = np.flatnonzero((left < 7.0) & np.isfinite(costs))
    return near[np.argsort(costs[near] + 2.0 * left[near])[:REFINED]]


def _is_inside(poses: Array) -> NDArray[np.bool_]:
    """Return whether a block at poses (..., 3) is clear of the walls."""
    corners = to_world(poses[..., None, :], CORNERS)
    return np.asarray(((corners > 14.0) & (corners < TABLE - 14.0)).all(axis=(-2, -1)))


def _is_on_table(points: Array) -> NDArray[np.bool_]:
    return np.asarray(((points > 4.0) & (points < TABLE - 4.0)).all(axis=-1))
