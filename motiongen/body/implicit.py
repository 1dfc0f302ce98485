"""Implicit surfaces: signed distances of simple solids, their smooth union, and meshes of their zero level."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Distance = Callable[[Array], Array]
"""Function from points (..., 3) to signed distances (...), negative inside."""


def round_cone(start: Array, end: Array, start_radius: float, end_radius: float) -> Distance:
    """Return the distance to two spheres and the cone that wraps them (Quilez, "Rounded cone", exact form)."""
    axis = end - start
    length_squared = float(axis @ axis)
    slope = start_radius - end_radius
    flank = length_squared - slope * slope

    def distance(points: Array) -> Array:
        offset = points - start
        along = offset @ axis
        beyond = along - length_squared
        across = ((offset * length_squared - along[..., None] * axis) ** 2).sum(-1)
        along_squared = along * along * length_squared
        beyond_squared = beyond * beyond * length_squared
        limit = np.sign(slope) * slope * slope * across
        past_end = np.sign(beyond) * flank * beyond_squared > limit
        before_start = np.sign(along) * flank * along_squared < limit
        side = (np.sqrt(across * flank / length_squared) + along * slope) / length_squared - start_radius
        end_cap = np.sqrt(across + beyond_squared) / length_squared - end_radius
        start_cap = np.sqrt(across + along_squared) / length_squared - start_radius
        return np.where(past_end, end_cap, np.where(before_start, start_cap, side))

    return distance


def ellipsoid(centre: Array, radii: Array, frame: Array | None = None) -> Distance:
    """Return the first-order distance to an ellipsoid; rows of `frame` (3, 3) are its axes, default x, y, z."""
    axes = np.eye(3) if frame is None else frame

    def distance(points: Array) -> Array:
        local = (points - centre) @ axes.T
        scaled = np.linalg.norm(local / radii, axis=-1)
        gradient = np.linalg.norm(local / radii**2, axis=-1)
        inside = scaled * (scaled - 1.0) / np.maximum(gradient, 1e-9)
        return np.where(gradient > 1e-9, inside, -radii.min())  # the centre itself has no direction

    return distance


def rounded_box(centre: Array, half_extents: Array, radius: float, frame: Array | None = None) -> Distance:
    """Return the distance to a box with rounded edges; rows of `frame` (3, 3) are its axes, default x, y, z."""
    axes = np.eye(3) if frame is None else frame

    def distance(points: Array) -> Array:
        outside = np.abs((points - centre) @ axes.T) - (half_extents - radius)
        return np.linalg.norm(np.maximum(outside, 0.0), axis=-1) + np.minimum(outside.max(-1), 0.0) - radius

    return distance


def smooth_min(a: Array, b: Array, reach: float) -> Array:
    """Return min(a, b) with a fillet where they differ by less than `reach` metres (quadratic, Quilez)."""
    overlap = np.maximum(reach - np.abs(a - b), 0.0)
    return np.minimum(a, b) - overlap * overlap / (4.0 * reach)


def smooth_union(parts: list[tuple[Distance, float]]) -> Distance:
    """Return the distance to solids joined one after the other, each with its own fillet reach."""

    def distance(points: Array) -> Array:
        joined = parts[0][0](points)
        for part, reach in parts[1:]:
            joined = smooth_min(joined, part(points), reach)
        return joined

    return distance


def gradient(distance: Distance, points: Array, step: float = 1e-4) -> Array:
    """Return the unit gradient (V, 3) of a distance at points (V, 3), by central differences."""
    columns = [distance(points + step * axis) - distance(points - step * axis) for axis in np.eye(3)]
    slopes = np.stack(columns, axis=-1)
    return slopes / np.maximum(np.linalg.norm(slopes, axis=-1, keepdims=True), 1e-12)


def surface_nets(distance: Distance, axes: tuple[Array, Array, Array]) -> tuple[Array, NDArray[np.int64]]:
    """Return the closed zero level of a distance as vertices (V, 3) and outward triangles (F, 3).

    Naive surface nets (Gibson 1998): one vertex in each grid cell that the surface crosses, at the mean of its edge
    crossings, and one quad for each grid edge that changes sign. `axes` holds the ascending grid coordinates of
    x, y, z, evenly spaced or not; the surface must not touch the border.
    """
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)  # (X, Y, Z, 3)
    values = distance(grid)
    sums = np.zeros((*(len(axis) - 1 for axis in axes), 3))
    counts = np.zeros(sums.shape[:3], dtype=np.int64)
    edges = []
    for axis in range(3):
        low, high = (
            values.take(range(values.shape[axis] - 1), axis),
            values.take(range(1, values.shape[axis]), axis),
        )
        where = np.argwhere((low < 0) != (high < 0))  # (E, 3): lower corner of each crossing edge
        a, b = low[tuple(where.T)], high[tuple(where.T)]
        start, stop = grid[tuple(where.T)], grid[tuple((where + np.eye(3, dtype=int)[axis]).T)]
        crossing = start + (a / (a - b))[:, None] * (stop - start)
        u, v = np.eye(3, dtype=int)[(axis + 1) % 3], np.eye(3, dtype=int)[(axis + 2) % 3]
        cells = np.stack([where - u - v, where - v, where, where - u], axis=1)  # (E, 4, 3) around the edge
        np.add.at(sums, tuple(np.moveaxis(cells, -1, 0)), crossing[:, None])
        np.add.at(counts, tuple(np.moveaxis(cells, -1, 0)), 1)
        # The sign of the change says on which side is outside.
        edges.append(np.where((a < 0)[:, None, None], cells, cells[:, ::-1]))
    numbers = np.cumsum(counts.ravel() > 0).reshape(counts.shape) - 1
    vertices = sums[counts > 0] / counts[counts > 0][:, None]
    quads = numbers[tuple(np.moveaxis(np.concatenate(edges), -1, 0))]  # (Q, 4)
    return vertices, split_quads(vertices, quads)


def split_quads(vertices: Array, quads: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return two triangles (2Q, 3) for each quad (Q, 4), cut along the shorter diagonal."""
    corners = vertices[quads]
    first = np.linalg.norm(corners[:, 0] - corners[:, 2], axis=-1)
    second = np.linalg.norm(corners[:, 1] - corners[:, 3], axis=-1)
    turned = np.where((first <= second)[:, None], quads, np.roll(quads, 1, axis=1))
    return np.concatenate([turned[:, [0, 1, 2]], turned[:, [0, 2, 3]]])
