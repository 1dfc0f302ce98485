"""Any humanoid skeleton to any other, by rotations alone: no inverse kinematics, so no twisted wrists.

Both skeletons are put into the same T-pose; what is copied is each joint's turn, in the world, from there. Bone
directions are then kept exactly and bone lengths are the target's, so hands and feet land where the target's
proportions put them: contact with props or with the other hand is lost. The hips' path is scaled by leg length.
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
        mapping: SMPL joint name -> joint name of the motion's skeleton; told by names when left out.
        t_pose: local rotations (J, 4) that put the motion's skeleton into SMPL's T-pose; when left out its rest
            pose is laid along it, or its first frame's pose where the rest pose is not a person's.
        target_mapping: as mapping, for the target.

    Raises:
        ValueError: a skeleton that is no humanoid.
    """
    source = motion.skeleton
    mapping = humanoid_map(source) if mapping is None else mapping
    target_mapping = humanoid_map(target) if target_mapping is None else target_mapping
    if t_pose is None:
        t_pose = find_t_pose(source, mapping, motion)
    source_t, _ = source.fk(t_pose.to(motion.rotations), motion.root.new_zeros(3))
    target_t, target_places = target.fk(find_t_pose(target, target_mapping), target.offsets.new_zeros(3))

    rotations = _copy_turns(motion, source_t, target_t, mapping, target, target_mapping)
    scale = leg_length(target, target_mapping) / leg_length(source, mapping)
    hips = _middle_of_hips(motion.positions(), source, mapping) * scale  # (T, 3)
    hip_offset = (
        _middle_of_hips(target_places, target, target_mapping)
        - target_places[_root_index(target, target_mapping)]
    )
    pelvis_turn = _globals(rotations, target)[:, _root_index(target, target_mapping)]
    from_rest = quat_multiply(pelvis_turn, quat_inverse(target_t[_root_index(target, target_mapping)]))
    pelvis = hips - quat_rotate(from_rest, hip_offset)
    # The mapped pelvis may hang below other joints of the target; move the root so that it lands right.
    landed = target.fk(rotations, torch.zeros_like(pelvis))[1][:, _root_index(target, target_mapping)]
    return Motion(target, rotations, pelvis - landed, motion.fps)


def position_error(source: Motion, retargeted: Motion, mapping: dict[str, str] | None = None) -> Tensor:
    """Return the distance (T, M) in metres of M mapped joints of SMPL-22 from the source's, scaled by leg length.

    Both are measured from the middle of the hips: what is left is the difference of proportions and of rest poses.
    """
    mapping = humanoid_map(source.skeleton) if mapping is None else mapping
    own = {name: name for name in mapping}
    scale = leg_length(retargeted.skeleton, own) / leg_length(source.skeleton, mapping)
    there, here = source.positions() * scale, retargeted.positions()
    there = there - _middle_of_hips(there, source.skeleton, mapping)[:, None]
    here = here - _middle_of_hips(here, retargeted.skeleton, own)[:, None]
    theirs = there[:, [source.skeleton.index(name) for name in mapping.values()]]
    ours = here[:, [retargeted.skeleton.index(name) for name in mapping]]
    return (theirs - ours).norm(dim=-1)


def leg_length(skeleton: Skeleton, mapping: dict[str, str]) -> float:
    """Return thigh plus shin in metres, the mean of both sides, from the rest pose."""
    places = skeleton.rest_positions
    total = 0.0
    for side in ("left", "right"):
        joints = [
            places[skeleton.index(mapping[f"{side}_{p}"])]
            for p in ("hip", "knee", "ankle")
            if f"{side}_{p}" in mapping
        ]
        total += float(sum((a - b).norm() for a, b in pairwise(joints)))
    return total / 2


def find_t_pose(skeleton: Skeleton, mapping: dict[str, str], motion: Motion | None = None) -> Tensor:
    """Return local rotations (J, 4) that put a skeleton into SMPL's T-pose, facing +Z.

    Its rest pose is stood upright and turned to +Z, then each arm and leg bone takes the shortest way to where
    SMPL's lies; a bone's twist is thereby that of the rest pose.
    """
    turns, places = skeleton.fk(skeleton.rest_rotations, skeleton.offsets.new_zeros(3))
    if motion is not None and not _is_person(places, skeleton, mapping):
        turns, places = motion.global_rotations()[0], motion.positions()[0]
    upright = _upright(places, skeleton, mapping).expand(skeleton.num_joints, 4)
    turns, places = quat_multiply(upright, turns), quat_rotate(upright, places)
    for joint, tip in _LIMBS:
        if joint not in mapping or tip not in mapping:
            continue
        at, to = skeleton.index(mapping[joint]), skeleton.index(mapping[tip])
        wanted = SMPL22.offsets[SMPL22.index(tip)].to(places)
        if tip.endswith("ankle") or tip.endswith("knee"):
            wanted = wanted * wanted.new_tensor([0.0, 1.0, 0.0])  # legs straight down: feet stay flat
        swing = quat_between(places[to] - places[at], wanted)
        below = _descendants(skeleton, at, without=_feet(mapping, joint, skeleton))
        turns = _turned(turns, swing, below)
        places = _recompute(places, turns, skeleton, swing, at)
    return local_rotations(turns, skeleton)


