"""Geometry of PushT's block: contact points, motion under a push, and paths around it. Lengths in pixels.

PushT has neither friction nor momentum: the simulation sets the block's velocity to zero at every step. So a pusher
that keeps to one contact point moves the block along a circle, in closed form. With mass 1 and moment
of inertia R^2 about the centre of gravity, an impulse j along the side's normal n, with lever l about that centre,
gives the speeds v = j n and w = j l / R^2; and the contact moves along n by j (1 + l^2 / R^2).
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PUSHER_RADIUS = 15.0
CENTRE_OF_GRAVITY = np.array([0.0, 45.0])
GYRATION = 3000.0
"""R^2, the moment of inertia of a mass of 1."""
BOXES = np.array([[-60.0, 0.0, 60.0, 30.0], [-15.0, 30.0, 15.0, 120.0]])
"""The bar and the stem: lowest x and y, highest x and y."""
CORNERS = np.array([[-60.0, 0.0], [60.0, 0.0], [60.0, 30.0], [15.0, 120.0], [-15.0, 120.0], [-60.0, 30.0]])
CLEARANCE, GAP, DETOUR = 16.5, 6.0, 24.0
"""Distances of the pusher's centre: from the block on a path; from contact where a push starts; at corners."""


def _contacts() -> tuple[Array, Array]:
    """Return contact points (K, 2) on the sides where a pusher fits, and the sides' normals (K, 2), inwards."""
    contacts = [(float(x), 0.0, 0.0, 1.0) for x in range(-50, 51, 10)]
    contacts += [(x, 120.0, 0.0, -1.0) for x in (-10.0, 0.0, 10.0)]
    for side in (-1.0, 1.0):
        contacts += [(60.0 * side, y, -side, 0.0) for y in (6.0, 15.0, 24.0)]
        contacts += [(x * side, 30.0, 0.0, -1.0) for x in (33.0, 42.0, 52.0)]
        contacts += [(15.0 * side, y, -side, 0.0) for y in (46.5, 53.0, 60.0, 72.0, 84.0, 96.0, 108.0, 115.0)]
    table = np.array(contacts)
    return table[:, :2], table[:, 2:]


CONTACTS, NORMALS = _contacts()
_FROM_CENTRE = CONTACTS - CENTRE_OF_GRAVITY
LEVERS = _FROM_CENTRE[:, 0] * NORMALS[:, 1] - _FROM_CENTRE[:, 1] * NORMALS[:, 0]
_TURN = LEVERS / GYRATION / (1.0 + LEVERS**2 / GYRATION)  # radians a pixel
# How the origin, which stands at (0, -45) from the centre of gravity, moves for a pixel at the contact.
_SHIFT = NORMALS / (1.0 + LEVERS**2 / GYRATION)[:, None] + _TURN[:, None] * [CENTRE_OF_GRAVITY[1], 0.0]
TOUCHING = CONTACTS - PUSHER_RADIUS * NORMALS
STARTS = TOUCHING - GAP * NORMALS
_BENDS = CORNERS + DETOUR * np.array([[-1, -1], [1, -1], [1, 1], [1, 1], [-1, 1], [-1, 1]])
STOPS = np.concatenate([STARTS, _BENDS])
"""Nodes (K + 6, 2) of paths around the block: the starts of pushes, and points at the corners."""


def pushed(poses: Array, contacts: NDArray[np.int64], lengths: Array) -> Array:
    """Return the poses (..., 3) of a block after pushes; all arguments broadcast.

    Args:
        poses: (..., 3) before.
        contacts: indices (...) of the contact points.
        lengths: (...) of the pushes, in pixels.
    """
    turn = _TURN[contacts] * lengths
    straight = np.abs(turn) < 1e-6
    safe = np.where(straight, 1.0, turn)
    along = np.where(straight, 1.0, np.sin(safe) / safe)
    across = np.where(straight, 0.0, (1.0 - np.cos(safe)) / safe)
    x, y = _SHIFT[contacts, 0] * lengths, _SHIFT[contacts, 1] * lengths
    shift = np.stack([along * x - across * y, across * x + along * y], axis=-1)
    return np.concatenate([to_world(poses, shift), (poses[..., 2] + turn)[..., None]], axis=-1)


def to_world(poses: Array, points: Array) -> Array:
    """Return points (..., 2) in the table's frame.

    Args:
        poses: (..., 3) of the block.
        points: (..., 2) in the block's frame; both broadcast.
    """
    cosine, sine = np.cos(poses[..., 2]), np.sin(poses[..., 2])
    x, y = points[..., 0], points[..., 1]
    return np.stack([cosine * x - sine * y + poses[..., 0], sine * x + cosine * y + poses[..., 1]], axis=-1)


def to_block(pose: Array, point: Array) -> Array:
    """Return a point (2,) in the block's frame.

    Args:
        pose: (3,) of the block.
        point: (2,) in the table's frame.
    """
    cosine, sine = np.cos(pose[2]), np.sin(pose[2])
    return np.array([[cosine, sine], [-sine, cosine]]) @ (point - pose[:2])


def is_free(starts: Array, ends: Array) -> NDArray[np.bool_]:
    """Return whether straight paths keep clear of the block.

    Args:
        starts: (..., 2) in the block's frame.
        ends: (..., 2) likewise; both broadcast.
    """
    starts, ends = np.broadcast_arrays(starts, ends)
    path = ends - starts
    path = np.where(np.abs(path) < 1e-9, 1e-9, path)
    free = np.ones(starts.shape[:-1], dtype=bool)
    for box in BOXES + CLEARANCE * np.array([-1, -1, 1, 1]):
        one, other = (box[:2] - starts) / path, (box[2:] - starts) / path
        enters, leaves = np.minimum(one, other).max(axis=-1), np.maximum(one, other).min(axis=-1)
        free &= ~((enters < leaves - 1e-9) & (leaves > 1e-9) & (enters < 1.0 - 1e-9))
    return free


def step_back(point: Array) -> Array:
    """Return the nearest position (2,) to a pusher's from which it can move without contact, in the block's frame."""
    keep = PUSHER_RADIUS + GAP - 1.0
    outside = BOXES + keep * np.array([-1, -1, 1, 1])
    x, y = np.meshgrid([point[0], *outside[:, 0::2].ravel()], [point[1], *outside[:, 1::2].ravel()])
    found = np.column_stack([x.ravel(), y.ravel()])
    found = found[is_free(found, found + 1e-6)]
    return np.asarray(found[np.linalg.norm(found - point, axis=-1).argmin()])


def shortest_paths(is_allowed: NDArray[np.bool_] | None = None) -> tuple[Array, NDArray[np.int64]]:
    """Return distances (S, S) between all nodes around the block, and the next node (S, S) on each path.

    Floyd and Warshall's algorithm (1962).

    Args:
        is_allowed: (S,) nodes that may be used; all if None.
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
