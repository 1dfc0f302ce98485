"""Plans how to bring PushT's block to its outline: at most three pushes, the quickest that are found."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motiongen_sim.experts.tee import (
    CENTRE_OF_GRAVITY,
    CORNERS,
    SPOTS,
    STARTS,
    STOPS,
    TOUCHING,
    is_free,
    pushed,
    shortest_ways,
    step_back,
    to_block,
    to_world,
)

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

TRAVEL_SPEED, PUSH_SPEED = 14.0, 8.0
"""Pixels a control step, on the way to a push and during it."""
OVERHEAD = 10.0
"""Control steps that a push takes beside these: to back off, to line up, to come to rest."""
LENGTHS = np.array([2.0, 5, 10, 18, 28, 40, 55, 75, 100, 130, 165, 205])
SHORTEST, LONGEST = 1.5, 240.0
MAX_PUSHES, BEAM, WIDTH, REFINED = 3, 100, 500, 600
TABLE = 512.0

_SPOT = np.repeat(np.arange(len(SPOTS)), len(LENGTHS))
_LENGTH = np.tile(LENGTHS, len(SPOTS))
_BETWEEN = shortest_ways()[0][: len(SPOTS), : len(SPOTS)]


@dataclass(frozen=True)
class Plan:
    """What to do.

    Attributes:
        spots: where to push (P,), one after the other.
        lengths: how far (P,), in pixels.
        cost: control steps that it is thought to take.
        way: places (W, 2) on the table that lead to where the first push starts.
    """

    spots: Indices
    lengths: Array
    cost: float
    way: Array


@dataclass(frozen=True)
class _Branches:
    """B ways to begin: pushes (B, P), where the block is then (B, 3), and the steps it takes (B,)."""

    spots: Indices
    lengths: Array
    poses: Array
    costs: Array

    def __getitem__(self, chosen: Indices) -> "_Branches":
        return _Branches(self.spots[chosen], self.lengths[chosen], self.poses[chosen], self.costs[chosen])


def plan(pose: Array, pusher: Array, goal: Array, taste: Array | float = 1.0) -> Plan | None:
    """Return the quickest way found to bring the block from a pose (3,) to a goal (3,), or None if it is stuck.

    A beam search over where to push and how far; what comes near the goal is made to reach it by Gauss and Newton's
    method.

    Args:
        pose: the block's x, y, angle.
        pusher: the pusher's x, y.
        goal: the outline's x, y, angle.
        taste: factors (K,) on the way to each spot: what is liked less seems farther.
    """
    start = step_back(to_block(pose, pusher))
    is_allowed = _is_on_table(to_world(pose, STOPS))
    between, following = shortest_ways(is_allowed)
    first_leg = np.linalg.norm(STOPS - start, axis=-1)
    first_leg = np.where(is_free(start, STOPS) & is_allowed, first_leg, np.inf)
    through = first_leg[:, None] + between
    branches = _first_pushes(pose, through.min(axis=0)[: len(SPOTS)] * taste)
    best: tuple[float, Indices, Array] | None = None
    for depth in range(MAX_PUSHES):
        found = _best(branches, pose, goal)
        if found is not None and (best is None or found[0] < best[0] - 1e-6):
            best = found
        if depth < MAX_PUSHES - 1:
            branches = _next_pushes(branches, goal, None if depth == 0 else BEAM)
    if best is None:
        return None
    cost, spots, lengths = best
    stop = int(through[:, spots[0]].argmin())
    way = [start, STOPS[stop]]
    while stop != spots[0]:
        stop = int(following[stop, spots[0]])
        way.append(STOPS[stop])
    return Plan(spots, lengths, cost, to_world(pose, np.array(way)))


def _first_pushes(pose: Array, ways: Array) -> _Branches:
    poses = pushed(pose, _SPOT, _LENGTH)
    costs = ways[_SPOT] / TRAVEL_SPEED + OVERHEAD + _LENGTH / PUSH_SPEED
    is_possible = _is_inside(poses) & _is_on_table(to_world(poses, TOUCHING[_SPOT]))
    branches = _Branches(_SPOT[:, None], _LENGTH[:, None], poses, np.where(is_possible, costs, np.inf))
    return branches[np.flatnonzero(np.isfinite(branches.costs))]


def _next_pushes(branches: _Branches, goal: Array, beam: int | None) -> _Branches:
    """Return the most promising ways to push once more after the most promising branches."""
    promise = branches.costs + _rough_remainder(_errors(branches.poses, goal))
    branches = branches[np.argsort(promise)[:beam]]
    poses = pushed(branches.poses[:, None], _SPOT, _LENGTH).reshape(-1, 3)
    way = _BETWEEN[branches.spots[:, -1]][:, _SPOT] + 12.0  # backing off and lining up is way, too
    costs = branches.costs[:, None] + way / TRAVEL_SPEED + OVERHEAD + _LENGTH / PUSH_SPEED
    can_start = _is_on_table(to_world(branches.poses[:, None], STARTS))[:, _SPOT]
    costs = np.where(can_start, costs, np.inf).ravel()
    errors = _errors(poses, goal)
    totals = costs + _rough_remainder(errors)
    promising = np.argpartition(totals, WIDTH)[:WIDTH] if len(totals) > WIDTH else np.arange(len(totals))
    chosen = np.union1d(promising, _nearly_there(costs, errors))
    # Only now, since to see which keep off the walls takes longest.
    chosen = chosen[np.isfinite(costs[chosen]) & _is_inside(poses[chosen])]
    before, new = np.divmod(chosen, len(_SPOT))
    return _Branches(
        np.column_stack([branches.spots[before], _SPOT[new]]),
        np.column_stack([branches.lengths[before], _LENGTH[new]]),
        poses[chosen],
        costs[chosen],
    )


def _best(branches: _Branches, pose: Array, goal: Array) -> tuple[float, Indices, Array] | None:
    """Return the cost, spots and lengths of the best branch, or of one near the goal, refined."""
    if len(branches.costs) == 0:
        return None
    errors = _errors(branches.poses, goal)
    totals = branches.costs + _remainder(errors)
    first = int(totals.argmin())
    best = float(totals[first]), branches.spots[first], branches.lengths[first]
    near = branches[_nearly_there(branches.costs, errors)]
    if len(near.costs):
        lengths = _refine(pose, goal, near.spots, near.lengths)
        longer = (lengths - near.lengths).sum(axis=1) / PUSH_SPEED
        totals = near.costs + longer + _remainder(_errors(_run(pose, near.spots, lengths), goal))
        first = int(totals.argmin())
        if totals[first] < best[0]:
            best = float(totals[first]), near.spots[first], lengths[first]
    return best


def _refine(pose: Array, goal: Array, spots: Indices, lengths: Array) -> Array:
    """Return lengths (B, P) of pushes that end nearer to the goal."""
    for _ in range(4):
        misses = _misses(_run(pose, spots, lengths), goal)
        slopes = [
            (_misses(_run(pose, spots, lengths + 0.5 * column), goal) - misses) / 0.5
            for column in np.eye(lengths.shape[1])
        ]
        jacobian = np.stack(slopes, axis=-1)  # (B, 3, P)
        square = jacobian @ jacobian.transpose(0, 2, 1) + 0.05 * np.eye(3)
        change = -jacobian.transpose(0, 2, 1) @ np.linalg.solve(square, misses[..., None])
        lengths = np.clip(lengths + np.clip(change[..., 0], -40.0, 40.0), SHORTEST, LONGEST)
    return lengths


def _run(pose: Array, spots: Indices, lengths: Array) -> Array:
    """Return where the block is (B, 3) after pushes (B, P)."""
    poses = np.broadcast_to(pose, (len(spots), 3))
    for spot, length in zip(spots.T, lengths.T, strict=True):
        poses = pushed(poses, spot, length)
    return poses


def _misses(poses: Array, goal: Array) -> Array:
    """Return by how much poses (..., 3) miss: along the outline's x and y in pixels, and 50 times the angle."""
    off = to_world(poses, CENTRE_OF_GRAVITY) - to_world(goal, CENTRE_OF_GRAVITY)
    cosine, sine = np.cos(goal[2]), np.sin(goal[2])
    angle = (poses[..., 2] - goal[2] + np.pi) % (2 * np.pi) - np.pi
    x, y = off[..., 0], off[..., 1]
    return np.stack([cosine * x + sine * y, -sine * x + cosine * y, 50.0 * angle], axis=-1)


