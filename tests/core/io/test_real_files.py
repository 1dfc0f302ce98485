"""Files as they are: each is of a kind that users have, with the value that it must give."""

import json
import logging

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from motiongen.humanoid import humanoid_map
from motiongen.io import ReadOptions, animations, bvh, gltf, load, npz
from motiongen.io.key_rate import rate_of
from motiongen.io.options import scaled
from motiongen.motion import Motion
from motiongen.retargeting import leg_length
from motiongen.rotation import (
    matrix_from_quat,
    quat_angle,
    quat_from_axis_angle,
    quat_normalize,
)
from motiongen.skeleton import SMPL22
from tests.core.io.real_files import Scene, body_bvh, turns
from tests.core.motions import wobble

OWN = {name: name for name in SMPL22.names}
LEG = leg_length(SMPL22, OWN)


@pytest.fixture
def said(caplog):
    """Return a function that gives what readers said."""
    caplog.set_level(logging.INFO, logger="motiongen.io")
    return lambda: caplog.text


@pytest.mark.parametrize("unit", [0.001, 0.01, 0.0254, 0.0254 / 0.45, 0.1, 1.0])
@pytest.mark.parametrize("size", [0.9, 1.0, 1.15])
def test_people_in_any_unit_are_as_tall_as_they_are(tmp_path, unit, size, said):
    body_bvh(tmp_path / "a.bvh", unit, size)
    assert leg_length(bvh.read(tmp_path / "a.bvh").skeleton, OWN) == pytest.approx(LEG * size, rel=1e-4)
    assert ("--unit" in said()) == (size != 1.0)  # SMPL-22 itself is no guess


@pytest.mark.parametrize("size", [0.55, 2.0, 3.0])
def test_children_and_giants_in_centimetres_stay_so(tmp_path, size):
    body_bvh(tmp_path / "a.bvh", 0.01, size)
    assert leg_length(bvh.read(tmp_path / "a.bvh").skeleton, OWN) == pytest.approx(LEG * size, rel=1e-4)


def test_a_unit_that_is_given_is_taken(tmp_path, said):
    body_bvh(tmp_path / "a.bvh", 0.01)
    for unit, scale in (("inch", 2.54), ("0.02", 2.0)):
        motion = load(tmp_path / "a.bvh", ReadOptions(unit=unit, up="y"))
        assert leg_length(motion.skeleton, OWN) == pytest.approx(LEG * scale, rel=1e-4)
    assert not said()


def test_options_that_a_reader_has_not_are_applied_to_what_it_read(tmp_path):
    motion = wobble(5, fps=30.0)
    motion.save(tmp_path / "a.glb")
    read = load(tmp_path / "a.glb", ReadOptions(unit="dm", up="z", fps=60.0))
    assert read.fps == 60.0 and read.num_frames == 9
    x, y, z = (motion.root[0] * 0.1).tolist()
    assert_close(read.root[0], torch.tensor([x, z, -y]))
    order = [read.skeleton.index(name) for name in SMPL22.names]
    assert_close(read.skeleton.offsets[order], SMPL22.offsets * 0.1)


def test_a_bvh_that_counts_one_frame_more_or_less_gives_its_rows(tmp_path, said):
    motion = wobble(4)
    motion.save(tmp_path / "a.bvh")
    text = (tmp_path / "a.bvh").read_text()
    for count in (3, 5):
        (tmp_path / "b.bvh").write_text(text.replace("Frames: 4", f"Frames: {count}"))
        assert bvh.read(tmp_path / "b.bvh").num_frames == 4
    assert "4 whole rows are read, where Frames says one more" in said()
    (tmp_path / "b.bvh").write_text(
        text.rstrip()[:-3]
    )  # cut inside of its last number: of that row nothing is sure
    (tmp_path / "b.bvh").write_text((tmp_path / "b.bvh").read_text().replace("Frames: 4", "Frames: 5"))
    with pytest.raises(ValueError, match="expected 5 rows as Frames says, got 4"):
        bvh.read(tmp_path / "b.bvh")