def _copy_turns(
    motion: Motion,
    source_t: Tensor,
    target_t: Tensor,
    mapping: dict[str, str],
    target: Skeleton,
    target_mapping: dict[str, str],
) -> Tensor:
    """Local rotations (T, J, 4) of the target: mapped joints take the source's turn from its T-pose."""
    world = motion.global_rotations()  # (T, Jsrc, 4)
    joint_of = {target_mapping[name]: mapping[name] for name in mapping if name in target_mapping}
    turns: list[Tensor] = []
    for joint, name in enumerate(target.names):
        parent = target.parents[joint]
        if name in joint_of:
            at = motion.skeleton.index(joint_of[name])
            turn = quat_multiply(world[:, at], quat_inverse(source_t[at]))
            turns.append(quat_multiply(turn, target_t[joint].expand_as(turn)))
        elif parent < 0:  # a root above the pelvis stays put
            turns.append(target.rest_rotations[joint].expand(motion.num_frames, 4))
        else:  # unmapped: rigid with its parent, as in the rest pose
            turns.append(quat_multiply(turns[parent], target.rest_rotations[joint].expand_as(turns[parent])))
    return local_rotations(torch.stack(turns, dim=1), target)


def _globals(rotations: Tensor, skeleton: Skeleton) -> Tensor:
    return skeleton.fk(rotations, rotations.new_zeros(rotations.shape[0], 3))[0]


def _root_index(skeleton: Skeleton, mapping: dict[str, str]) -> int:
    return skeleton.index(mapping["pelvis"])


def _middle_of_hips(positions: Tensor, skeleton: Skeleton, mapping: dict[str, str]) -> Tensor:
    left, right = (skeleton.index(mapping[f"{side}_hip"]) for side in ("left", "right"))
    return (positions[..., left, :] + positions[..., right, :]) / 2


def _frame(places: Tensor, skeleton: Skeleton, mapping: dict[str, str]) -> tuple[Tensor, Tensor]:
    """Directions (3,) of the body's left and up, from hips and shoulders."""
    at = {name: places[skeleton.index(joint)] for name, joint in mapping.items()}
    left = at["left_hip"] - at["right_hip"] + at["left_shoulder"] - at["right_shoulder"]
    up = (at["left_shoulder"] + at["right_shoulder"] - at["left_hip"] - at["right_hip"]) / 2
    return left, up


def _is_person(places: Tensor, skeleton: Skeleton, mapping: dict[str, str]) -> bool:
    """Whether a pose has legs that point down and shoulders that lie along the hips."""
    left, up = _frame(places, skeleton, mapping)
    down = torch.zeros(3).to(up)
    for side in ("left", "right"):
        down = (
            down
            + places[skeleton.index(mapping[f"{side}_knee"])]
            - places[skeleton.index(mapping[f"{side}_hip"])]
        )
    hips = places[skeleton.index(mapping["left_hip"])] - places[skeleton.index(mapping["right_hip"])]
    return bool(_cosine(down, -up) > 0.7 and _cosine(hips, left) > 0.7 and _cosine(left, up).abs() < 0.5)


def _upright(places: Tensor, skeleton: Skeleton, mapping: dict[str, str]) -> Tensor:
    """The turn (4,) that stands a pose upright, facing +Z: quarter turns where those are enough."""
    left, up = _frame(places, skeleton, mapping)
    left, up = _snap(left), _snap(up)
    up = up - (up @ left) / (left @ left) * left
    left, up = left / left.norm(), up / up.norm()
    return quat_from_matrix(torch.stack([left, up, torch.linalg.cross(left, up)]))


def _snap(direction: Tensor) -> Tensor:
    """A rest pose that leans a little is meant to: its nearest axis says how the rig stands."""
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
    """The foot below a leg bone: it does not swing with the leg."""
    side = joint.split("_")[0]
    name = mapping.get(f"{side}_ankle") if joint.endswith(("hip", "knee")) else None
    return set() if name is None else {skeleton.index(name)}


def _turned(turns: Tensor, swing: Tensor, joints: list[int]) -> Tensor:
    turns = turns.clone()
    turns[joints] = quat_multiply(swing.expand(len(joints), 4), turns[joints])
    return turns


def _recompute(places: Tensor, turns: Tensor, skeleton: Skeleton, swing: Tensor, at: int) -> Tensor:
    """Positions after everything below a joint has swung about it."""
    places = places.clone()
    below = _descendants(skeleton, at, without=set())[1:]
    places[below] = places[at] + quat_rotate(swing.expand(len(below), 4), places[below] - places[at])
    return places
