"""Skin weights and colours of the mannequin's vertices."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from motiongen.body.implicit import Array

MAX_INFLUENCES = 4
# Bones as (joint that turns them, joint at the far end or an offset to it, radius of the flesh around), metres.
# The radius assigns the flank to the spine and the armpit to the collar, though the arm's bone may be nearer.
_TRUNK_BONES = (
    ("pelvis", (0.0, -0.070, 0.0), 0.125),
    ("pelvis", "spine1", 0.125),
    ("spine1", "spine2", 0.125),
    ("spine2", "spine3", 0.125),
    ("spine3", (0.0, 0.150, 0.0), 0.140),
    ("neck", "head", 0.050),
    ("head", (0.0, 0.080, 0.020), 0.085),
)
_LIMB_BONES = (
    ("collar", "shoulder", 0.050),
    ("shoulder", "elbow", 0.055),
    ("elbow", "wrist", 0.045),
    ("wrist", (0.170, 0.0, 0.0), 0.045),
    ("hip", "knee", 0.075),
    ("knee", "ankle", 0.045),
    ("ankle", "foot", 0.040),
    ("foot", (0.0, 0.0, 0.080), 0.040),
)
SHELL = (0.83, 0.83, 0.80)
LEFT = (0.56, 0.71, 0.83)
RIGHT = (0.90, 0.68, 0.52)
JOINT = (0.30, 0.32, 0.36)
# Dark bands around the limbs: joint, width in metres.
_BANDS = {"elbow": 0.044, "wrist": 0.034, "knee": 0.064, "ankle": 0.048}


def edges_of(faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return both directions of each edge (2E, 2) of a closed triangle mesh."""
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def neighbour_mean(values: Array, faces: NDArray[np.int64]) -> Array:
    """Return for each vertex the mean of its neighbours' values (V, C)."""
    edges = edges_of(faces)
    sums, counts = np.zeros_like(values), np.zeros(len(values))
    np.add.at(sums, edges[:, 0], values[edges[:, 1]])
    np.add.at(counts, edges[:, 0], 1.0)
    return sums / counts[:, None]


def skin_weights(
    vertices: Array, faces: NDArray[np.int64], joints: Mapping[str, Array], rounds: int = 9
) -> tuple[NDArray[np.int64], Array]:
    """Return joint indices (V, 4) and weights (V, 4) that sum to one, largest first.

    Each vertex begins with its nearest bone, and weights are then averaged over neighbours on the surface, `rounds`
    times. As they spread along the skin, they cannot jump from one leg to the other or from an arm to the trunk.
    """
    names = list(joints)
    bones = _bones(joints)
    distances = np.stack(
        [_segment_distance(vertices, start, end) - radius for _, start, end, radius in bones]
    )
    nearest = np.array([names.index(bones[i][0]) for i in distances.argmin(0)])
    weights = np.eye(len(names))[nearest]
    for _ in range(rounds):
        weights = 0.3 * weights + 0.7 * neighbour_mean(weights, faces)
    weights *= _side_mask(vertices, names)
    order = np.argsort(-weights, axis=1, kind="stable")[:, :MAX_INFLUENCES]
    kept = np.take_along_axis(weights, order, axis=1)
    kept[kept < 0.01 * kept[:, :1]] = 0.0
    return np.where(kept > 0, order, 0), kept / kept.sum(1, keepdims=True)


def colours(vertices: Array, joints: Mapping[str, Array]) -> Array:
    """Return display RGB (V, 3): a light trunk, bluish left and orange right limbs, dark joints."""
    tones = np.tile(np.array(SHELL), (len(vertices), 1))
    for side, tone in (("left", LEFT), ("right", RIGHT)):
        sign = 1.0 if side == "left" else -1.0
        arm = vertices[:, 0] * sign - abs(joints[f"{side}_shoulder"][0]) - 0.015
        hip = joints[f"{side}_hip"]
        # The leg begins on a slanting line from the groin to the hip bone.
        leg = np.minimum(
            hip[1] - 0.020 - vertices[:, 1] + 0.9 * (vertices[:, 0] * sign - 0.02), vertices[:, 0] * sign
        )
        tones = _blend(tones, tone, np.maximum(arm, leg))
        for name, width in _BANDS.items():
            offset = vertices - joints[f"{side}_{name}"]
            if name == "ankle":
                offset = offset - (0.0, 0.035, 0.0)  # above the instep
            along = np.abs(offset[:, 0 if name in ("elbow", "wrist") else 1])
            near = np.linalg.norm(offset, axis=1) < 2.5 * width
            tones = np.where(near[:, None], _blend(tones, JOINT, 0.5 * width - along), tones)
    collar = joints["neck"] + (0.0, 0.022, 0.010)
    level = np.abs(vertices[:, 1] - collar[1] + 0.45 * (vertices[:, 2] - collar[2]))
    return _blend(tones, JOINT, np.minimum(0.020 - level, 0.090 - np.linalg.norm(vertices - collar, axis=1)))


def _bones(joints: Mapping[str, Array]) -> Sequence[tuple[str, Array, Array, float]]:
    bones = []
    for name, end, radius in _TRUNK_BONES:
        tip = joints[end] if isinstance(end, str) else joints[name] + np.array(end)
        bones.append((name, joints[name], tip, radius))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for name, end, radius in _LIMB_BONES:
            start = joints[f"{side}_{name}"]
            tip = (
                joints[f"{side}_{end}"] if isinstance(end, str) else start + np.array(end) * (sign, 1.0, 1.0)
            )
            bones.append((f"{side}_{name}", start, tip, radius))
    return bones


def _segment_distance(points: Array, start: Array, end: Array) -> Array:
    axis = end - start
    along = np.clip((points - start) @ axis / (axis @ axis), 0.0, 1.0)
    return np.linalg.norm(points - start - along[:, None] * axis, axis=1)


def _side_mask(vertices: Array, names: Sequence[str], width: float = 0.04) -> Array:
    """Return factors (V, J) that fade the weights of left and right bones out towards the middle of the body."""
    mask = np.ones((len(vertices), len(names)))
    for column, name in enumerate(names):
        if name.startswith(("left_", "right_")):
            sign = 1.0 if name.startswith("left_") else -1.0
            mask[:, column] = np.clip(vertices[:, 0] * sign / width, 0.0, 1.0)
    return mask


def _blend(tones: Array, tone: tuple[float, float, float], inside: Array, softness: float = 0.008) -> Array:
    """Return tones (V, 3) replaced by another one where `inside` (V,) is positive, with a soft edge, metres."""
    share = np.clip(0.5 + inside / (2.0 * softness), 0.0, 1.0)[:, None]
    return tones * (1.0 - share) + np.array(tone) * share