# --- NPZ of SMPL's family


def smpl_file(path, poses, *, names=("poses", "trans"), rate=60.0, frames=4, **more):
    arrays = {
        names[0]: poses,
        names[1]: np.tile([0.0, 0.0, 0.9], (frames, 1)),
        "mocap_framerate": np.array(rate),
    }
    np.savez(path, **arrays, **more)


def posed(frames=4):
    """Rotations (T, 22, 3) as axis-angle: bent knees, a raised arm, a pelvis that stands in a z-up world."""
    poses = np.zeros((frames, 22, 3))
    poses[:, 0, 0] = np.pi / 2
    poses[:, [4, 5], 0] = 0.7
    poses[:, 16, 2] = np.linspace(0.1, 1.2, frames)
    return poses


def shapes_of(poses):
    quats = quat_from_axis_angle(torch.from_numpy(poses))
    matrices = matrix_from_quat(quats).numpy()
    frames = len(poses)
    columns = np.concatenate([matrices[..., 0], matrices[..., 1]], -1)
    rows = np.concatenate([matrices[..., 0, :], matrices[..., 1, :]], -1)
    quats = quats.numpy()
    return {
        "axis-angle": poses,
        "flat": poses.reshape(frames, -1),
        "SMPL-X": np.concatenate([poses.reshape(frames, -1), np.zeros((frames, 99))], 1),
        "quaternions, real part last": quats,
        "quaternions, real part first": quats[..., [3, 0, 1, 2]],
        "flat quaternions": quats.reshape(frames, -1),
        "matrices": matrices,
        "flat matrices": matrices.reshape(frames, -1),
        "two columns": columns,
        "two rows": rows.reshape(frames, -1),
        "row by row": matrices[..., :2].reshape(frames, -1),
    }


@pytest.mark.parametrize("kind", shapes_of(posed()))
def test_poses_are_told_by_their_shape(tmp_path, kind):
    smpl_file(tmp_path / "a.npz", posed())
    smpl_file(tmp_path / "b.npz", shapes_of(posed())[kind])
    expected, read = npz.read(tmp_path / "a.npz"), npz.read(tmp_path / "b.npz")
    assert float(quat_angle(read.rotations, expected.rotations).max()) < 2e-3
    assert read.fps == 60.0


@pytest.mark.parametrize("width", [63, 69, 75, 100, 157])
def test_other_widths_are_refused(tmp_path, width):
    smpl_file(tmp_path / "a.npz", np.zeros((4, width)))
    with pytest.raises(
        ValueError, match=rf"a\.npz: expected poses of 22 or 24 or 52 or 55 joints.*\(4, {width}\)"
    ):
        npz.read(tmp_path / "a.npz")


def test_matrices_that_are_none_are_refused(tmp_path):
    smpl_file(tmp_path / "a.npz", np.full((4, 22, 3, 3), 0.3))
    with pytest.raises(ValueError, match="that are rotations"):
        npz.read(tmp_path / "a.npz")


def test_smplx_names_its_arrays_otherwise(tmp_path):
    poses = posed()
    smpl_file(tmp_path / "a.npz", poses)
    np.savez(
        tmp_path / "b.npz",
        global_orient=poses[:, :1],
        body_pose=poses[:, 1:].reshape(4, -1),
        transl=np.tile([0.0, 0.0, 0.9], (4, 1)),
        betas=np.zeros((1, 10)),
        fps=np.array([60]),
    )
    read = npz.read(tmp_path / "b.npz")
    assert_close(read.positions(), npz.read(tmp_path / "a.npz").positions())
    assert read.fps == 60.0


@pytest.mark.parametrize(("poses", "trans", "frames"), [(4, 3, 3), (3, 4, 3)])
def test_a_path_that_is_a_frame_short_cuts_the_poses(tmp_path, poses, trans, frames, said):
    smpl_file(tmp_path / "a.npz", posed(poses), frames=trans)
    assert npz.read(tmp_path / "a.npz").num_frames == frames
    assert "the first 3 frames are read" in said()


