"""The user's own character: its file as it is, with the motion in place of its animations."""

import base64
import io
import json
import struct

import numpy as np
import pytest
import torch
from PIL import Image
from torch.testing import assert_close

import motiongen_assets
from motiongen.io import gltf
from motiongen.io.gltf_container import GltfBuilder, GltfReader
from motiongen.io.gltf_mesh import foot_depths
from motiongen.io.gltf_write import stick_mesh
from motiongen.motion import Motion
from motiongen.retargeting import Character
from motiongen.rotation import quat_from_axis_angle, quat_identity
from motiongen.skeleton import SMPL22
from tests.core.figures import walking
from tests.core.io.real_files import Scene, turns
from tests.core.motions import wobble


@pytest.fixture(scope="module")
def avatar(tmp_path_factory):
    """The shipped body as a user's VRM: other names, a texture, an old animation before the mesh, an extension."""
    path = tmp_path_factory.mktemp("avatar") / "avatar.vrm"
    reader = GltfReader(motiongen_assets.path("body/mannequin.glb"))
    builder = GltfBuilder("other")
    times = builder.add_accessor(np.array([0, 1, 2], np.float32), "SCALAR", bounds=True)
    values = builder.add_accessor(turns([0, 40, 0]).astype(np.float32), "VEC4")
    builder.add(
        "animations",
        {
            "name": "old",
            "samplers": [{"input": times, "output": values}],
            "channels": [{"sampler": 0, "target": {"node": 0, "path": "rotation"}}],
        },
    )
    moved = {}
    for number in range(len(reader.items("accessors"))):
        accessor = reader.item("accessors", number)
        kinds = {5123: np.uint16, 5121: np.uint8, 5126: np.float32, 5125: np.uint32}
        values = reader.accessor(number)
        if accessor.get("normalized"):
            values = values * np.iinfo(kinds[accessor["componentType"]]).max
        moved[number] = builder.add_accessor(
            np.round(values).astype(kinds[accessor["componentType"]])
            if accessor["componentType"] != 5126
            else values,
            accessor["type"],
            bounds="min" in accessor,
            normalized=accessor.get("normalized", False),
        )
    document = json.loads(json.dumps(reader.json))
    for primitive in document["meshes"][0]["primitives"]:
        primitive["attributes"] = {name: moved[at] for name, at in primitive["attributes"].items()}
        primitive["indices"] = moved[primitive["indices"]]
    document["skins"][0]["inverseBindMatrices"] = moved[document["skins"][0]["inverseBindMatrices"]]
    for item in document["nodes"][:22]:
        item["name"] = f"J_Bip_{item['name']}"
    for key in ("nodes", "meshes", "skins", "materials", "scenes", "scene"):
        builder.json[key] = document[key]
    picture = io.BytesIO()
    Image.new("RGB", (4, 4), (200, 10, 10)).save(picture, "png")
    data = base64.b64encode(picture.getvalue()).decode()
    builder.json["images"] = [{"uri": f"data:image/png;base64,{data}"}]
    builder.json["textures"] = [{"source": 0}]
    bones = {"hips": {"node": 0}, "leftUpperLeg": {"node": 1}}
    builder.json["extensions"] = {"VRMC_vrm": {"specVersion": "1.0", "humanoid": {"humanBones": bones}}}
    builder.json["extensionsUsed"] = ["VRMC_vrm"]
    builder.json["asset"]["copyright"] = "the artist"
    path.write_bytes(builder.to_bytes())
    return path


def test_the_motion_is_on_the_character_and_all_else_is_as_it_was(avatar, tmp_path):
    character = Character.load(avatar)
    motion = walking()[:20].retarget(character).licensed("CC0")
    motion.save(tmp_path / "out.glb", character=avatar)
    before, after = GltfReader(avatar), GltfReader(tmp_path / "out.glb")
    for key in ("nodes", "meshes", "skins", "materials", "textures", "extensions", "extensionsUsed"):
        assert after.json[key] == before.json[key], key
    assert [item["name"] for item in after.items("animations")] == ["motion"]
    for index in before.items("meshes")[0]["primitives"][0]["attributes"].values():
        np.testing.assert_array_equal(after.accessor(index), before.accessor(index))
    picture = Image.open(io.BytesIO(after.view_bytes(after.items("images")[0]["bufferView"])))
    assert picture.getpixel((1, 1)) == (200, 10, 10)
    assert after.json["asset"]["copyright"] == "the artist"
    back = Motion.load(tmp_path / "out.glb")
    assert back.licence == "CC0" and back.fps == motion.fps
    assert_close(back.positions(), motion.positions(), atol=1e-5, rtol=0)


def test_data_of_the_old_animations_goes(avatar, tmp_path):
    walking()[:1].retarget(Character.load(avatar)).save(tmp_path / "out.glb", character=avatar)
    after = GltfReader(tmp_path / "out.glb")
    assert after.items("accessors")[0] == {"componentType": 5126, "count": 1, "type": "SCALAR"}
    assert len(after.view_bytes(0)) == 1


def test_an_embedded_gltf_is_written_too(avatar, tmp_path):
    motion = walking()[:4].retarget(Character.load(avatar))
    motion.save(tmp_path / "out.gltf", character=avatar)
    assert_close(Motion.load(tmp_path / "out.gltf").positions(), motion.positions(), atol=1e-5, rtol=0)


