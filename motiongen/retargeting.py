"""Retargeting from any humanoid skeleton to any other by rotations alone, without inverse kinematics.

Both skeletons are put into the same T-pose, and each joint's rotation from there, in the world, is copied. Bone
directions are kept exactly and bone lengths are the target's, so that the target's proportions decide where hands and
feet are: contact with props or with the other hand is lost. The hips' path is scaled by leg length.
"""

from itertools import pairwise

import torch
from torch import Tensor

from motiongen.humanoid import humanoid_map
from motiongen.motion import Motion
from motiongen.rotation import quat_between, quat_from_matrix, quat_inverse, quat_multiply, quat_rotate
from motiongen.skeleton import SMPL22, Skeleton, local_rotations

# Limb bones that are laid along SMPL's T-pose: (joint, the joint at its end). Feet stay as they rest, flat on the
# floor, since the slope from ankle to toes differs from rig to rig.
_LIMBS = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
)


def retarget(
    motion: Motion,
    target: Skeleton = SMPL22,
    *,
    mapping: dict[str, str] | None = None,
    t_pose: Tensor | None = None,
    target_mapping: dict[str, str] | None = None,
) -> Motion:
    """Return the motion on another skeleton, at the same rate.

    Args:
        motion: of any humanoid.
        target: the skeleton to move.
        mapping: SMPL joint name -> joint name of the motion's skeleton; found by names if None.
        t_pose: local rotations (J, 4) that put the motion's skeleton into SMPL's T-pose; if None they come from
            its rest pose, or from its first frame where the rest pose is not a person's.
        target_mapping: as mapping, for the target.

    Raises:
        ValueError: a skeleton is no humanoid.
    """
    source = motion.skeleton
    mapping = humanoid_map(source) if mapping is None else mapping
    target_mapping = humanoid_map(target) if target_mapping is None else target_mapping
    if t_pose is None:
        t_pose = find_t_pose(source, mapping, motion)
    source_t, _ = source.fk(t_pose.to(motion.rotations), motion.root.new_zeros(3))
    target_t, target_positions = target.fk(find_t_pose(target, target_mapping), target.offsets.new_zeros(3))

    rotations = _copy_rotations(motion, source_t, target_t, mapping, target, target_mapping)
    scale = leg_length(target, target_mapping) / leg_length(source, mapping)
    hips = _middle_of_hips(motion.positions(), source, mapping) * scale  # (T, 3)
    hip_offset = (
        _middle_of_hips(target_positions, target, target_mapping)
        - target_positions[_root_index(target, target_mapping)]
    )
    pelvis_rotation = _globals(rotations, target)[:, _root_index(target, target_mapping)]
    from_rest = quat_multiply(pelvis_rotation, quat_inverse(target_t[_root_index(target, target_mapping)]))
    pelvis = hips - quat_rotate(from_rest, hip_offset)
    # The target's pelvis may have joints above it; the root is moved so that the pelvis is where it should be.
    unmoved = target.fk(rotations, torch.zeros_like(pelvis))[1][:, _root_index(target, target_mapping)]
    return Motion(target, rotations, pelvis - unmoved, motion.fps, licence=motion.licence)