def test_a_y_up_file_stands_and_a_z_up_file_too(tmp_path, said):
    poses = posed()
    smpl_file(tmp_path / "z.npz", poses)
    poses[:, 0] = 0.0
    np.savez(
        tmp_path / "y.npz",
        poses=poses.reshape(4, -1),
        trans=np.tile([0.0, 0.9, 0.0], (4, 1)),
        fps=np.array(60),
    )
    one, other = npz.read(tmp_path / "z.npz"), npz.read(tmp_path / "y.npz")
    assert_close(one.positions(), other.positions(), atol=1e-5, rtol=0)
    assert float(other.positions()[:, 15, 1].min()) > 1.3  # the head is up
    assert "taken as y up" in said() and "taken as z up" in said()


def test_a_file_without_a_rate_wants_to_be_told(tmp_path):
    np.savez(tmp_path / "a.npz", poses=posed(), trans=np.zeros((4, 3)))
    with pytest.raises(ValueError, match="or give --fps"):
        load(tmp_path / "a.npz")
    assert load(tmp_path / "a.npz", ReadOptions(fps=25.0)).fps == 25.0


# --- glTF


def humanoid(path, *, prepare=None):
    scene = Scene()
    nodes = scene.body()
    if prepare is None:
        scene.skin(list(nodes.values()))
    else:
        prepare(scene, nodes)
    scene.keys("nod", nodes["head"], [0.0, 1 / 30], turns([0, 30]))
    return scene.save(path)


def test_hair_with_more_bones_than_the_body_leaves_the_body(tmp_path):
    def prepare(scene, nodes):
        scene.skin(list(nodes.values()))
        hair = [scene.node(f"hair{i}", nodes["head"]) for i in range(40)]
        scene.skin(hair)

    motion = gltf.read(humanoid(tmp_path / "a.glb", prepare=prepare))
    assert motion.skeleton.num_joints == 62 and len(humanoid_map(motion.skeleton)) == 22


@pytest.mark.parametrize("shared", [True, False], ids=["hips in a skin", "hips in none"])
def test_shirt_and_trousers_are_one_body(tmp_path, shared):
    def prepare(scene, nodes):
        legs = [n for name, n in nodes.items() if any(p in name for p in ("hip", "knee", "ankle", "foot"))]
        rest = [n for name, n in nodes.items() if n not in legs and name != "pelvis"]
        scene.skin(rest)
        scene.skin([nodes["pelvis"], *legs] if shared else legs)

    motion = gltf.read(humanoid(tmp_path / "a.glb", prepare=prepare))
    assert set(humanoid_map(motion.skeleton)) == set(SMPL22.names)


def test_skins_that_are_bound_in_spaces_of_their_own_agree_by_a_shared_joint(tmp_path):
    scene = Scene()
    nodes = scene.body()
    place = {"pelvis": torch.tensor([0.0, 0.97, 0.0])}
    world = SMPL22.rest_positions + place["pelvis"]
    for names, shift in ((SMPL22.names[:12], 0.0), (SMPL22.names[9:], 5.0)):
        binds = np.tile(np.eye(4, dtype=np.float32), (len(names), 1, 1))
        binds[:, :3, 3] = -(world[[SMPL22.index(n) for n in names]].numpy() + shift)
        bind = scene.builder.add_accessor(binds.transpose(0, 2, 1).reshape(-1, 16), "MAT4")
        scene.builder.add("skins", {"joints": [nodes[n] for n in names], "inverseBindMatrices": bind})
    # A node that stores another pose than the bind: the rest pose must come from the skins.
    scene.builder.json["nodes"][nodes["left_shoulder"]]["rotation"] = turns([40], 2)[0].tolist()
    scene.keys("nod", nodes["head"], [0.0, 1 / 30], turns([0, 30]))
    skeleton = gltf.read(scene.save(tmp_path / "a.glb")).skeleton
    order = [skeleton.index(name) for name in SMPL22.names]
    assert_close(skeleton.rest_positions[order], SMPL22.rest_positions, atol=1e-5, rtol=0)


