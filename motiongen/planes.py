"""Quaternions and vectors as planes: components outermost, in NumPy, for code that must be fast frame by frame, too.

A quaternion plane is (4, ...), x, y, z, w; a vector plane (3, ...). Only sums, products, quotients and square roots of
whole arrays are used: the bits of a frame do not depend on how many frames are computed at once.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float64]

_LEFT = np.array([[3, 3, 3, 3], [0, 1, 2, 0], [1, 2, 0, 1], [2, 0, 1, 2]])
_RIGHT = np.array([[0, 1, 2, 3], [3, 3, 3, 0], [2, 0, 1, 1], [1, 2, 0, 2]])
_SIGN = np.array([[1.0, 1, 1, 1], [1, 1, 1, -1], [1, 1, 1, -1], [-1, -1, -1, -1]])
_NEXT, _AFTER = [1, 2, 0], [2, 0, 1]


def multiply(a: Planes, b: Planes) -> Planes:
    """Return the Hamilton product a b (4, ...): the rotation that applies b first, then a."""
    terms = a[_LEFT] * b[_RIGHT]  # (4 terms, 4 components, ...)
    terms *= _SIGN.reshape(4, 4, *(1,) * (terms.ndim - 2))
    return np.asarray(terms[0] + terms[1] + terms[2] + terms[3])


def inverse(quats: Planes) -> Planes:
    """Return the inverse of unit quaternions (4, ...)."""
    flipped = -quats
    flipped[3] = quats[3]
    return np.asarray(flipped)


def cross(a: Planes, b: Planes) -> Planes:
    """Return the cross product (3, ...)."""
    return np.asarray(a[_NEXT] * b[_AFTER] - a[_AFTER] * b[_NEXT])


def dot(a: Planes, b: Planes) -> Planes:
    """Return the inner product (...) of vectors (3, ...)."""
    terms = a * b
    return np.asarray(terms[0] + terms[1] + terms[2])


def norm(vectors: Planes) -> Planes:
    """Return the length (...) of vectors (3, ...)."""
    return np.asarray(np.sqrt(dot(vectors, vectors)))


def rotate(quats: Planes, vectors: Planes) -> Planes:
    """Return vectors (3, ...) rotated by unit quaternions (4, ...)."""
    way = 2 * cross(quats[:3], vectors)
    return np.asarray(vectors + quats[3] * way + cross(quats[:3], way))


def normalized(quats: Planes) -> Planes:
    """Return quaternions (4, ...) scaled to unit length."""
    squares = quats * quats
    return np.asarray(quats / np.sqrt(squares[0] + squares[1] + squares[2] + squares[3]))


def between(u: Planes, v: Planes) -> Planes:
    """Return the shortest rotation (4, ...) that turns direction u (3, ...) into direction v (3, ...)."""
    scale = np.sqrt(dot(u, u) * dot(v, v))
    real = scale + dot(u, v)
    quats = np.concatenate([cross(u, v), real[None]])
    # Opposite directions: any axis across u will do.
    axis = np.where(np.abs(u[:1]) < 0.7 * norm(u), _axis(u, 0), _axis(u, 1))
    half_turn = np.concatenate([cross(u, axis), np.zeros_like(real)[None]])
    return normalized(np.where(real > 1e-12 * scale, quats, half_turn))


def _axis(like: Planes, number: int) -> Planes:
    unit: Any = np.zeros(like.shape)
    unit[number] = 1.0
    return np.asarray(unit)