def position_error(source: Motion, retargeted: Motion, mapping: dict[str, str] | None = None) -> Tensor:
    """Return the distance (T, M), metres, of M joints of a retargeted motion from the source's, scaled by leg length.

    Both are measured from the middle of the hips, so that only the difference of proportions and rest poses remains.

    Args:
        source: any humanoid.
        retargeted: the same motion on SMPL-22.
        mapping: SMPL joint name -> joint name of the source; found by names if None.
    """
    mapping = humanoid_map(source.skeleton) if mapping is None else mapping
    own = {name: name for name in mapping}
    scale = leg_length(retargeted.skeleton, own) / leg_length(source.skeleton, mapping)
    expected, actual = source.positions() * scale, retargeted.positions()
    expected = expected - _middle_of_hips(expected, source.skeleton, mapping)[:, None]
    actual = actual - _middle_of_hips(actual, retargeted.skeleton, own)[:, None]
    expected = expected[:, [source.skeleton.index(name) for name in mapping.values()]]
    actual = actual[:, [retargeted.skeleton.index(name) for name in mapping]]
    return (expected - actual).norm(dim=-1)


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
        motion: a motion of the skeleton, whose first frame is taken where the rest pose is not a person's.
    """
    rotations, positions = skeleton.fk(skeleton.rest_rotations, skeleton.offsets.new_zeros(3))
    if motion is not None and not _is_person(positions, skeleton, mapping):
        rotations, positions = motion.global_rotations()[0], motion.positions()[0]
    upright = _upright(positions, skeleton, mapping).expand(skeleton.num_joints, 4)
    rotations, positions = quat_multiply(upright, rotations), quat_rotate(upright, positions)
    for joint, tip in _LIMBS:
        if joint not in mapping or tip not in mapping:
            continue
        at, to = skeleton.index(mapping[joint]), skeleton.index(mapping[tip])
        wanted = SMPL22.offsets[SMPL22.index(tip)].to(positions)
        if tip.endswith("ankle") or tip.endswith("knee"):
            wanted = wanted * wanted.new_tensor([0.0, 1.0, 0.0])  # legs straight down: feet stay flat
        swing = quat_between(positions[to] - positions[at], wanted)
        below = _descendants(skeleton, at, without=_feet(mapping, joint, skeleton))
        rotations = _swung(rotations, swing, below)
        positions = _swung_positions(positions, skeleton, swing, at)
    return local_rotations(rotations, skeleton)


def _copy_rotations(
    motion: Motion,
    source_t: Tensor,
    target_t: Tensor,
    mapping: dict[str, str],
    target: Skeleton,
    target_mapping: dict[str, str],
) -> Tensor:
    """Return local rotations (T, J, 4) of the target: mapped joints have the source's rotation from its T-pose."""
    world = motion.global_rotations()  # (T, Jsrc, 4)
    joint_of = {target_mapping[name]: mapping[name] for name in mapping if name in target_mapping}
    joint_of = _waist(target, target_mapping, mapping["pelvis"]) | joint_of
    rotations: list[Tensor] = []
    for joint, name in enumerate(target.names):
        parent = target.parents[joint]
        if name in joint_of:
            at = motion.skeleton.index(joint_of[name])
            rotation = quat_multiply(world[:, at], quat_inverse(source_t[at]))
            rotations.append(quat_multiply(rotation, target_t[joint].expand_as(rotation)))
        elif parent < 0:  # a root above the pelvis stays put
            rotations.append(target.rest_rotations[joint].expand(motion.num_frames, 4))
        else:  # unmapped: rigid with its parent, as in the rest pose
            rotations.append(
                quat_multiply(rotations[parent], target.rest_rotations[joint].expand_as(rotations[parent]))
            )
    return local_rotations(torch.stack(rotations, dim=1), target)


def _waist(target: Skeleton, mapping: dict[str, str], pelvis: str) -> dict[str, str]:
    """Return {joint: pelvis} for the joint above the pelvis on which the spine hangs, too: it turns with the pelvis.

    Daz's hip, Character Creator's and the waist of MMD carry a pelvis that has the legs alone, and the spine beside it.
    """
    spine = next((mapping[name] for name in ("spine1", "spine2", "spine3") if name in mapping), None)
    joint = -1 if spine is None else target.parents[target.index(spine)]
    line = set()
    while joint >= 0:
        line.add(joint)
        joint = target.parents[joint]
    joint = _root_index(target, mapping)
    while joint >= 0 and joint not in line:
        joint = target.parents[joint]
    return {} if joint < 0 or target.names[joint] == mapping["pelvis"] else {target.names[joint]: pelvis}


def _globals(rotations: Tensor, skeleton: Skeleton) -> Tensor:
    return skeleton.fk(rotations, rotations.new_zeros(rotations.shape[0], 3))[0]


def _root_index(skeleton: Skeleton, mapping: dict[str, str]) -> int:
    return skeleton.index(mapping["pelvis"])


def _middle_of_hips(positions: Tensor, skeleton: Skeleton, mapping: dict[str, str]) -> Tensor:
    left, right = (skeleton.index(mapping[f"{side}_hip"]) for side in ("left", "right"))
    return (positions[..., left, :] + positions[..., right, :]) / 2


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


def _upright(positions: Tensor, skeleton: Skeleton, mapping: dict[str, str]) -> Tensor:
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