def test_the_mesh_stands_and_tells_where_its_soles_are(avatar):
    skeleton, mesh = gltf.read_character(avatar)
    assert mesh is not None and mesh.names == skeleton.names
    assert float(mesh.vertices[:, 1].min()) == 0.0
    assert 1.6 < float(mesh.vertices[:, 1].max()) < 1.8
    still = Motion(skeleton, skeleton.rest_rotations[None], torch.zeros(1, 3), 30.0)
    shift = mesh.joints[0]
    assert_close(mesh.skin(still)[0] + shift, mesh.vertices, atol=1e-5, rtol=0)
    ankles = skeleton.index("J_Bip_left_ankle"), skeleton.index("J_Bip_right_ankle")
    depths = foot_depths(mesh, skeleton, ankles, quat_identity(1)[0])
    assert depths == pytest.approx([0.085, 0.085], abs=0.01)


def scaled_character(path):
    """A character as an exporter writes it: in centimetres, along z, under a turned, scaled and mirrored armature."""
    scene = Scene()
    half = 0.5**0.5
    nodes = scene.body(
        {"scale": [0.01, 0.01, 0.01], "rotation": [half, 0, 0, half], "translation": [0, 0.5, 0]}
    )
    for name, node in nodes.items():
        item = scene.builder.json["nodes"][node]
        item["translation"] = [100 * value for value in item["translation"]]
        if name == "head":
            item["scale"] = [-1.0, -1.0, 1.0]
        if name == "left_elbow":
            matrix = np.eye(4)
            matrix[:3, 3] = item.pop("translation")
            item["matrix"] = matrix.T.reshape(-1).tolist()
    scene.skin(list(nodes.values()))
    return scene.save(path)


@pytest.mark.parametrize("trees", [1, 2])
def test_units_turns_matrices_and_mirrors_come_back_right(tmp_path, trees):
    path = scaled_character(tmp_path / "avatar.glb")
    if trees == 2:  # a second tree that the skin needs, too: no root in common
        reader = GltfReader(path)
        document = reader.json
        document["nodes"].append({"name": "hat", "translation": [0.0, 1.7, 0.0]})
        document["skins"][0]["joints"].append(len(document["nodes"]) - 1)
        document["scenes"][0]["nodes"].append(len(document["nodes"]) - 1)
        document.pop("buffers", None)
        path.write_bytes(GltfBuilder(document=document).to_bytes())
    skeleton, mesh = gltf.read_character(path)
    assert mesh is None
    generator = torch.Generator().manual_seed(2)
    turned = quat_from_axis_angle(torch.randn(5, skeleton.num_joints, 3, generator=generator))
    motion = Motion(skeleton, turned, torch.randn(5, 3, generator=generator), 24.0)
    motion.save(tmp_path / "out.glb", character=path)
    back = Motion.load(tmp_path / "out.glb")
    assert back.skeleton.names == skeleton.names
    assert_close(back.positions(), motion.positions(), atol=2e-5, rtol=0)


def test_another_skeleton_and_a_format_without_looks_are_refused(avatar, tmp_path):
    with pytest.raises(
        ValueError, match=r"expected the joints of the motion \(SMPL-22\), got 22 joints from 'J_Bip"
    ):
        walking()[:2].save(tmp_path / "out.glb", character=avatar)
    motion = walking()[:2].retarget(avatar)
    with pytest.raises(ValueError, match="character: expected none for BVH, which keeps the skeleton alone"):
        motion.save(tmp_path / "out.bvh", character=avatar)
    assert not list(tmp_path.iterdir())


def test_a_broken_character_is_one_line(tmp_path):
    for name, data in {"cut.glb": b"glTF" + struct.pack("<II", 2, 9999), "text.vrm": b"hello"}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match=name) as found:
            Character.load(tmp_path / name)
        assert "\n" not in str(found.value)
    (tmp_path / "song.mp3").write_bytes(b"")
    with pytest.raises(ValueError, match=r"expected a character in one of \.glb \.gltf \.vrm \.bvh"):
        Character.load(tmp_path / "song.mp3")
    with pytest.raises(FileNotFoundError, match="expected a character, got no such file"):
        Character.load(tmp_path / "gone.vrm")


def test_a_bvh_is_a_character_without_looks(tmp_path):
    walking()[:3].save(tmp_path / "me.bvh")
    character = Character.load(tmp_path / "me.bvh")
    assert character.mesh is None and not character.is_figure
    assert character.skeleton.names == SMPL22.names


@pytest.mark.parametrize(("name", "value"), [("POSITION", np.nan), ("POSITION", 1e12), ("indices", 65000)])
def test_a_mesh_whose_numbers_are_none_is_told(tmp_path, name, value):
    path = tmp_path / "figure.glb"
    wobble(2).save(path, mesh=stick_mesh(SMPL22))
    reader = GltfReader(path)
    primitive = reader.items("meshes")[0]["primitives"][0]
    number = primitive[name] if name == "indices" else primitive["attributes"][name]
    values = reader.accessor(number)
    bad = values.copy()
    bad.flat[4] = value
    data = path.read_bytes()
    assert data.count(values.tobytes()) == 1
    path.write_bytes(data.replace(values.tobytes(), bad.tobytes()))
    with pytest.raises(ValueError, match=r"figure\.glb: .*expected"):
        Character.load(path)
