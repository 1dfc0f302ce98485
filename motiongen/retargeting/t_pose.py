"""The common T-pose: any humanoid's skeleton put upright, facing +Z, with arms and legs as SMPL's, and its size."""

from itertools import pairwise

import torch
from torch import Tensor

from motiongen.motion import Motion
from motiongen.rotation import (
    quat_between,
    quat_from_matrix,
    quat_multiply,
    quat_rotate,
    quat_yaw,
)
from motiongen.skeleton import SMPL22, Skeleton, local_rotations

# Limb bones that are laid along SMPL's T-pose: (joint, the joint at its end). Feet stay as they rest, flat on the
# floor, since the slope from ankle to toes differs from rig to rig.
_LIMBS = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
)
_SHORTEST = 1e-6
"""Length of a bone that has a direction, metres."""


def leg_length(skeleton: Skeleton, mapping: dict[str, str]) -> float:
    """Return the length of thigh plus shin in the rest pose, metres, the mean of both sides."""
    positions = skeleton.rest_positions
    total = 0.0
    for side in ("left", "right"):
        joints = [
            positions[skeleton.index(mapping[f"{side}_{p}"])]
            for p in ("hip", "knee", "ankle")
            if f"{side}_{p}" in mapping
        ]
        total += float(sum((a - b).norm() for a, b in pairwise(joints)))
    return total / 2


def find_t_pose(skeleton: Skeleton, mapping: dict[str, str], motion: Motion | None = None) -> Tensor:
    """Return local rotations (J, 4) that put a skeleton into SMPL's T-pose, facing +Z.

    The rest pose is rotated to stand upright and face +Z, then each arm and leg bone by the shortest rotation to the
    direction of SMPL's; a bone's twist is thereby that of the rest pose.

    Args:
        skeleton: any humanoid.
        mapping: SMPL joint name -> joint name of the skeleton.
        motion: a motion of the skeleton, whose first frame is taken where the rest pose is not a person's, but for
            the feet, which are flat where they are lowest.

    Raises:
        ValueError: a limb has a bone without length.
    """
    rotations, positions = skeleton.fk(skeleton.rest_rotations, skeleton.offsets.new_zeros(3))
    is_told = motion is not None and not _is_person(positions, skeleton, mapping)
    if motion is not None and is_told:
        rotations, positions = motion.global_rotations()[0], motion.positions()[0]
    turn = upright(positions, skeleton, mapping).expand(skeleton.num_joints, 4)
    rotations, positions = quat_multiply(turn, rotations), quat_rotate(turn, positions)
    for joint, tip in _LIMBS:
        if joint not in mapping or tip not in mapping:
            continue
        at, to = skeleton.index(mapping[joint]), skeleton.index(mapping[tip])
        wanted = SMPL22.offsets[SMPL22.index(tip)].to(positions)
        if tip.endswith("ankle") or tip.endswith("knee"):
            wanted = wanted * wanted.new_tensor([0.0, 1.0, 0.0])  # legs straight down: feet stay flat
        bone = positions[to] - positions[at]
        if not float(bone.norm()) > _SHORTEST:
            raise ValueError(
                f"skeleton: expected {joint} and {tip} apart, got {mapping[joint]!r} and {mapping[tip]!r} at one "
                "place; name other joints in a file of --mapping, or give the bone a length"
            )
        swing = quat_between(bone, wanted)
        below = _descendants(skeleton, at, without=_feet(mapping, joint, skeleton))
        rotations = _swung(rotations, swing, below)
        positions = _swung_positions(positions, skeleton, swing, at)
    if motion is not None and is_told:
        rotations = _with_flat_feet(rotations, motion, mapping)
    return local_rotations(rotations, skeleton)


def _frame(positions: Tensor, skeleton: Skeleton, mapping: dict[str, str]) -> tuple[Tensor, Tensor]:
    """Return the directions (3,) of the body's left and up, from hips and shoulders."""
    at = {name: positions[skeleton.index(joint)] for name, joint in mapping.items()}
    left = at["left_hip"] - at["right_hip"] + at["left_shoulder"] - at["right_shoulder"]
    up = (at["left_shoulder"] + at["right_shoulder"] - at["left_hip"] - at["right_hip"]) / 2
    return left, up