def test_a_body_in_centimetres_is_told_of_and_scaled(tmp_path, said):
    scaled(wobble(3), 100.0).save(tmp_path / "a.glb")
    assert leg_length(load(tmp_path / "a.glb").skeleton, OWN) == pytest.approx(100 * LEG, rel=1e-4)
    assert "a.glb: a body of 170 m, for the format is in metres; --unit says otherwise" in said()
    assert leg_length(load(tmp_path / "a.glb", ReadOptions(unit="cm")).skeleton, OWN) == pytest.approx(
        LEG, rel=1e-4
    )


def two_people(path):
    scene = Scene()
    for number, suffix in enumerate(("", ".001")):
        nodes = scene.body(suffix=suffix, offset=float(number))
        scene.skin(list(nodes.values()))
        scene.keys(f"turn{number}", nodes["pelvis"], [0.0, 1 / 30], turns([0, 10 * (number + 1)]))
    return scene.save(path)


def test_of_two_characters_the_one_that_moves_is_read_or_the_one_that_is_named(tmp_path, said):
    path = two_people(tmp_path / "a.glb")
    second = load(path, ReadOptions(animation="turn1"))
    assert second.skeleton.names[0] == "pelvis.001" and second.root[0, 0] == 1.0
    assert "2 characters (pelvis, pelvis.001); 1 is read" in said()
    first = load(path, ReadOptions(animation="turn1", character_index=0))
    assert first.skeleton.names[0] == "pelvis" and first.root[0, 0] == 0.0
    with pytest.raises(ValueError, match="character-index below 2, the number of characters, got 2"):
        load(path, ReadOptions(animation="turn1", character_index=2))


def test_several_animations_are_listed(tmp_path):
    assert animations(two_people(tmp_path / "a.glb")) == ("turn0", "turn1")
    with pytest.raises(ValueError, match="choose with --animation, one of turn0, turn1"):
        load(tmp_path / "a.glb")


@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0, 50.0, 60.0, 90.0, 120.0, 24000 / 1001, 60000 / 1001, 12.0])
def test_a_file_is_read_at_its_own_rate(tmp_path, fps):
    scene = Scene()
    nodes = scene.body()
    scene.skin(list(nodes.values()))
    times = np.arange(61) / fps
    angles = 40 * np.sin(np.arange(61))  # a turn that a coarser sampling would miss
    scene.keys("shake", nodes["head"], times, turns(angles))
    scene.keys("shake", nodes["pelvis"], [0.0, times[-1]], [[0, 0.97, 0]] * 2, "translation")
    motion = gltf.read(scene.save(tmp_path / "a.glb"))
    assert motion.fps == pytest.approx(fps, rel=1e-5) and motion.num_frames == 61
    head = motion.rotations[:, motion.skeleton.index("head")]
    expected = quat_normalize(torch.from_numpy(turns(angles)).float())
    assert float(torch.rad2deg(quat_angle(head, expected)).max()) < 0.2


def test_the_rate_of_keys_that_exporters_thin_out():
    frames = np.array([0, 7, 30, 31, 55])
    for fps in (24.0, 25.0, 30.0, 60.0, 120.0):
        assert rate_of([frames / fps, np.array([0.0, 55 / fps])]) == (fps, True)
    assert rate_of([np.round(np.arange(40) / 24, 3)]) == (24.0, True)  # written to a thousandth
    assert rate_of([np.array([0.0, 1.0])]) == (30.0, True)
    assert rate_of([np.cumsum(np.random.default_rng(0).uniform(0.01, 0.2, 30))]) == (30.0, False)


