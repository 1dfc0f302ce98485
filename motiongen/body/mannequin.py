"""The shape of motiongen's own body: a mannequin of simple solids around the joints of SMPL-22."""

from collections.abc import Mapping

import numpy as np

from motiongen.body.implicit import (
    Array,
    Distance,
    ellipsoid,
    round_cone,
    rounded_box,
    smooth_min,
    smooth_union,
)

SOLE = -0.970
"""Height of the soles in the T-pose with the pelvis at the origin, metres."""


def mannequin(joints: Mapping[str, Array]) -> Distance:
    """Return the signed distance to the whole body in the T-pose.

    Args:
        joints: rest position (3,) of each SMPL-22 joint, metres, the pelvis at the origin.
    """
    trunk = smooth_union(_trunk(joints) + _head(joints))
    limbs = []
    for side, sign in (("left", 1.0), ("right", -1.0)):
        limbs += [(_leg(joints, side, sign), 0.05), (_arm(joints, side, sign), 0.05)]

    def distance(points: Array) -> Array:
        body = trunk(points)
        # Limbs are joined to the trunk only, not to each other: the thighs must not merge.
        joined = [smooth_min(body, limb(points), reach) for limb, reach in limbs]
        return np.minimum.reduce(joined)

    return distance


def _point(x: float, y: float, z: float) -> Array:
    return np.array([x, y, z])


def _trunk(joints: Mapping[str, Array]) -> list[tuple[Distance, float]]:
    neck, head = joints["neck"], joints["head"]
    parts = [
        (ellipsoid(_point(0.0, -0.010, -0.008), _point(0.148, 0.105, 0.104)), 0.0),  # pelvis
        (ellipsoid(_point(0.0, -0.055, -0.005), _point(0.138, 0.085, 0.100)), 0.06),
        (ellipsoid(_point(0.0, 0.130, -0.006), _point(0.118, 0.135, 0.086)), 0.08),  # waist
        (ellipsoid(_point(0.0, 0.305, -0.008), _point(0.150, 0.145, 0.104)), 0.09),  # rib cage
        (ellipsoid(_point(0.0, 0.400, -0.022), _point(0.150, 0.085, 0.090)), 0.06),
        (round_cone(neck + _point(0.0, -0.04, -0.008), head + _point(0.0, 0.0, -0.008), 0.054, 0.048), 0.05),
    ]
    for sign in (1.0, -1.0):
        blade = _point(sign * 0.165, 0.448, -0.032)
        parts += [
            (ellipsoid(_point(sign * 0.065, 0.360, 0.045), _point(0.078, 0.062, 0.048)), 0.05),  # chest
            (ellipsoid(_point(sign * 0.062, -0.075, -0.058), _point(0.078, 0.078, 0.062)), 0.04),  # seat
            (round_cone(_point(sign * 0.03, 0.490, -0.034), blade, 0.036, 0.042), 0.05),  # trapezius
            (ellipsoid(_point(sign * 0.105, 0.345, -0.030), _point(0.055, 0.105, 0.072)), 0.05),  # flank
        ]
    return parts


def _head(joints: Mapping[str, Array]) -> list[tuple[Distance, float]]:
    centre = joints["head"] + _point(0.0, 0.040, 0.010)
    skull = ellipsoid(centre + _point(0.0, 0.026, -0.006), _point(0.074, 0.086, 0.094))
    face = ellipsoid(centre + _point(0.0, -0.032, 0.028), _point(0.059, 0.076, 0.068))
    jaw = ellipsoid(centre + _point(0.0, -0.080, 0.048), _point(0.036, 0.034, 0.040))
    brow = ellipsoid(centre + _point(0.0, 0.012, 0.074), _point(0.048, 0.020, 0.020))
    nose = round_cone(centre + _point(0.0, 0.000, 0.090), centre + _point(0.0, -0.030, 0.106), 0.009, 0.0135)
    parts = [(skull, 0.05), (face, 0.05), (jaw, 0.05), (brow, 0.03), (nose, 0.022)]
    for sign in (1.0, -1.0):
        ear = ellipsoid(centre + _point(sign * 0.073, -0.008, -0.008), _point(0.013, 0.032, 0.021))
        cheek = ellipsoid(centre + _point(sign * 0.032, -0.028, 0.064), _point(0.026, 0.024, 0.026))
        parts += [(ear, 0.016), (cheek, 0.03)]
    return parts


