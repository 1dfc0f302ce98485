"""glTF out, judged by pygltflib; glTF in, from files that others would write; broken files in one line."""

import base64
import json
import struct

import numpy as np
import pygltflib
import pytest
import torch

from motiongen.io import gltf
from motiongen.io.gltf_container import GltfBuilder, GltfReader
from motiongen.motion import Motion
from motiongen.rotation import quat_angle, quat_from_axis_angle, quat_identity, quat_rotate
from motiongen.skeleton import Skeleton
from tests.core.motions import wobble


def chain(rest=None):
    """A skeleton that is not SMPL's, with a rest pose of its own."""
    offsets = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.3, 0.0, 0.1]])
    return Skeleton(("base", "mid", "tip"), (-1, 0, 1), offsets, rest=rest, ends=((2, (0.2, 0.0, 0.0)),))


def swaying(skeleton, frames=9, fps=25.0):
    generator = torch.Generator().manual_seed(3)
    angles = torch.randn(frames, skeleton.num_joints, 3, generator=generator)
    return Motion(skeleton, quat_from_axis_angle(angles), torch.randn(frames, 3, generator=generator), fps)


def referee_positions(path, frame):
    """Joint positions of a frame by pygltflib and matrices alone: none of our reading, none of our quaternions."""
    document = pygltflib.GLTF2().load(str(path))
    blob = document.binary_blob()

    def values(index, width):
        accessor = document.accessors[index]
        start = document.bufferViews[accessor.bufferView].byteOffset + (accessor.byteOffset or 0)
        return np.frombuffer(blob, "<f4", accessor.count * width, start).reshape(-1, width).astype(float)

    rotation = {i: node.rotation or [0, 0, 0, 1] for i, node in enumerate(document.nodes)}
    offset = {i: node.translation or [0, 0, 0] for i, node in enumerate(document.nodes)}
    animation = document.animations[0]
    for channel in animation.channels:
        output = animation.samplers[channel.sampler].output
        if channel.target.path == "rotation":
            rotation[channel.target.node] = values(output, 4)[frame]
        else:
            offset[channel.target.node] = values(output, 3)[frame]

    found = {}

    def walk(node, above):
        x, y, z, w = rotation[node]
        local = np.eye(4)
        local[:3, :3] = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )
        local[:3, 3] = offset[node]
        found[document.nodes[node].name] = (above @ local)[:3, 3]
        for child in document.nodes[node].children or []:
            walk(child, above @ local)

    walk(document.skins[0].joints[0], np.eye(4))
    return found


@pytest.mark.parametrize("motion", [wobble(7), swaying(chain())], ids=["smpl22", "foreign"])
def test_a_second_reader_finds_the_same_joint_positions(tmp_path, motion):
    motion.save(tmp_path / "clip.glb")
    for frame in (0, motion.num_frames - 1):
        found = referee_positions(tmp_path / "clip.glb", frame)
        theirs = torch.tensor(np.stack([found[name] for name in motion.skeleton.names])).float()
        torch.testing.assert_close(theirs, motion.positions()[frame], rtol=0, atol=1e-5)


@pytest.mark.parametrize("extension", ["glb", "gltf"])
def test_a_round_trip_keeps_rate_skeleton_and_pose(tmp_path, extension):
    rest = quat_from_axis_angle(torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.0, -0.5], [0.0, 0.9, 0.0]]))
    motion = swaying(chain(rest))
    gltf.write(motion, tmp_path / f"clip.{extension}")
    back = gltf.read(tmp_path / f"clip.{extension}")
    assert back.fps == motion.fps
    assert back.skeleton.names == motion.skeleton.names
    assert back.skeleton.parents == motion.skeleton.parents
    assert quat_angle(back.skeleton.rest_rotations, rest).max() < 1e-3
    torch.testing.assert_close(back.positions(), motion.positions(), rtol=0, atol=1e-5)