def test_joints_without_a_common_root_get_one(tmp_path, said):
    scene = Scene()
    nodes = scene.body()
    feet = [scene.node(f"ik_{side}", None, (x, 0.1, 0.0)) for side, x in (("l", 0.2), ("r", -0.2))]
    scene.skin([*nodes.values(), *feet])
    scene.keys("nod", nodes["head"], [0.0, 1 / 30], turns([0, 30]))
    motion = gltf.read(scene.save(tmp_path / "a.glb"))
    assert len(humanoid_map(motion.skeleton)) == 22
    at = motion.skeleton.index("ik_l")
    assert_close(motion.positions()[0, at], torch.tensor([0.2, 0.1, 0.0]))
    assert_close(motion.positions()[0, motion.skeleton.index("pelvis")], torch.tensor([0.0, 0.97, 0.0]))
    assert "3 trees of joints are put under one root" in said()


def test_morph_tracks_are_no_joints(tmp_path):
    scene = Scene()
    nodes = scene.body()
    face = scene.node("face")
    scene.keys("talk", face, [0.0, 1 / 30], [[0.0], [1.0]], "weights")
    with pytest.raises(ValueError, match="expected a skin or animated nodes, got none"):
        gltf.read(scene.save(tmp_path / "a.glb"))
    scene = Scene()
    nodes = scene.body()
    face = scene.node("face")
    scene.keys("talk", face, [0.0, 1 / 30], [[0.0], [1.0]], "weights")
    for name in SMPL22.names:
        scene.keys("talk", nodes[name], [0.0, 1 / 30], turns([0, 5]))
    assert (
        gltf.read(scene.save(tmp_path / "b.glb")).skeleton.names == SMPL22.names
        or "face" not in gltf.read(tmp_path / "b.glb").skeleton.names
    )


@pytest.mark.parametrize("scale", [(-1, 1, 1), (1, 1, -1), (-1, -1, -1), (-1, -1, 1), (-0.5, 0.5, 0.5)])
@pytest.mark.parametrize("where", ["armature", "left_shoulder"])
def test_mirrored_nodes_put_every_joint_where_matrices_do(tmp_path, scale, where):
    scene = Scene()
    nodes = scene.body({"scale": list(scale)} if where == "armature" else None)
    if where != "armature":
        scene.builder.json["nodes"][nodes[where]]["scale"] = list(scale)
    scene.skin(list(nodes.values()))
    moves = {
        name: turns([0, 20 + 5 * i], i % 3)
        for i, name in enumerate(("pelvis", "left_shoulder", "left_elbow"))
    }
    for name, quats in moves.items():
        scene.keys("move", nodes[name], [0.0, 1 / 30], quats)
    motion = gltf.read(scene.save(tmp_path / "a.glb"))
    expected = matrices_of(scene, {nodes[name]: quats[1] for name, quats in moves.items()})
    for name, node in nodes.items():
        found = motion.positions()[1, motion.skeleton.index(name)].double().numpy()
        np.testing.assert_allclose(found, expected[node][:3, 3], atol=1e-5)


def matrices_of(scene, turned):
    """World matrices of a scene's nodes by matrices alone."""
    world = {}

    def walk(node, above):
        item = scene.builder.json["nodes"][node]
        x, y, z, w = turned.get(node, (0, 0, 0, 1))
        local = np.eye(4)
        local[:3, :3] = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
        local[:3, :3] = local[:3, :3] @ np.diag(item.get("scale", [1, 1, 1]))
        local[:3, 3] = item.get("translation", [0, 0, 0])
        world[node] = above @ local
        for child in item.get("children", []):
            walk(child, world[node])

    for top in scene.tops:
        walk(top, np.eye(4))
    return world