def _errors(poses: Array, goal: Array) -> Array:
    """Return distance in pixels, angle in radians, and the share of the outline left bare, about, (..., 3)."""
    misses = np.abs(_misses(poses, goal))
    angle = misses[..., 2] / 50.0
    # Of 6300 square pixels, a shift by one along either axis bares 120; a turn, about 90 % of a radian's worth.
    bare = (misses[..., 0] + misses[..., 1]) * 120.0 / 6300.0 + 0.9 * angle
    return np.stack([np.hypot(misses[..., 0], misses[..., 1]), angle, bare], axis=-1)


def _is_done(errors: Array) -> NDArray[np.bool_]:
    return np.asarray(errors[..., 2] < 0.03)


def _way_left(errors: Array) -> Array:
    """Return the control steps (...) that pushing straight there would take, without anything else."""
    return np.asarray(errors[..., 0] / PUSH_SPEED + 14.0 * errors[..., 1])


def _rough_remainder(errors: Array) -> Array:
    """Return the control steps (...) probably left, by which branches are compared."""
    return 2.0 * _way_left(errors) + 25.0 * ~_is_done(errors)


def _remainder(errors: Array) -> Array:
    """Return the control steps (...) left at most: what is not done in a plan has to be dear, or is put off forever."""
    dear = 25.0 * (np.minimum(1.0, errors[..., 0] / 10.0) + np.minimum(1.0, errors[..., 1] / 0.2))
    return (2.0 * _way_left(errors) + dear + 15.0) * ~_is_done(errors)


def _nearly_there(costs: Array, errors: Array) -> Indices:
    """Return which branches end near the goal, the cheapest of them."""
    left = _way_left(errors)
    near = np.flatnonzero((left < 7.0) & np.isfinite(costs))
    return near[np.argsort(costs[near] + 2.0 * left[near])[:REFINED]]


def _is_inside(poses: Array) -> NDArray[np.bool_]:
    """Return whether a block at poses (..., 3) keeps off the walls."""
    corners = to_world(poses[..., None, :], CORNERS)
    return np.asarray(((corners > 14.0) & (corners < TABLE - 14.0)).all(axis=(-2, -1)))


def _is_on_table(places: Array) -> NDArray[np.bool_]:
    return np.asarray(((places > 4.0) & (places < TABLE - 4.0)).all(axis=-1))