def _leg(joints: Mapping[str, Array], side: str, sign: float) -> Distance:
    hip, knee, ankle, ball = (joints[f"{side}_{name}"] for name in ("hip", "knee", "ankle", "foot"))
    leg = smooth_union(
        [
            (round_cone(hip + _point(sign * 0.006, -0.020, -0.004), knee, 0.088, 0.054), 0.0),
            (
                ellipsoid(hip + _point(sign * 0.012, -0.150, 0.024), _point(0.068, 0.165, 0.066)),
                0.05,
            ),  # thigh, front
            (
                ellipsoid(hip + _point(sign * 0.002, -0.200, -0.026), _point(0.060, 0.150, 0.058)),
                0.05,
            ),  # thigh, back
            (ellipsoid(knee + _point(0.0, 0.004, 0.024), _point(0.042, 0.050, 0.036)), 0.03),  # kneecap
            (round_cone(knee, ankle + _point(0.0, 0.030, -0.002), 0.050, 0.033), 0.04),
            (
                ellipsoid(knee + _point(sign * 0.003, -0.125, -0.030), _point(0.046, 0.115, 0.046)),
                0.05,
            ),  # calf
            (ellipsoid(ankle + _point(0.0, 0.004, 0.0), _point(0.037, 0.034, 0.036)), 0.03),
        ]
    )
    heel = ellipsoid(ankle + _point(0.0, -0.050, -0.028), _point(0.036, 0.042, 0.042))
    instep = round_cone(ankle + _point(0.0, -0.020, 0.015), ball + _point(0.0, 0.010, 0.0), 0.036, 0.030)
    sole = round_cone(
        ankle + _point(sign * 0.002, -0.060, -0.010), ball + _point(sign * 0.002, 0.0, 0.0), 0.036, 0.041
    )
    toes = ellipsoid(ball + _point(sign * -0.004, 0.002, 0.045), _point(0.046, 0.027, 0.058))
    foot = smooth_union([(heel, 0.0), (sole, 0.04), (instep, 0.04), (toes, 0.04)])

    def distance(points: Array) -> Array:
        flat = -smooth_min(-foot(points), points[..., 1] - SOLE, 0.02)  # cut the foot off at the floor
        return smooth_min(leg(points), flat, 0.04)

    return distance


def _arm(joints: Mapping[str, Array], side: str, sign: float) -> Distance:
    shoulder, elbow, wrist = (joints[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
    return smooth_union(
        [
            (round_cone(shoulder, elbow, 0.056, 0.040), 0.0),
            (
                ellipsoid(shoulder + _point(sign * 0.030, 0.006, 0.0), _point(0.075, 0.060, 0.063)),
                0.04,
            ),  # deltoid
            (
                ellipsoid(shoulder + _point(sign * 0.140, 0.000, 0.014), _point(0.085, 0.044, 0.040)),
                0.04,
            ),  # biceps
            (
                ellipsoid(shoulder + _point(sign * 0.130, 0.000, -0.016), _point(0.095, 0.044, 0.040)),
                0.04,
            ),  # triceps
            (round_cone(elbow, wrist, 0.038, 0.026), 0.03),
            (
                ellipsoid(elbow + _point(sign * 0.070, 0.0, 0.006), _point(0.085, 0.039, 0.043)),
                0.04,
            ),  # forearm
            (_hand(wrist, sign), 0.03),
        ]
    )


def _hand(wrist: Array, sign: float) -> Distance:
    def at(out: float, up: float, front: float) -> Array:
        return wrist + _point(sign * out, up, front)

    palm = rounded_box(at(0.052, -0.002, 0.004), _point(0.050, 0.016, 0.041), 0.015)
    fist = round_cone(at(0.012, 0.0, 0.0), at(0.060, 0.0, 0.002), 0.026, 0.018)
    mitten = [
        (rounded_box(at(0.112, -0.006, 0.003), _point(0.034, 0.0135, 0.040), 0.013, _tilt(sign, 0.16)), 0.0),
        (
            rounded_box(at(0.150, -0.017, 0.003), _point(0.028, 0.0120, 0.034), 0.0118, _tilt(sign, 0.42)),
            0.022,
        ),
    ]
    parts = [(palm, 0.0), (fist, 0.025), (smooth_union(mitten), 0.022)]
    thumb = smooth_union(
        [
            (round_cone(at(0.024, -0.006, 0.026), at(0.058, -0.016, 0.066), 0.017, 0.0130), 0.0),
            (round_cone(at(0.058, -0.016, 0.066), at(0.090, -0.024, 0.086), 0.0130, 0.0105), 0.006),
        ]
    )
    return smooth_union([*parts, (thumb, 0.016)])


def _tilt(sign: float, angle: float) -> Array:
    """Return axes whose first, which points away from the body, dips by an angle in radians."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sign * sine, 0.0], [sign * sine, cosine, 0.0], [0.0, 0.0, 1.0]])
