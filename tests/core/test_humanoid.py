"""The humanoid map: rigs of other tools by the shared cases, from files, with what a user says in place of a guess."""

import json
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from motiongen.humanoid import humanoid_map, humanoid_match, match, read_roles
from motiongen.io import bvh
from motiongen.motion import Motion
from motiongen.retargeting import position_error, retarget
from motiongen.rotation import quat_angle, quat_identity
from motiongen.skeleton import SMPL22, Skeleton, local_rotations
from tests.core.motions import wobble

RIGS = json.loads((Path(__file__).parents[2] / "bridge/fixtures/rigs.json").read_text(encoding="utf-8"))[
    "rigs"
]
WHOLE = [name for name, rig in RIGS.items() if len(rig["roles"]) == 22]


def names_of(rig):
    return tuple(name for name, _ in rig["joints"]), tuple(parent for _, parent in rig["joints"])


def figure(rig) -> Skeleton:
    """A rig in SMPL's T-pose: joints with a role where SMPL has them, all others on their parents."""
    names, parents = names_of(rig)
    places = {joint: SMPL22.rest_positions[SMPL22.index(role)] for role, joint in rig["roles"].items()}
    world: list[torch.Tensor] = []
    for name, parent in zip(names, parents, strict=True):
        world.append(places.get(name, world[parent] if parent >= 0 else torch.zeros(3)))
    offsets = torch.stack(
        [at - world[p] if p >= 0 else torch.zeros(3) for at, p in zip(world, parents, strict=True)]
    )
    return Skeleton(names, parents, offsets)


@pytest.mark.parametrize("name", RIGS)
def test_the_parts_of_known_rigs_are_found(name):
    assert match(*names_of(RIGS[name])).roles == RIGS[name]["roles"]


def test_more_than_twelve_rigs_have_all_22():
    assert len(WHOLE) >= 12


@pytest.mark.parametrize("name", RIGS)
def test_a_file_of_the_rig_is_mapped_and_its_pose_is_kept(tmp_path, name):
    """A file in which the rig moves as SMPL does: from there to SMPL nothing changes."""
    rig = RIGS[name]
    skeleton, source = figure(rig), wobble(3)
    # Every part turns as SMPL's does, and what has no part goes with its parent.
    world = source.global_rotations()
    role_of = {joint: role for role, joint in rig["roles"].items()}
    turned: list[torch.Tensor] = []
    for joint, parent in zip(skeleton.names, skeleton.parents, strict=True):
        part = world[:, SMPL22.index(role_of[joint])] if joint in role_of else None
        turned.append(part if part is not None else turned[parent] if parent >= 0 else world[:, 0])
    moving = Motion(skeleton, local_rotations(torch.stack(turned, 1), skeleton), source.root, 30.0)
    moving.save(tmp_path / "clip.bvh")
    read = bvh.read(tmp_path / "clip.bvh")
    assert len(humanoid_map(read.skeleton)) == len(rig["roles"])
    back = retarget(read, SMPL22)
    for part in ("left_hip", "right_knee", "left_shoulder", "right_elbow"):
        at = SMPL22.index(part)
        assert float(quat_angle(back.global_rotations()[:, at], world[:, at]).max()) < 0.02


def test_what_was_left_out_and_how_sure_it_is_are_told():
    found = match(*names_of(RIGS["Unreal 4 mannequin"]))
    assert "upperarm_twist_01_l" in found.left_out and "ik_hand_r" in found.left_out
    assert found.confidence > 0.95 and found.missing == ()
    robot = match(*names_of(RIGS["Unitree G1"]))
    assert robot.missing == ("left_foot", "right_foot", "neck", "left_collar", "right_collar")
    assert robot.confidence < 0.8 and robot.is_humanoid


def told(folder, **roles):
    (folder / "mapping.json").write_text(json.dumps(roles))
    return folder / "mapping.json"


def test_a_file_of_roles_overrides_and_completes(tmp_path):
    names = tuple(f"bone{i}" for i in range(22))
    plain = Skeleton(names, SMPL22.parents, SMPL22.offsets)
    with pytest.raises(ValueError, match=r"found no joint for pelvis.*--mapping FILE"):
        humanoid_map(plain)
    path = told(tmp_path, **{role: names[i] for i, role in enumerate(SMPL22.names)})
    skeleton = Skeleton(names, SMPL22.parents, SMPL22.offsets, roles=read_roles(path, plain))
    assert humanoid_map(skeleton) == {role: names[i] for i, role in enumerate(SMPL22.names)}
    motion = Motion(skeleton, quat_identity(2, 22), torch.zeros(2, 3), 30.0)
    assert float(position_error(motion, retarget(motion, SMPL22)).max()) < 1e-5


def test_null_takes_a_joint_out(tmp_path):
    plain = figure(RIGS["Mixamo"])
    roles = read_roles(told(tmp_path, left_foot=None, neck="mixamorig:Head", head=None), plain)
    found = humanoid_match(Skeleton(plain.names, plain.parents, plain.offsets, roles=roles)).roles
    assert "left_foot" not in found and "head" not in found and found["neck"] == "mixamorig:Head"


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        (
            {"left_hips": "mixamorig:Hips"},
            "expected joints of SMPL-22, got 'left_hips'; did you mean left_hip",
        ),
        (
            {"left_hip": "mixamorig:LeftUpLe"},
            "left_hip: expected a joint of the clip, got 'mixamorig:LeftUpLe'",
        ),
    ],
)
def test_a_misspelt_role_or_joint_is_named(tmp_path, roles, message):
    with pytest.raises(ValueError, match=message):
        read_roles(told(tmp_path, **roles), figure(RIGS["Mixamo"]))


def test_a_spine_beside_the_pelvis_turns_with_it():
    """Daz: hip > pelvis > legs, and hip > spine; a body that lies down must not leave its chest standing."""
    rig = RIGS["Daz Genesis 8"]
    skeleton = figure(rig)
    offsets = skeleton.offsets.clone()
    lift = torch.tensor([0.0, 0.15, 0.0])  # the hip is 15 cm below pelvis and spine
    for child in skeleton.children(0):
        offsets[child] += lift
    target, source = Skeleton(skeleton.names, skeleton.parents, offsets), wobble(3)
    moved = retarget(source, target).positions()
    at = {role: target.index(joint) for role, joint in rig["roles"].items()}
    ours, theirs = source.positions()[:, SMPL22.index("spine3")], moved[:, at["spine3"]]
    hips = source.positions()[:, 1:3].mean(1), moved[:, [at["left_hip"], at["right_hip"]]].mean(1)
    assert_close(theirs - hips[1], ours - hips[0], atol=2e-3, rtol=0)
