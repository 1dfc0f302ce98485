"""PushT's block: where it can be pushed, how it then moves, and how a pusher gets around it. Lengths in pixels.

Nothing in PushT rubs and nothing glides on: the simulation takes all speed off the block at every step. So a pusher
that keeps to one spot of a side moves the block along a circle, by a rule that fits on a line. With mass 1 and moment
of inertia R^2 about the centre of gravity, an impulse j along the side's normal n, with lever l about that centre,
gives the speeds v = j n and w = j l / R^2; and the spot moves along n by j (1 + l^2 / R^2).
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PUSHER_RADIUS = 15.0
CENTRE_OF_GRAVITY = np.array([0.0, 45.0])
GYRATION = 3000.0
"""R^2, the moment of inertia of a mass of 1."""
BOXES = np.array([[-60.0, 0.0, 60.0, 30.0], [-15.0, 30.0, 15.0, 120.0]])
"""The bar and the stem: x and y from, x and y to."""
CORNERS = np.array([[-60.0, 0.0], [60.0, 0.0], [60.0, 30.0], [15.0, 120.0], [-15.0, 120.0], [-60.0, 30.0]])
CLEARANCE, GAP, DETOUR = 16.5, 6.0, 24.0
"""A pusher's centre keeps so far from the block on its way; lines up GAP from touching; goes around at DETOUR."""


def _spots() -> tuple[Array, Array]:
    """Return spots (K, 2) on the sides where a pusher fits, and the sides' normals (K, 2), inwards."""
    spots = [(float(x), 0.0, 0.0, 1.0) for x in range(-50, 51, 10)]
    spots += [(x, 120.0, 0.0, -1.0) for x in (-10.0, 0.0, 10.0)]
    for side in (-1.0, 1.0):
        spots += [(60.0 * side, y, -side, 0.0) for y in (6.0, 15.0, 24.0)]
        spots += [(x * side, 30.0, 0.0, -1.0) for x in (33.0, 42.0, 52.0)]
        spots += [(15.0 * side, y, -side, 0.0) for y in (46.5, 53.0, 60.0, 72.0, 84.0, 96.0, 108.0, 115.0)]
    table = np.array(spots)
    return table[:, :2], table[:, 2:]


SPOTS, NORMALS = _spots()
_FROM_CENTRE = SPOTS - CENTRE_OF_GRAVITY
LEVERS = _FROM_CENTRE[:, 0] * NORMALS[:, 1] - _FROM_CENTRE[:, 1] * NORMALS[:, 0]
_TURN = LEVERS / GYRATION / (1.0 + LEVERS**2 / GYRATION)  # radians a pixel
# How the origin, which stands at (0, -45) from the centre of gravity, moves for a pixel at the spot.
_SHIFT = NORMALS / (1.0 + LEVERS**2 / GYRATION)[:, None] + _TURN[:, None] * [CENTRE_OF_GRAVITY[1], 0.0]
TOUCHING = SPOTS - PUSHER_RADIUS * NORMALS
STARTS = TOUCHING - GAP * NORMALS
_BENDS = CORNERS + DETOUR * np.array([[-1, -1], [1, -1], [1, 1], [1, 1], [-1, 1], [-1, 1]])
STOPS = np.concatenate([STARTS, _BENDS])
"""Where a way may begin, bend or end (K + 6, 2): where pushes start, and around the corners."""


def pushed(poses: Array, spots: NDArray[np.int64], lengths: Array) -> Array:
    """Return where a block at `poses` (..., 3) is after being pushed at spots by lengths; all broadcast."""
    turn = _TURN[spots] * lengths
    straight = np.abs(turn) < 1e-6
    safe = np.where(straight, 1.0, turn)
    along = np.where(straight, 1.0, np.sin(safe) / safe)
    across = np.where(straight, 0.0, (1.0 - np.cos(safe)) / safe)
    x, y = _SHIFT[spots, 0] * lengths, _SHIFT[spots, 1] * lengths
    shift = np.stack([along * x - across * y, across * x + along * y], axis=-1)
    return np.concatenate([to_world(poses, shift), (poses[..., 2] + turn)[..., None]], axis=-1)


def to_world(poses: Array, points: Array) -> Array:
    """Return points (..., 2) of a block's own frame on the table, for poses (..., 3) that broadcast."""
    cosine, sine = np.cos(poses[..., 2]), np.sin(poses[..., 2])
    x, y = points[..., 0], points[..., 1]
    return np.stack([cosine * x - sine * y + poses[..., 0], sine * x + cosine * y + poses[..., 1]], axis=-1)


def to_block(pose: Array, point: Array) -> Array:
    """Return a point (2,) of the table in the frame of a block at `pose` (3,)."""
    cosine, sine = np.cos(pose[2]), np.sin(pose[2])
    return np.array([[cosine, sine], [-sine, cosine]]) @ (point - pose[:2])


def is_free(starts: Array, ends: Array) -> NDArray[np.bool_]:
    """Return whether straight ways (..., 2) keep clear of the block, in its frame; both broadcast."""
    starts, ends = np.broadcast_arrays(starts, ends)
    way = ends - starts
    way = np.where(np.abs(way) < 1e-9, 1e-9, way)
    free = np.ones(starts.shape[:-1], dtype=bool)
    for box in BOXES + CLEARANCE * np.array([-1, -1, 1, 1]):
        one, other = (box[:2] - starts) / way, (box[2:] - starts) / way
        enters, leaves = np.minimum(one, other).max(axis=-1), np.maximum(one, other).min(axis=-1)
        free &= ~((enters < leaves - 1e-9) & (leaves > 1e-9) & (enters < 1.0 - 1e-9))
    return free


def step_back(point: Array) -> Array:
    """Return the place (2,) nearest to a pusher's, in the block's frame, from which it can go without touching."""
    keep = PUSHER_RADIUS + GAP - 1.0
    outside = BOXES + keep * np.array([-1, -1, 1, 1])
    x, y = np.meshgrid([point[0], *outside[:, 0::2].ravel()], [point[1], *outside[:, 1::2].ravel()])
    places = np.column_stack([x.ravel(), y.ravel()])
    places = places[is_free(places, places + 1e-6)]
    return np.asarray(places[np.linalg.norm(places - point, axis=-1).argmin()])


def shortest_ways(is_allowed: NDArray[np.bool_] | None = None) -> tuple[Array, NDArray[np.int64]]:
    """Return distances (S, S) between all stops around the block, and the next stop (S, S) on each way.

    Floyd and Warshall's algorithm (1962). Args: is_allowed: stops (S,) that may be used; all if None.
    """
    distance = np.where(_DIRECT, np.linalg.norm(STOPS[:, None] - STOPS[None], axis=-1), np.inf)
    if is_allowed is not None:
        distance[~is_allowed] = distance[:, ~is_allowed] = np.inf
    following = np.broadcast_to(np.arange(len(STOPS)), distance.shape).copy()
    for middle in range(len(STOPS)):
        through = distance[:, middle, None] + distance[middle]
        shorter = through < distance - 1e-9
        distance = np.where(shorter, through, distance)
        following = np.where(shorter, following[:, middle, None], following)
    return distance, following


_DIRECT = is_free(STOPS[:, None], STOPS[None])