def edited(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("name", ["EXT_meshopt_compression", "KHR_meshopt_compression"])
def test_a_compression_is_named(tmp_path, name):
    path = humanoid(tmp_path / "a.gltf")
    edited(path, lambda d: d["bufferViews"][0].update(extensions={name: {"buffer": 0}}))
    with pytest.raises(ValueError, match=f"a.gltf: expected plain data, got accessor 0 compressed by {name}"):
        gltf.read(path)


def test_a_compressed_mesh_does_not_hinder_the_motion(tmp_path):
    path = humanoid(tmp_path / "a.gltf")

    def draco(document):
        document["accessors"].append({"componentType": 5126, "count": 3, "type": "VEC3"})
        primitive = {"attributes": {"POSITION": len(document["accessors"]) - 1}}
        primitive["extensions"] = {
            "KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {"POSITION": 0}}
        }
        document["meshes"] = [{"primitives": [primitive]}]
        document["extensionsRequired"] = ["KHR_draco_mesh_compression"]

    assert gltf.read(edited(path, draco)).num_frames == 2


def test_a_buffer_without_data_says_what_to_do(tmp_path):
    path = humanoid(tmp_path / "a.gltf")
    with pytest.raises(
        ValueError, match=r"expected buffer 0 with its data, got no uri.*export the file as \.glb"
    ):
        gltf.read(edited(path, lambda d: d["buffers"][0].pop("uri")))


def test_sparse_keys_are_put_in_place(tmp_path):
    path = humanoid(tmp_path / "a.gltf")
    plain = gltf.read(path)

    def sparse(document):
        """Zeros, and both keys put in their places, as a writer of sparse data has it."""
        accessor = document["accessors"][document["animations"][0]["samplers"][0]["output"]]
        places = len(document["bufferViews"])
        document["bufferViews"].append({"buffer": 1, "byteLength": 2})
        document["buffers"].append(
            {"byteLength": 2, "uri": "data:application/octet-stream;base64,AAE="}  # bytes 0, 1
        )
        accessor["sparse"] = {
            "count": 2,
            "indices": {"bufferView": places, "componentType": 5121},
            "values": {"bufferView": accessor.pop("bufferView")},
        }

    assert_close(gltf.read(edited(path, sparse)).rotations, plain.rotations)


def test_the_bones_that_a_vrm_names_are_believed(tmp_path):
    path = humanoid(tmp_path / "a.gltf")

    def vrm(document):
        for node in document["nodes"]:
            node["name"] = f"bone{document['nodes'].index(node)}"
        at = {name: i + 1 for i, name in enumerate(SMPL22.names)}
        bones = {"hips": "pelvis", "spine": "spine1", "chest": "spine3", "neck": "neck", "head": "head"}
        parts = {"Shoulder": "collar", "UpperArm": "shoulder", "LowerArm": "elbow", "Hand": "wrist"}
        parts |= {"UpperLeg": "hip", "LowerLeg": "knee", "Foot": "ankle", "Toes": "foot"}
        bones |= {side + bone: f"{side}_{part}" for side in ("left", "right") for bone, part in parts.items()}
        humanoid = {"humanBones": {bone: {"node": at[part]} for bone, part in bones.items()}}
        document["extensions"] = {"VRMC_vrm": {"specVersion": "1.0", "humanoid": humanoid}}

    roles = humanoid_map(gltf.read(edited(path, vrm)).skeleton)
    assert {name: roles[name] for name in ("pelvis", "left_hip", "spine3")} == {
        "pelvis": "bone1",
        "left_hip": "bone2",
        "spine3": "bone10",
    }
    assert "spine2" not in roles and len(roles) == 21


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": "furlong"}, "unit: expected mm, cm, inch, dm, m or metres as a number, got 'furlong'"),
        ({"unit": "0"}, "unit: expected"),
        ({"up": "x"}, "up: expected y or z, got 'x'"),
        ({"fps": 0}, "fps: expected 0 < fps"),
        ({"character_index": -1}, "character-index: expected 0 or more"),
    ],
)
def test_options_that_cannot_be_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        ReadOptions(**options)


def test_one_motion_has_no_animations_to_choose_from(tmp_path):
    body_bvh(tmp_path / "a.bvh", 0.01)
    with pytest.raises(ValueError, match="expected no animation for BVH, which holds one"):
        load(tmp_path / "a.bvh", ReadOptions(animation="walk"))
    assert isinstance(Motion.load(tmp_path / "a.bvh", ReadOptions(up="y")), Motion)
