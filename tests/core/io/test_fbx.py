"""FBX: the container to the byte, joints and skin as ufbx computes them, angles that go on, broken files."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from motiongen import Character, Motion, io
from motiongen.body import default_mesh
from motiongen.io.fbx import read_character
from motiongen.io.fbx_document import FILE_ID, Int32, Record, class_name, to_bytes
from motiongen.io.fbx_write import unrolled
from motiongen.io.gltf_write import stick_mesh
from motiongen.rotation import quat_angle, quat_from_axis_angle, quat_from_euler, quat_inverse, quat_multiply
from motiongen.skeleton import SMPL22, Skeleton
from tests.core.motions import wobble

REFEREE = """
import json, sys, ufbx
scene = ufbx.load_file(sys.argv[1])
listed = [list(x) for x in (scene.nodes, scene.meshes, scene.skin_clusters, scene.anim_stacks)]
nodes, meshes, clusters, stacks = listed
held, worlds = [], []
for time in json.loads(sys.argv[2]):
    posed = scene.evaluate(scene.anim, time)
    own = list(posed.nodes)
    held += [posed, own]
    worlds.append({node.name: [m.c3.x, m.c3.y, m.c3.z] for node in own if (m := node.node_to_world)})
settings = scene.settings
said = {"worlds": worlds, "fps": settings.frames_per_second, "unit": settings.unit_meters,
        "clusters": [cluster.num_weights for cluster in clusters], "stacks": [stack.name for stack in stacks],
        "faces": meshes[0].num_faces, "vertices": meshes[0].num_vertices,
        "span": [stacks[0].time_begin, stacks[0].time_end]}
