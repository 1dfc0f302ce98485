"""Rotations and vectors as tuples: xyzw and xyz."""

import math

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

IDENTITY: Quaternion = (0.0, 0.0, 0.0, 1.0)


def multiply(p: Quaternion, q: Quaternion) -> Quaternion:
    """Return the rotation q followed by p."""
    (x, y, z, w), (a, b, c, d) = p, q
    return (
        w * a + x * d + y * c - z * b,
        w * b - x * c + y * d + z * a,
        w * c + x * b - y * a + z * d,
        w * d - x * a - y * b - z * c,
    )


def inverse(q: Quaternion) -> Quaternion:
    """Return the rotation back."""
    return -q[0], -q[1], -q[2], q[3]


def rotate(q: Quaternion, v: Vector) -> Vector:
    """Return a vector turned by a rotation."""
    (x, y, z, w), (a, b, c) = q, v
    i, j, k = y * c - z * b + w * a, z * a - x * c + w * b, x * b - y * a + w * c
    return a + 2 * (y * k - z * j), b + 2 * (z * i - x * k), c + 2 * (x * j - y * i)


def between(u: Vector, v: Vector) -> Quaternion:
    """Return the shortest rotation that takes the direction of u to that of v."""
    u, v = unit(u), unit(v)
    x, y, z = cross(u, v)
    w = 1 + dot(u, v)
    if w < 1e-8:  # a half turn, about any axis across
        x, y, z = cross(u, (1.0, 0.0, 0.0) if abs(u[0]) < 0.9 else (0.0, 1.0, 0.0))
        w = 0.0
    length = math.sqrt(x * x + y * y + z * z + w * w)
    return x / length, y / length, z / length, w / length


def from_columns(x: Vector, y: Vector, z: Vector) -> Quaternion:
    """Return the rotation whose matrix has these columns, which are orthonormal and right-handed."""
    m = (x[0], y[0], z[0]), (x[1], y[1], z[1]), (x[2], y[2], z[2])
    # The largest of the four is computed first: it is never near zero.
    squares = (
        1 + m[0][0] - m[1][1] - m[2][2],
        1 - m[0][0] + m[1][1] - m[2][2],
        1 - m[0][0] - m[1][1] + m[2][2],
        1 + m[0][0] + m[1][1] + m[2][2],
    )
    largest = max(range(4), key=lambda n: squares[n])
    s = math.sqrt(squares[largest]) * 2
    off = (m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1])
    plus = (m[1][0] + m[0][1], m[0][2] + m[2][0], m[2][1] + m[1][2])
    return (
        (s / 4, plus[0] / s, plus[1] / s, off[0] / s),
        (plus[0] / s, s / 4, plus[2] / s, off[1] / s),
        (plus[1] / s, plus[2] / s, s / 4, off[2] / s),
        (off[0] / s, off[1] / s, off[2] / s, s / 4),
    )[largest]


def add(u: Vector, v: Vector) -> Vector:
    """Return u + v."""
    return u[0] + v[0], u[1] + v[1], u[2] + v[2]


def subtract(u: Vector, v: Vector) -> Vector:
    """Return u - v."""
    return u[0] - v[0], u[1] - v[1], u[2] - v[2]


def scaled(v: Vector, factor: float) -> Vector:
    """Return a multiple of a vector."""
    return v[0] * factor, v[1] * factor, v[2] * factor


def dot(u: Vector, v: Vector) -> float:
    """Return the scalar product."""
    return u[0] * v[0] + u[1] * v[1] + u[2] * v[2]


def cross(u: Vector, v: Vector) -> Vector:
    """Return the vector product."""
    return u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]


def length(v: Vector) -> float:
    """Return the length of a vector."""
    return math.sqrt(dot(v, v))


def unit(v: Vector) -> Vector:
    """Return a vector of length one in the same direction; +Y for none."""
    size = length(v)
    return scaled(v, 1 / size) if size > 1e-12 else (0.0, 1.0, 0.0)
