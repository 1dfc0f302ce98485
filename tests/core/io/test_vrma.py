"""VRM Animation: what the extension asks for, and the same poses as the motion, read by pygltflib."""

from dataclasses import replace

import pygltflib
import torch
from torch.testing import assert_close

from motiongen import Motion
from motiongen.io.vrma import BONES, EXTENSION, rest_offsets
from motiongen.skeleton import SMPL22
from tests.core.motions import t_pose, wobble
from tests.core.test_retargeting import MIXAMO

REQUIRED = {
    "hips", "spine", "head",
    *(f"{side}{bone}" for side in ("left", "right") for bone in
      ("UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand")),
}  # fmt: skip
"""Humanoid bones that VRM 1.0 requires of an avatar."""


def write(motion, folder):
    motion.save(folder / "clip.vrma")
    return pygltflib.GLTF2().load_binary(str(folder / "clip.vrma"))


def test_the_extension_names_every_bone_once(tmp_path):
    document = write(wobble(4), tmp_path)
    extension = document.extensions[EXTENSION]
    bones = extension["humanoid"]["humanBones"]
    assert (document.extensionsUsed, extension["specVersion"]) == ([EXTENSION], "1.0")
    assert REQUIRED <= set(bones) == set(BONES.values())
    assert sorted(bone["node"] for bone in bones.values()) == list(range(22))
    assert all(document.nodes[bones[bone]["node"]].name == joint for joint, bone in BONES.items())


def test_the_rest_pose_is_a_t_pose_with_its_feet_on_the_floor(tmp_path):
    document = write(wobble(4), tmp_path)
    assert all(node.rotation in (None, [0, 0, 0, 1]) and node.scale is None for node in document.nodes)
    offsets = torch.tensor([node.translation for node in document.nodes])
    assert_close(offsets.double(), rest_offsets())
    assert 0.8 < float(offsets[0, 1]) < 1.1
    heights = SMPL22.fk(SMPL22.rest_rotations, offsets[0])[1][:, 1]
    assert 0.0 < float(heights.min()) < 0.03
    assert_close(float(offsets[0, 1]), float(t_pose(2).grounded().root[0, 1]), atol=2e-3, rtol=0)


def test_keys_are_linear_and_only_the_hips_travel(tmp_path):
    animation = write(wobble(5), tmp_path).animations[0]
    assert {sampler.interpolation for sampler in animation.samplers} == {"LINEAR"}
    moved = [channel.target.node for channel in animation.channels if channel.target.path == "translation"]
    assert moved == [0]
    assert len(animation.channels) == 23


def test_what_was_written_is_read_again(tmp_path):
    motion = wobble(6)
    motion.licensed("CC0").save(tmp_path / "clip.vrma")
    again = Motion.load(tmp_path / "clip.vrma")
    order = [again.skeleton.index(name) for name in SMPL22.names]
    assert_close(again.positions()[:, order], motion.positions(), atol=1e-4, rtol=0)
    assert again.licence == "CC0"


def test_any_humanoid_is_retargeted(tmp_path):
    names = tuple(MIXAMO[name] for name in SMPL22.names)
    motion = wobble(4)
    small = replace(SMPL22, names=names, offsets=SMPL22.offsets * 0.5)
    mixamo = replace(motion, skeleton=small, root=motion.root * 0.5)
    document = write(mixamo, tmp_path)
    assert [node.name for node in document.nodes] == list(SMPL22.names)
    assert_close(Motion.load(tmp_path / "clip.vrma").root[:, 1], motion.root[:, 1], atol=1e-3, rtol=0)