print(json.dumps(said), flush=True)
import os
os._exit(0)  # the binding may crash when it is torn down
"""


def referee(path, times=()):
    """What ufbx says of a file, in a process of its own."""
    command = [sys.executable, "-c", REFEREE, str(path), json.dumps(list(times))]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_a_record_is_laid_out_to_the_byte():
    record = Record("A", (Int32(7), "hi"))
    record.add("B", True)
    data = to_bytes([record])
    # Header 27 bytes; A: 12 + 1 + 1 + 5 (I) + 7 (S); B: 12 + 1 + 1 + 2 (C); then A's empty record.
    assert data[:27] == b"Kaydara FBX Binary  \x00\x1a\x00" + (7400).to_bytes(4, "little")
    a = (
        (27 + 26 + 16 + 13).to_bytes(4, "little")
        + (2).to_bytes(4, "little")
        + (12).to_bytes(4, "little")
        + b"\x01A"
    )
    assert data[27:53] == a + b"I\x07\0\0\0" + b"S\x02\0\0\0hi"
    b = (
        (27 + 26 + 16).to_bytes(4, "little")
        + (1).to_bytes(4, "little")
        + (2).to_bytes(4, "little")
        + b"\x01BC\x01"
    )
    assert data[53:69] == b
    assert data[69:95] == b"\0" * 26  # the ends of A and of the file
    assert class_name("hip", "Model") == b"hip\x00\x01Model"
    assert b"R" + (16).to_bytes(4, "little") + FILE_ID in to_bytes([Record("FileId", (FILE_ID,))])


def test_ufbx_computes_the_same_joints(tmp_path):
    pytest.importorskip("ufbx")
    motion = wobble(6, fps=24.0)
    motion.save(tmp_path / "clip.fbx")
    said = referee(tmp_path / "clip.fbx", [frame / 24 for frame in range(6)])
    assert (said["fps"], said["unit"], said["stacks"], said["clusters"][0] > 0) == (
        24.0,
        0.01,
        ["motion"],
        True,
    )
    assert said["span"] == pytest.approx([0.0, 5 / 24])
    for frame, world in enumerate(said["worlds"]):
        places = torch.tensor([world[name] for name in SMPL22.names]) / 100
        assert_close(places, motion.positions()[frame], atol=1e-5, rtol=0)


def test_a_rest_pose_is_kept_and_a_rate_of_its_own_too(tmp_path):
    pytest.importorskip("ufbx")
    turns = quat_from_axis_angle(torch.randn(22, 3, generator=torch.Generator().manual_seed(0)) * 0.5)
    motion = wobble(5, fps=37.5)
    motion = Motion(replace(SMPL22, rest=turns), motion.rotations, motion.root, 37.5)
    motion.save(tmp_path / "clip.fbx")
    again = Motion.load(tmp_path / "clip.fbx")
    assert (again.fps, len(again)) == (37.5, 5)
    order = [again.skeleton.index(name) for name in SMPL22.names]
    assert_close(again.positions()[:, order], motion.positions(), atol=1e-4, rtol=0)
    turned = quat_multiply(quat_inverse(again.skeleton.rest_rotations[order]), turns)
    assert float(quat_angle(turned, turned.new_tensor([0.0, 0, 0, 1])).max()) < 1e-3


def test_the_mesh_is_skinned_by_the_joints(tmp_path):
    pytest.importorskip("ufbx")
    mesh = stick_mesh(SMPL22)
    io.save(wobble(2), tmp_path / "clip.fbx", mesh=mesh)
    said = referee(tmp_path / "clip.fbx")
    assert (said["vertices"], said["faces"]) == (len(mesh.vertices), len(mesh.faces))
    assert said["clusters"] == [int((mesh.joint_indices[:, 0] == joint).sum()) for joint in range(22)]


def test_moving_bones_are_kept(tmp_path):
    pytest.importorskip("ufbx")
    motion = wobble(4)
    translations = SMPL22.offsets.expand(4, 22, 3).clone()
    translations[:, 0] = motion.root
    translations[:, 5] += torch.linspace(0, 0.1, 4)[:, None]
    stretched = replace(motion, translations=translations)
    stretched.save(tmp_path / "clip.fbx")
    again = Motion.load(tmp_path / "clip.fbx")
    assert again.translations is not None
    order = [again.skeleton.index(name) for name in SMPL22.names]
    assert_close(again.positions()[:, order], stretched.positions(), atol=1e-4, rtol=0)


def test_angles_go_on_through_whole_turns_and_gimbal_lock():
    ramp = torch.linspace(0, 720, 60, dtype=torch.float64)
    wanted = torch.stack([ramp, 0.3 * ramp, -ramp], dim=-1)[:, None]
    wrapped = (wanted + 180) % 360 - 180
    found = unrolled(wrapped)
    assert float((found[1:] - found[:-1]).abs().max()) < 30
    one, other = (quat_from_euler(angles.flip(-1).deg2rad(), "ZYX") for angles in (found, wanted))
    between = quat_multiply(quat_inverse(one), other)
    assert float(quat_angle(between, between.new_tensor([0.0, 0.0, 0.0, 1.0])).max()) < 1e-5


def test_what_is_no_fbx_is_told_with_a_way_out(tmp_path):
    pytest.importorskip("ufbx")
    (tmp_path / "cut.fbx").write_bytes(b"Kaydara FBX Binary")
    with pytest.raises(
        ValueError, match=r"cut\.fbx: expected an FBX file, got .*; export it again as binary FBX"
    ):
        Motion.load(tmp_path / "cut.fbx")


def test_a_file_without_animation_or_bones_is_one_line(tmp_path):
    pytest.importorskip("ufbx")
    (tmp_path / "empty.fbx").write_bytes(to_bytes([Record("Objects"), Record("Connections")]))
    with pytest.raises(ValueError, match=r"empty\.fbx: expected an animation, got none"):
        Motion.load(tmp_path / "empty.fbx")
    objects = Record("Objects")
    objects.add("AnimationStack", 5, class_name("take", "AnimStack"), "")
    (tmp_path / "bare.fbx").write_bytes(to_bytes([objects, Record("Connections")]))
    with pytest.raises(ValueError, match=r"bare\.fbx: expected bones, got none"):
        Motion.load(tmp_path / "bare.fbx")


def test_one_of_several_animations_is_chosen_by_name(tmp_path):
    pytest.importorskip("ufbx")
    wobble(3).save(tmp_path / "clip.fbx")
    with pytest.raises(ValueError, match="animation: expected one of motion, got 'walk'"):
        Motion.load(tmp_path / "clip.fbx", io.ReadOptions(animation="walk"))
    assert io.animations(tmp_path / "clip.fbx") == ("motion",)
    assert len(Motion.load(tmp_path / "clip.fbx", io.ReadOptions(animation="motion", fps=60.0))) == 5


def test_a_figure_that_is_not_animated_takes_motion(tmp_path):
    pytest.importorskip("ufbx")
    path = tmp_path / "figure.fbx"
    io.save(wobble(1), path, mesh=stick_mesh(SMPL22))
    skeleton, _ = read_character(path)
    assert set(skeleton.names) == set(SMPL22.names)
    order = [skeleton.index(name) for name in SMPL22.names]
    assert_close(skeleton.rest_positions[order], SMPL22.rest_positions, atol=1e-4, rtol=0)
    moved = wobble(6).retarget(Character.load(path))
    moved.save(tmp_path / "moved.fbx")
    assert Motion.load(tmp_path / "moved.fbx").skeleton.names == skeleton.names


def test_a_take_that_says_only_when_it_stops_is_as_long_as_its_keys(tmp_path):
    pytest.importorskip("ufbx")
    path = tmp_path / "clip.fbx"
    wobble(6).save(path)
    path.write_bytes(path.read_bytes().replace(b"eStart", b"eOther").replace(b"lStart", b"lOther"))
    assert referee(path)["span"] == [0.0, 0.0]
    assert len(Motion.load(path)) == 6


def test_names_that_are_there_twice_are_numbered(tmp_path):
    from motiongen.io.fbx import _distinct

    assert _distinct(["a", "b", "a"]) == ("a", "b", "a.2")


def test_arrays_are_compressed_and_whole():
    import zlib

    values = np.arange(100, dtype=np.float64)
    data = to_bytes([Record("V", (values,))])
    assert zlib.compress(values.tobytes(), 1) in data


def test_a_joint_of_one_bone_is_written(tmp_path):
    skeleton = Skeleton(("hips",), (-1,), torch.zeros(1, 3))
    Motion(skeleton, wobble(2).rotations[:, :1], wobble(2).root, 30.0).save(tmp_path / "one.fbx")
    assert (tmp_path / "one.fbx").stat().st_size > 1000


def test_the_mesh_of_a_figure_is_read_as_it_was_written(tmp_path):
    pytest.importorskip("ufbx")
    body = default_mesh(SMPL22)
    motion = wobble(2)
    motion.save(tmp_path / "clip.fbx", mesh=body)
    skeleton, mesh = read_character(tmp_path / "clip.fbx")
    assert mesh is not None and skeleton.names == mesh.names and set(mesh.names) == set(SMPL22.names)
    assert mesh.faces.shape == body.faces.shape
    # In a pose, too: the weights are those of the same joints.
    order = [SMPL22.index(name) for name in skeleton.names]
    moved = Motion(skeleton, motion.rotations[:, order], motion.root, motion.fps)
    assert_close(mesh.skin(moved), body.skin(motion), atol=1e-4, rtol=0)
    assert_close(mesh.colours, body.colours, atol=1e-3, rtol=0)
    assert float((mesh.normals * body.normals).sum(-1).quantile(0.1)) > 0.9


def test_a_character_in_an_fbx_file_has_its_soles_from_its_mesh(tmp_path):
    pytest.importorskip("ufbx")
    wobble(2).save(tmp_path / "figure.fbx")
    character = Character.load(tmp_path / "figure.fbx")
    assert character.mesh is not None and character.body.depths is not None
    character.save(wobble(3).retarget(character), tmp_path / "on.glb")
    assert len(Character.load(tmp_path / "on.glb").mesh.vertices) == len(character.mesh.vertices)
