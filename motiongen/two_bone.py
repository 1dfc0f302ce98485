"""Two-bone inverse kinematics in closed form: a thigh and a shin, or an arm, whose end is to be at a point."""

import numpy as np

from motiongen import planes
from motiongen.planes import Planes

MAX_REACH = 0.9995
"""Largest distance from the first joint to the end, as a share of the limb's length: a straight limb has no hinge."""
_STRAIGHT = 1e-3
"""Sine of the bend below which the limb itself does not tell its hinge."""


def solve(
    first: Planes, middle: Planes, end: Planes, goal: Planes, hinge: Planes, steady: float = 0.0
) -> tuple[Planes, Planes]:
    """Return rotations (4, ...): of the second bone about the middle joint, then of the limb about the first.

    The plane of the limb turns by the shortest way. A goal out of reach is approached along a straight line.

    Args:
        first: hip or shoulder (3, ...), metres.
        middle: knee or elbow (3, ...).
        end: ankle or wrist (3, ...).
        goal: where the end is to be (3, ...).
        hinge: unit axis (3, ...) of the middle joint, about which the second bone turns to straighten the limb; it
            is used where the limb is straight, and its own two bones tell no axis.
        steady: share of the hinge in the axis of any limb: that of one that is nearly straight is noise.
    """
    upper, lower = first - middle, end - middle
    a, b = planes.norm(upper), planes.norm(lower)
    reach = goal - first
    distance = np.minimum(planes.norm(reach), (a + b) * MAX_REACH)
    distance = np.maximum(distance, np.abs(a - b) + 1e-3 * (a + b))
    axis = planes.cross(upper, lower)  # turning the lower bone about it opens the angle
    sine_now, cosine_now = planes.norm(axis) / (a * b), planes.dot(upper, lower) / (a * b)
    bent = sine_now > _STRAIGHT
    axis = np.where(bent, axis / np.where(bent, sine_now * a * b, 1.0), hinge)
    if steady:
        axis = axis * sine_now + steady * hinge
        axis = axis - upper * (planes.dot(upper, axis) / (a * a))
        axis = axis / np.maximum(planes.norm(axis), 1e-9)
    cosine = (a * a + b * b - distance * distance) / (2 * a * b)
    sine = np.sqrt(np.maximum(1 - cosine * cosine, 0.0))
    # Half of the difference of two angles, by their sines and cosines alone.
    real = np.sqrt(np.maximum((1 + cosine * cosine_now + sine * sine_now) / 2, 1e-12))
    imaginary = (sine * cosine_now - cosine * sine_now) / (2 * real)
    bend = planes.normalized(np.concatenate([axis * imaginary, real[None]]))
    moved = middle + planes.rotate(bend, lower) - first
    return bend, planes.between(moved, reach)
