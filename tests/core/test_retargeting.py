"""Retargeting: identity where nothing differs, bone directions kept, names recognised, odd rest poses survived."""

import pytest
import torch
from torch.testing import assert_close

from motiongen.humanoid import humanoid_map
from motiongen.motion import Motion
from motiongen.retargeting import find_t_pose, position_error, retarget
from motiongen.rotation import (
    quat_angle,
    quat_between,
    quat_from_axis_angle,
    quat_inverse,
    quat_multiply,
    quat_rotate,
)
from motiongen.skeleton import SMPL22, Skeleton, local_rotations
from tests.core.motions import t_pose, wobble

MIXAMO = {
    "pelvis": "mixamorig:Hips", "spine1": "mixamorig:Spine", "spine2": "mixamorig:Spine1", "spine3": "mixamorig:Spine2",
    "neck": "mixamorig:Neck", "head": "mixamorig:Head", "left_collar": "mixamorig:LeftShoulder",
    "left_shoulder": "mixamorig:LeftArm", "left_elbow": "mixamorig:LeftForeArm", "left_wrist": "mixamorig:LeftHand",
    "left_hip": "mixamorig:LeftUpLeg", "left_knee": "mixamorig:LeftLeg", "left_ankle": "mixamorig:LeftFoot",
    "left_foot": "mixamorig:LeftToeBase",
}  # fmt: skip
MIXAMO |= {a.replace("left", "right"): b.replace("Left", "Right") for a, b in MIXAMO.items()}
UNREAL = {
    "pelvis": "pelvis", "spine1": "spine_01", "spine2": "spine_02", "spine3": "spine_03", "neck": "neck_01",
    "head": "head", "left_collar": "clavicle_l", "left_shoulder": "upperarm_l", "left_elbow": "lowerarm_l",
    "left_wrist": "hand_l", "left_hip": "thigh_l", "left_knee": "calf_l", "left_ankle": "foot_l", "left_foot": "ball_l",
}  # fmt: skip
UNREAL |= {
    a.replace("left", "right"): b.removesuffix("_l") + "_r" for a, b in UNREAL.items() if a.startswith("left")
}
VRM = {
    "pelvis": "J_Bip_C_Hips", "spine1": "J_Bip_C_Spine", "spine2": "J_Bip_C_Chest", "spine3": "J_Bip_C_UpperChest",
    "neck": "J_Bip_C_Neck", "head": "J_Bip_C_Head", "left_collar": "J_Bip_L_Shoulder",
    "left_shoulder": "J_Bip_L_UpperArm", "left_elbow": "J_Bip_L_LowerArm", "left_wrist": "J_Bip_L_Hand",
    "left_hip": "J_Bip_L_UpperLeg", "left_knee": "J_Bip_L_LowerLeg", "left_ankle": "J_Bip_L_Foot",
    "left_foot": "J_Bip_L_ToeBase",
}  # fmt: skip
VRM |= {a.replace("left", "right"): b.replace("_L_", "_R_") for a, b in VRM.items()}
CMU = {
    "pelvis": "root", "spine1": "lowerback", "spine2": "upperback", "spine3": "thorax", "neck": "lowerneck",
    "head": "head", "left_collar": "lclavicle", "left_shoulder": "lhumerus", "left_elbow": "lradius",
    "left_wrist": "lhand", "left_hip": "lfemur", "left_knee": "ltibia", "left_ankle": "lfoot", "left_foot": "ltoes",
}  # fmt: skip
CMU |= {a.replace("left", "right"): "r" + b[1:] for a, b in CMU.items() if a.startswith("left")}


def renamed(names: dict[str, str], rest: torch.Tensor | None = None) -> Skeleton:
    return Skeleton(tuple(names[name] for name in SMPL22.names), SMPL22.parents, SMPL22.offsets, rest)


@pytest.mark.parametrize("names", [MIXAMO, UNREAL, VRM], ids=["mixamo", "unreal", "vrm"])
def test_the_joints_of_common_rigs_are_told_by_name(names):
    assert humanoid_map(renamed(names)) == {name: names[name] for name in SMPL22.names}