def test_joints_that_move_on_their_parents_come_back_moving(tmp_path):
    still = swaying(chain())
    moves = still.skeleton.offsets + torch.linspace(0, 0.2, still.num_frames)[:, None, None]
    motion = Motion(still.skeleton, still.rotations, still.root, still.fps, moves)
    gltf.write(motion, tmp_path / "clip.glb")
    torch.testing.assert_close(
        gltf.read(tmp_path / "clip.glb").positions(), motion.positions(), rtol=0, atol=1e-5
    )


def test_one_frame_and_sixty_frames_a_second_are_fine(tmp_path):
    for motion in (wobble(1), wobble(5, fps=60.0)):
        motion.save(tmp_path / "clip.glb")
        back = Motion.load(tmp_path / "clip.glb")
        assert (back.num_frames, back.fps) == (motion.num_frames, motion.fps)


def test_bytes_are_aligned_and_the_same_each_time(tmp_path):
    wobble(5).save(tmp_path / "a.glb")
    wobble(5).save(tmp_path / "b.glb")
    data = (tmp_path / "a.glb").read_bytes()
    assert data == (tmp_path / "b.glb").read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    assert all(view["byteOffset"] % 4 == 0 for view in GltfReader(tmp_path / "a.glb").items("bufferViews"))


def authored(path, times, values, *, kind="LINEAR", prop="rotation", **extra):
    """A file as another program would write it: a scaled, turned armature above two joints."""
    builder = GltfBuilder("other")
    half = 0.5**0.5
    builder.add(
        "nodes", {"name": "armature", "scale": [0.01] * 3, "rotation": [half, 0, 0, half], "children": [1]}
    )
    builder.add("nodes", {"name": "hips", "translation": [0, 0, -100], "children": [2]})
    builder.add("nodes", {"name": "spine", "translation": [0, 20, 0]})
    builder.add("skins", {"joints": [1, 2]})
    sampler = {
        "input": builder.add_accessor(np.array(times, np.float32), "SCALAR", bounds=True),
        "output": builder.add_accessor(
            np.array(values, np.float32), "VEC4" if prop == "rotation" else "VEC3"
        ),
        "interpolation": kind,
    }
    channel = {"sampler": 0, "target": {"node": 1, "path": prop}}
    builder.add("animations", {"name": "move", "samplers": [sampler], "channels": [channel]} | extra)
    path.write_bytes(builder.to_bytes())
    return path


def test_what_lies_above_the_joints_is_folded_into_the_root(tmp_path):
    motion = gltf.read(authored(tmp_path / "a.glb", [0, 1], [[0, 0, 0, 1]] * 2))
    assert motion.skeleton.names == ("hips", "spine")
    # The armature turns +Z to -Y ... -100 cm of local z is 1 m up, and the spine's +Y is +Z.
    torch.testing.assert_close(motion.positions()[0], torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 0.2]]))
    assert (motion.num_frames, motion.fps) == (31, 30.0)


def test_time_begins_at_the_first_key(tmp_path):
    motion = gltf.read(authored(tmp_path / "a.glb", [0.5, 1.5], [[0, 0, 0], [0, 30, 0]], prop="translation"))
    assert motion.num_frames == 31
    torch.testing.assert_close(motion.root[-1] - motion.root[0], torch.tensor([0.0, 0.0, 0.3]))


def test_linear_rotations_are_slerped_by_the_short_way(tmp_path):
    half = 0.5**0.5
    quarter_turn = [[0, 0, 0, 1], [0, 0, -half, -half]]
    motion = gltf.read(authored(tmp_path / "a.glb", [0, 1], quarter_turn))
    turned = quat_angle(motion.rotations[15, 0], motion.rotations[0, 0])
    assert turned.item() == pytest.approx(torch.pi / 4, abs=1e-3)


