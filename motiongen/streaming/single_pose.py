"""Quaternions, vectors and two-bone limbs of a single pose, as tuples of floats.

The same as `planes` and `two_bone` compute for many frames at once: for one alone NumPy's calls take ten times as long
as its sums, and frames that are taken one by one are many.
"""

import math

from motiongen.two_bone import MAX_REACH

Quat = tuple[float, float, float, float]
Vector = tuple[float, float, float]
_STRAIGHT = 1e-3


def multiply(a: Quat, b: Quat) -> Quat:
    """Return the Hamilton product a b: the rotation that applies b first, then a."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def inverse(quat: Quat) -> Quat:
    """Return the inverse of a unit quaternion."""
    return -quat[0], -quat[1], -quat[2], quat[3]


def rotate(quat: Quat, vector: Vector) -> Vector:
    """Return a vector rotated by a unit quaternion."""
    x, y, z, w = quat
    vx, vy, vz = vector
    tx, ty, tz = 2 * (y * vz - z * vy), 2 * (z * vx - x * vz), 2 * (x * vy - y * vx)
    return vx + w * tx + y * tz - z * ty, vy + w * ty + z * tx - x * tz, vz + w * tz + x * ty - y * tx


def add(a: Vector, b: Vector) -> Vector:
    """Return the sum of two vectors."""
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def subtract(a: Vector, b: Vector) -> Vector:
    """Return the way from b to a."""
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def dot(a: Vector, b: Vector) -> float:
    """Return the inner product of two vectors."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """Return the cross product of two vectors."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def yaw(angle: float) -> Quat:
    """Return a turn about the vertical, from +Z to +X where positive."""
    return 0.0, math.sin(angle / 2), 0.0, math.cos(angle / 2)


def between(u: Vector, v: Vector) -> Quat:
    """Return the shortest rotation that turns direction u into direction v."""
    scale = math.sqrt(dot(u, u) * dot(v, v))
    real = scale + dot(u, v)
    if real > 1e-9 * scale:
        x, y, z = cross(u, v)
    else:  # opposite: any axis across u will do
        x, y, z = cross(u, (1.0, 0.0, 0.0) if abs(u[0]) < 0.7 * math.sqrt(dot(u, u)) else (0.0, 1.0, 0.0))
        real = 0.0
    length = math.sqrt(x * x + y * y + z * z + real * real) or 1.0
    return x / length, y / length, z / length, real / length


def blend(a: Quat, b: Quat, share: float) -> Quat:
    """Return the rotation between two on the shorter way, normalised linear, with a share of the second."""
    near = math.copysign(share, a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3])
    x, y, z, w = (p + (q * near - p * share) for p, q in zip(a, b, strict=True))
    length = math.sqrt(x * x + y * y + z * z + w * w) or 1.0
    return x / length, y / length, z / length, w / length


def solve_limb(first: Vector, middle: Vector, end: Vector, goal: Vector, hinge: Vector) -> tuple[Quat, Quat]:
    """Return the rotations of `two_bone.solve`: of the second bone about the middle joint, then of the limb.

    Args:
        first: hip or shoulder, metres.
        middle: knee or elbow.
        end: ankle or wrist.
        goal: where the end is to be.
        hinge: unit axis about which the second bone turns to straighten a limb that is straight.
    """
    upper, lower = subtract(first, middle), subtract(end, middle)
    a, b = math.sqrt(dot(upper, upper)), math.sqrt(dot(lower, lower))
    reach = subtract(goal, first)
    distance = min(math.sqrt(dot(reach, reach)), (a + b) * MAX_REACH)
    distance = max(distance, abs(a - b) + 1e-3 * (a + b))
    axis = cross(upper, lower)
    sine_now, cosine_now = math.sqrt(dot(axis, axis)) / (a * b), dot(upper, lower) / (a * b)
    if sine_now > _STRAIGHT:
        scale = sine_now * a * b
        axis = axis[0] / scale, axis[1] / scale, axis[2] / scale
    else:
        axis = hinge
    cosine = (a * a + b * b - distance * distance) / (2 * a * b)
    sine = math.sqrt(max(1 - cosine * cosine, 0.0))
    real = math.sqrt(max((1 + cosine * cosine_now + sine * sine_now) / 2, 1e-12))
    imaginary = (sine * cosine_now - cosine * sine_now) / (2 * real)
    length = math.sqrt(imaginary * imaginary * dot(axis, axis) + real * real)
    scale = imaginary / length
    bend = axis[0] * scale, axis[1] * scale, axis[2] * scale, real / length
    moved = subtract(add(middle, rotate(bend, lower)), first)
    return bend, between(moved, reach)
