"""Quaternions (x, y, z, w) as NumPy arrays, for the inner loop of a simulation; motiongen.rotation has all the rest."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

IDENTITY = np.array([0.0, 0.0, 0.0, 1.0])
_CONJUGATE = np.array([-1.0, -1.0, -1.0, 1.0])


def multiply(a: Array, b: Array) -> Array:
    """Return the rotations (..., 4) that apply b first, then a."""
    ax, ay, az, aw = a[..., 0], a[..., 1], a[..., 2], a[..., 3]
    bx, by, bz, bw = b[..., 0], b[..., 1], b[..., 2], b[..., 3]
    w = aw * bw - ax * bx - ay * by - az * bz
    product = np.empty((*w.shape, 4))
    product[..., 0] = aw * bx + ax * bw + ay * bz - az * by
    product[..., 1] = aw * by - ax * bz + ay * bw + az * bx
    product[..., 2] = aw * bz + ax * by - ay * bx + az * bw
    product[..., 3] = w
    return product


def inverse(quats: Array) -> Array:
    """Return the inverses (..., 4) of unit quaternions."""
    return quats * _CONJUGATE


def cross(a: Array, b: Array) -> Array:
    """Return a x b (..., 3); np.cross is several times slower on so little."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    x = ay * bz - az * by
    product = np.empty((*x.shape, 3))
    product[..., 0] = x
    product[..., 1] = az * bx - ax * bz
    product[..., 2] = ax * by - ay * bx
    return product


def rotate(quats: Array, vectors: Array) -> Array:
    """Return vectors (..., 3) rotated by unit quaternions (..., 4)."""
    across = 2 * cross(quats[..., :3], vectors)
    turned: Array = vectors + quats[..., 3:] * across + cross(quats[..., :3], across)
    return turned


def exp(vectors: Array) -> Array:
    """Return unit quaternions (..., 4) of rotation vectors (..., 3): axis times angle in radians."""
    half = np.linalg.norm(vectors, axis=-1, keepdims=True) / 2
    # np.sinc(x) = sin(pi x) / (pi x) has no hole at zero.
    return np.concatenate([0.5 * vectors * np.sinc(half / np.pi), np.cos(half)], axis=-1)


def log(quats: Array) -> Array:
    """Return rotation vectors (..., 3), angle in [0, pi], of unit quaternions (..., 4)."""
    quats = np.where(quats[..., 3:] < 0, -quats, quats)
    half = np.arctan2(np.linalg.norm(quats[..., :3], axis=-1, keepdims=True), quats[..., 3:])
    vectors: Array = 2 * quats[..., :3] / np.sinc(half / np.pi)
    return vectors


def slerp(a: Array, b: Array, part: Array) -> Array:
    """Return the rotations (..., 4) that lie `part` (...) of the short way from a to b."""
    return multiply(a, exp(log(multiply(inverse(a), b)) * part[..., None]))


def sixd(quats: Array) -> Array:
    """Return the first two columns (..., 6) of the rotation matrices of unit quaternions (Zhou et al. 2019)."""
    turned = matrices(quats)
    return np.concatenate([turned[..., 0], turned[..., 1]], axis=-1)


def matrices(quats: Array) -> Array:
    """Return rotation matrices (..., 3, 3) of unit quaternions (..., 4)."""
    x, y, z, w = quats[..., 0], quats[..., 1], quats[..., 2], quats[..., 3]
    found = np.empty((*x.shape, 3, 3))
    found[..., 0, 0], found[..., 0, 1], found[..., 0, 2] = (
        1 - 2 * (y * y + z * z),
        2 * (x * y - z * w),
        2 * (x * z + y * w),
    )
    found[..., 1, 0], found[..., 1, 1], found[..., 1, 2] = (
        2 * (x * y + z * w),
        1 - 2 * (x * x + z * z),
        2 * (y * z - x * w),
    )
    found[..., 2, 0], found[..., 2, 1], found[..., 2, 2] = (
        2 * (x * z - y * w),
        2 * (y * z + x * w),
        1 - 2 * (x * x + y * y),
    )
    return found


def yaw_of(quats: Array) -> Array:
    """Return the angle (...) about +z of the twist of unit quaternions (..., 4): where a body heads, z being up."""
    angle: Array = 2 * np.arctan2(quats[..., 2], quats[..., 3])
    return angle


def about_z(angle: Array) -> Array:
    """Return rotations (..., 4) by angle (...) radians about +z."""
    zero = np.zeros_like(angle)
    return np.stack([zero, zero, np.sin(angle / 2), np.cos(angle / 2)], axis=-1)