def test_the_limbs_of_asf_are_told_by_name():
    found = humanoid_map(renamed(CMU))
    assert {name: found[name] for name in found if "_" in name} == {
        name: CMU[name] for name in CMU if "_" in name
    }


def test_what_is_no_humanoid_is_refused():
    with pytest.raises(ValueError, match="expected a humanoid, found no joint for pelvis, left_hip"):
        humanoid_map(Skeleton(("tail", "wing"), (-1, 0), torch.zeros(2, 3)))


def test_the_same_skeleton_gets_the_same_motion():
    motion = wobble()
    same = retarget(motion, SMPL22)
    assert_close(same.positions(), motion.positions(), atol=1e-5, rtol=0)


def test_twice_the_size_is_twice_the_path():
    motion = wobble()
    giant = Skeleton(SMPL22.names, SMPL22.parents, SMPL22.offsets * 2)
    assert_close(retarget(motion, giant).positions(), motion.positions() * 2, atol=1e-5, rtol=0)


def test_local_axes_of_the_rig_do_not_matter():
    """A rig in the same pose, but whose joints have arbitrary axes, as those of many exporters."""
    generator = torch.Generator().manual_seed(3)
    axes = quat_from_axis_angle(torch.randn(22, 3, generator=generator))  # global rest rotation of each joint
    motion = wobble()
    world = quat_multiply(motion.global_rotations(), axes.expand(motion.num_frames, 22, 4))
    rest = local_rotations(axes, SMPL22)
    offsets = _offsets_in(axes)
    rig = Skeleton(tuple(MIXAMO[name] for name in SMPL22.names), SMPL22.parents, offsets, rest)
    odd = Motion(rig, local_rotations(world, rig), motion.root, 30.0)
    assert_close(odd.positions(), motion.positions(), atol=1e-4, rtol=0)
    assert_close(retarget(odd, SMPL22).positions(), motion.positions(), atol=1e-3, rtol=0)
    assert float(position_error(odd, retarget(odd, SMPL22)).max()) < 2e-3


def test_an_a_pose_rest_is_raised_to_a_t_pose():
    droop = torch.zeros(22, 3)
    droop[SMPL22.index("left_shoulder"), 2], droop[SMPL22.index("right_shoulder"), 2] = -0.8, 0.8
    rig = renamed(MIXAMO, rest=quat_from_axis_angle(droop))
    _, positions = rig.fk(find_t_pose(rig, MIXAMO), torch.zeros(3))
    assert_close(positions, SMPL22.rest_positions, atol=2e-2, rtol=0)


def test_a_rest_pose_that_is_no_person_falls_back_on_the_first_frame():
    """A rig whose bones all lie along x at rest, as some exporters write them; its clip starts in a T-pose."""
    bundle = torch.zeros(22, 3)
    bundle[:, 0] = SMPL22.offsets.norm(dim=-1)
    rig = Skeleton(tuple(MIXAMO[name] for name in SMPL22.names), SMPL22.parents, bundle)
    axes = _standing(bundle)  # global rotations that stand the bundle up
    turns = torch.cat([t_pose(4).global_rotations(), wobble(20).global_rotations()])
    world = quat_multiply(turns, axes.expand(24, 22, 4))
    odd = Motion(rig, local_rotations(world, rig), torch.zeros(24, 3), 30.0)
    assert float(quat_angle(retarget(odd, SMPL22).global_rotations(), turns).max()) < 0.15


def _offsets_in(axes: torch.Tensor) -> torch.Tensor:
    parents = [max(parent, 0) for parent in SMPL22.parents]
    return quat_rotate(quat_inverse(axes[parents]), SMPL22.offsets)


def _standing(bundle: torch.Tensor) -> torch.Tensor:
    """Global rotations (22, 4) that point each joint's bone, along x, at its child's position in SMPL's T-pose."""
    world = SMPL22.rest_rotations.clone()
    for joint in range(22):
        for child in SMPL22.children(joint)[-1:]:
            world[joint] = quat_between(bundle[child], SMPL22.offsets[child])
    return world