def test_a_step_holds_until_the_next_key(tmp_path):
    path = authored(tmp_path / "a.glb", [0, 1], [[0, 0, 0], [0, 30, 0]], prop="translation", kind="STEP")
    rise = gltf.read(path).root[:, 2]
    torch.testing.assert_close(rise, torch.tensor([0.0] * 30 + [0.3]), rtol=0, atol=1e-6)


def test_a_cubic_spline_follows_its_tangents(tmp_path):
    # In-tangent, value, out-tangent of each key; the first leaves at 60 cm/s, the second arrives at rest.
    keys = [[0, 0, 0], [0, 0, 0], [0, 60, 0], [0, 0, 0], [0, 30, 0], [0, 0, 0]]
    path = authored(tmp_path / "a.glb", [0, 1], keys, prop="translation", kind="CUBICSPLINE")
    rise = gltf.read(path).root[:, 2]
    # Hermite at 1/2: (p0 + p1) / 2 + (m0 - m1) / 8 = 0.15 + 0.6 / 8.
    assert rise[15].item() == pytest.approx(0.225, abs=1e-6)


def test_a_node_pose_that_is_not_the_bind_pose_is_not_taken_for_rest(tmp_path):
    rest = chain()
    gltf.write(swaying(rest), tmp_path / "a.glb")
    document = pygltflib.GLTF2().load(str(tmp_path / "a.glb"))
    document.nodes[1].rotation = [0.0, 0.0, 0.6, 0.8]
    document.save(str(tmp_path / "posed.glb"))
    skeleton = gltf.skeleton_of(tmp_path / "posed.glb")
    torch.testing.assert_close(skeleton.rest_positions, rest.rest_positions, rtol=0, atol=1e-5)


def test_buffers_may_lie_beside_the_file_or_in_it(tmp_path):
    gltf.write(swaying(chain()), tmp_path / "in.gltf")
    document = json.loads((tmp_path / "in.gltf").read_text())
    data = base64.b64decode(document["buffers"][0]["uri"].split(",")[1])
    (tmp_path / "the data.bin").write_bytes(data)
    document["buffers"][0]["uri"] = "the%20data.bin"
    (tmp_path / "out.gltf").write_text(json.dumps(document))
    beside, inside = gltf.read(tmp_path / "out.gltf"), gltf.read(tmp_path / "in.gltf")
    torch.testing.assert_close(beside.rotations, inside.rotations)
    (tmp_path / "the data.bin").unlink()
    with pytest.raises(ValueError, match=r"out.gltf: expected its buffer 'the%20data.bin' beside it"):
        gltf.read(tmp_path / "out.gltf")


def test_several_animations_are_all_read_and_one_must_be_named(tmp_path):
    gltf.write(swaying(chain()), tmp_path / "a.glb", name="walk")
    document = pygltflib.GLTF2().load(str(tmp_path / "a.glb"))
    document.animations.append(
        pygltflib.Animation(
            name="run", channels=document.animations[0].channels, samplers=document.animations[0].samplers
        )
    )
    document.save(str(tmp_path / "two.glb"))
    assert list(gltf.read_animations(tmp_path / "two.glb")) == ["walk", "run"]
    assert gltf.read(tmp_path / "two.glb", animation="run", fps=25.0).num_frames == 9
    with pytest.raises(
        ValueError, match=r"expected one animation, got 2; choose with --animation, one of walk, run"
    ):
        gltf.read(tmp_path / "two.glb")
    with pytest.raises(ValueError, match="expected one of walk, run, got 'jump'"):
        gltf.read(tmp_path / "two.glb", animation="jump")