def _is_person(positions: Tensor, skeleton: Skeleton, mapping: dict[str, str]) -> bool:
    """Return whether a pose has legs that point down and shoulders parallel to the hips."""
    left, up = _frame(positions, skeleton, mapping)
    down = torch.zeros(3).to(up)
    for side in ("left", "right"):
        down = (
            down
            + positions[skeleton.index(mapping[f"{side}_knee"])]
            - positions[skeleton.index(mapping[f"{side}_hip"])]
        )
    hips = positions[skeleton.index(mapping["left_hip"])] - positions[skeleton.index(mapping["right_hip"])]
    return bool(_cosine(down, -up) > 0.7 and _cosine(hips, left) > 0.7 and _cosine(left, up).abs() < 0.5)


def _with_flat_feet(rotations: Tensor, motion: Motion, mapping: dict[str, str]) -> Tensor:
    """Return rotations (J, 4) with each foot as it is where it is lowest in a clip, turned to +Z: there it is flat."""
    rotations, skeleton, places = rotations.clone(), motion.skeleton, motion.positions()
    for side in ("left", "right"):
        if not {f"{side}_ankle", f"{side}_foot"} <= mapping.keys():
            continue
        ankle, toes = (skeleton.index(mapping[f"{side}_{part}"]) for part in ("ankle", "foot"))
        frame = int((places[:, ankle, 1] + places[:, toes, 1]).argmin())
        forward = places[frame, toes] - places[frame, ankle]
        foot = _descendants(skeleton, ankle, without=set())
        turn = quat_yaw(-torch.atan2(forward[0], forward[2])).expand(len(foot), 4)
        rotations[foot] = quat_multiply(turn, motion.global_rotations()[frame, foot])
    return rotations


def upright(positions: Tensor, skeleton: Skeleton, mapping: dict[str, str]) -> Tensor:
    """Return the rotation (4,) that makes a pose stand upright, facing +Z; quarter turns where those are enough."""
    left, up = _frame(positions, skeleton, mapping)
    left, up = _snap(left), _snap(up)
    up = up - (up @ left) / (left @ left) * left
    left, up = left / left.norm(), up / up.norm()
    return quat_from_matrix(torch.stack([left, up, torch.linalg.cross(left, up)]))


def _snap(direction: Tensor) -> Tensor:
    """Return the unit axis nearest to a direction, or the direction itself where none is near: small leans are kept."""
    direction = direction / direction.norm()
    axis = torch.zeros_like(direction)
    axis[direction.abs().argmax()] = direction[direction.abs().argmax()].sign()
    return axis if float(direction @ axis) > 0.85 else direction


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    return a @ b / (a.norm() * b.norm()).clamp_min(1e-9)


def _descendants(skeleton: Skeleton, joint: int, without: set[int]) -> list[int]:
    inside = [joint]
    for i in range(joint + 1, skeleton.num_joints):
        if skeleton.parents[i] in inside and i not in without:
            inside.append(i)
    return inside


def _feet(mapping: dict[str, str], joint: str, skeleton: Skeleton) -> set[int]:
    """Return the joint of the foot below a leg bone, which does not swing with the leg."""
    side = joint.split("_")[0]
    name = mapping.get(f"{side}_ankle") if joint.endswith(("hip", "knee")) else None
    return set() if name is None else {skeleton.index(name)}


def _swung(rotations: Tensor, swing: Tensor, joints: list[int]) -> Tensor:
    rotations = rotations.clone()
    rotations[joints] = quat_multiply(swing.expand(len(joints), 4), rotations[joints])
    return rotations


def _swung_positions(positions: Tensor, skeleton: Skeleton, swing: Tensor, at: int) -> Tensor:
    """Return the positions after all joints below a joint have swung about it."""
    positions = positions.clone()
    below = _descendants(skeleton, at, without=set())[1:]
    positions[below] = positions[at] + quat_rotate(
        swing.expand(len(below), 4), positions[below] - positions[at]
    )
    return positions