def test_every_truncation_is_one_line(tmp_path):
    gltf.write(swaying(chain()), tmp_path / "a.glb")
    data = (tmp_path / "a.glb").read_bytes()
    for size in [0, 3, 4, 11, 19, 40, len(data) // 2, len(data) - 1]:
        (tmp_path / "cut.glb").write_bytes(data[:size])
        with pytest.raises(ValueError, match=r"^[^\n]*cut.glb: expected [^\n]*$"):
            gltf.read(tmp_path / "cut.glb")


def broken(change):
    """A minimal .gltf with one thing wrong."""
    document = json.loads(GltfBuilder("x").to_json())
    document |= {"nodes": [{"name": "a", "children": [1]}, {"name": "b"}], "skins": [{"joints": [0, 1]}]}
    document["buffers"] = [{"byteLength": 8, "uri": "data:;base64," + base64.b64encode(b"\0" * 8).decode()}]
    document["bufferViews"] = [{"buffer": 0, "byteLength": 8}]
    document["accessors"] = [{"bufferView": 0, "componentType": 5126, "count": 1, "type": "SCALAR"}]
    sampler = {"input": 0, "output": 0}
    document["animations"] = [
        {"samplers": [sampler], "channels": [{"sampler": 0, "target": {"node": 0, "path": "rotation"}}]}
    ]
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: None, r"1 values of 4 for 1 keys"),
        (lambda d: d.update(nodes={}), r"a list of objects 'nodes'"),
        (lambda d: d["nodes"][1].update(children=[0]), r"circle|one root|one parent"),
        (lambda d: d["nodes"][0].update(children=[7]), r"an index into 2 nodes, got 7"),
        (lambda d: d["nodes"][0].update(rotation=[1, 2]), r"4 finite numbers in a node"),
        (lambda d: d["skins"][0].update(joints=["hips"]), r"an index into 2 nodes"),
        (lambda d: d["accessors"][0].update(count=99), r"accessor 0 inside its buffer of 8 bytes"),
        (lambda d: d["accessors"][0].update(componentType=1), r"accessor 0 of a known type"),
        (lambda d: d["animations"][0].pop("samplers"), r"well-formed .*KeyError 'samplers'"),
        (lambda d: d.update(animations=[]), r"expected an animation, got none"),
        (lambda d: d["asset"].update(version="1.0"), r"version 2.x, got '1.0'"),
    ],
)
def test_a_file_that_contradicts_itself_says_where(tmp_path, change, message):
    (tmp_path / "bad.gltf").write_text(broken(change))
    with pytest.raises(ValueError, match=message) as caught:
        gltf.read(tmp_path / "bad.gltf")
    assert "\n" not in str(caught.value)
    assert "bad.gltf" in str(caught.value)


def test_nothing_is_left_when_writing_fails(tmp_path):
    with pytest.raises(FileNotFoundError):
        gltf.write(wobble(2), tmp_path / "missing" / "clip.glb")
    assert list(tmp_path.iterdir()) == []


def test_the_sticks_of_a_foreign_skeleton_stand_on_the_floor_and_follow_it():
    from motiongen.io.gltf_write import stick_mesh

    skeleton = chain()
    mesh = stick_mesh(skeleton)
    assert mesh.joints[:, 1].min().item() == pytest.approx(0.0)
    root = torch.tensor([[1.0, 2.0, 3.0]])
    turn = quat_from_axis_angle(torch.tensor([0.0, 1.0, 0.0]))
    rotations = torch.cat([turn[None], quat_identity(2)])[None]
    moved = mesh.skin(Motion(skeleton, rotations, root, 30.0))[0]
    expected = root[0] + quat_rotate(turn, mesh.vertices - mesh.joints[0])
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-5)


def test_a_quaternion_of_length_0_is_named(tmp_path):
    path = authored(tmp_path / "a.glb", [0, 1], [[0, 0, 0, 1], [0, 0, 0, 0]])
    with pytest.raises(
        ValueError, match=r"a.glb: expected rotations that are quaternions, got one of length 0"
    ):
        gltf.read(path)
    (tmp_path / "b.gltf").write_text(broken(lambda d: d["nodes"][0].update(rotation=[0, 0, 0, 0])))
    with pytest.raises(ValueError, match=r"b.gltf: expected node 0 with a quaternion for rotation"):
        gltf.read(tmp_path / "b.gltf")
