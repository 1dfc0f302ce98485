"""The Blender add-on's core, out of the zip that is installed, without Blender: fixtures, a real server, rigs."""

import asyncio
import importlib.util
import json
import math
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest
import torch

from motiongen.rotation import quat_multiply, quat_rotate
from motiongen.skeleton import SMPL22
from tests.bridge.serving import make_server, serving
from tests.core.motions import t_pose, wobble

BRIDGE = Path(__file__).parents[2] / "bridge"
FRAMES = json.loads((BRIDGE / "fixtures" / "frames.json").read_text())
RIGS = json.loads((BRIDGE / "fixtures" / "rigs.json").read_text())["rigs"]


def load_module(name, path, folder=None):
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def addon(tmp_path_factory):
    """The folder of the add-on, unpacked from its zip."""
    folder = tmp_path_factory.mktemp("addon")
    build = load_module("blender_build", BRIDGE / "blender" / "build.py").build
    with zipfile.ZipFile(build(folder / "motiongen.zip")) as archive:
        archive.extractall(folder / "motiongen")
    return folder / "motiongen"


@pytest.fixture(scope="module")
def core(addon):
    load_module("blender_core", addon / "core" / "__init__.py", [str(addon / "core")])

    class Core:
        """The core's modules, by name."""

        def __getattr__(self, name):
            return importlib.import_module(f"blender_core.{name}")

    return Core()


def test_the_zip_is_an_extension_of_the_same_bytes_each_time(addon, tmp_path):
    manifest = tomllib.loads((addon / "blender_manifest.toml").read_text())
    assert manifest["schema_version"] == "1.0.0" and manifest["type"] == "add-on"
    assert manifest["id"].isidentifier() and not manifest["tagline"].endswith(".")
    assert len(manifest["tagline"]) <= 64 and manifest["blender_version_min"] >= "4.2.0"
    build = load_module("blender_build", BRIDGE / "blender" / "build.py").build
    assert build(tmp_path / "a.zip").read_bytes() == build(tmp_path / "b.zip").read_bytes()


def test_the_core_needs_the_standard_library_alone(core, addon):
    known = set(sys.stdlib_module_names)
    for path in (addon / "core").glob("*.py"):
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] == ["import"] or (words[:1] == ["from"] and not words[1].startswith(".")):
                assert words[1].split(".")[0] in known, f"{path.name}: {line}"


# The wire.


BINARY = [case for case in FRAMES["frames"] if "hex" in case]


@pytest.mark.parametrize("case", BINARY, ids=lambda case: case["name"])
def test_the_fixtures_frames_are_decoded(core, case):
    frame, said = core.frames.decode_frame(bytes.fromhex(case["hex"])), case["frame"]
    assert (frame.character, frame.seq, frame.obeys, frame.time) == tuple(
        said[name] for name in ("character", "seq", "obeys", "time")
    )
    assert (frame.contacts, frame.is_gap) == (said["contacts"], said["gap"])
    assert frame.root == pytest.approx(said["root"], abs=1e-6)
    for ours, theirs in zip(frame.rotations, said["rotations"], strict=True):
        size = math.sqrt(sum(value * value for value in theirs))
        assert ours == pytest.approx([value / size for value in theirs], abs=1e-5)


def test_what_is_no_frame_is_refused(core):
    for case in FRAMES["refused"]:
        with pytest.raises(ValueError, match="frame: expected"):
            core.frames.decode_frame(bytes.fromhex(case["hex"]))


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("ws://127.0.0.1:8787", ("127.0.0.1", 8787, "/ws", False)),
        ("http://studio:80/", ("studio", 80, "/ws", False)),
        ("wss://studio/a/b?token=x", ("studio", 443, "/a/b?token=x", True)),
        ("[::1]:9", ("::1", 9, "/ws", False)),
        ("studio", ("studio", 8787, "/ws", False)),
    ],
)
def test_addresses_are_read(core, url, parsed):
    assert core.websocket.parse_url(url) == parsed


@pytest.mark.parametrize("url", ["", "ftp://studio", "ws://", "ws://studio:port", "ws://studio:0"])
def test_what_is_no_address_is_refused(core, url):
    with pytest.raises(ValueError, match="server: expected ws://HOST:PORT"):
        core.websocket.parse_url(url)


# Time.


def frames_of(core, motion, fps=30.0, begin=1.0):
    return [
        core.frames.Frame(
            1, n, int((begin + n / fps) * 1e6), 0, 0, tuple(root), tuple(map(tuple, turns)), False
        )
        for n, (root, turns) in enumerate(zip(motion.root.tolist(), motion.rotations.tolist(), strict=True))
    ]


def test_between_frames_it_blends_and_beyond_the_last_it_holds(core):
    motion = wobble(10)
    playback = core.playback.Playback(30.0)
    for frame in frames_of(core, motion):
        playback.push(frame, frame.time / 1e6)
    pose = playback.sample(1.0 + 4.25 / 30 + playback.delay)
    expected = motion.at(torch.tensor([4.25]))
    torch.testing.assert_close(torch.tensor(pose.root), expected.root[0], rtol=0, atol=1e-5)
    turns = torch.tensor(pose.rotations)
    assert ((turns * expected.rotations[0]).sum(-1).abs() > 1 - 1e-5).all()
    assert playback.sample(99.0).root == pytest.approx(motion.root[9].tolist())


def test_a_jump_is_no_slide_and_old_frames_are_left_out(core):
    one, two = frames_of(core, t_pose(2))
    far = two._replace(root=(5.0, 0.9, 0.0))
    assert core.playback.blend(one, far, 1.02, 1 / 30).root == one.root
    playback = core.playback.Playback(30.0)
    for frame in (two, one):
        playback.push(frame, 1.0)
    assert playback.sample(99.0).root == two.root


def test_the_clock_believes_the_quickest_pong(core):
    clock = core.playback.ServerClock()
    clock.add(0.0, 1.0, 100.0)
    clock.add(10.0, 10.1, 110.55)
    clock.add(20.0, 20.4, 121.0)
    assert clock.offset == pytest.approx(100.5)


def test_a_take_has_a_pose_for_each_frame_of_the_scene(core):
    motion, take = wobble(31), core.playback.Take(30.0)
    for frame in frames_of(core, motion):
        take.push(frame)
        take.push(frame)
    poses = take.poses(24.0)
    assert len(poses) == 25 and poses[24].time == pytest.approx(1.0)
    expected = motion.at(torch.tensor([30 * 7 / 24]))
    torch.testing.assert_close(torch.tensor(poses[7].root), expected.root[0], rtol=0, atol=1e-5)
    assert core.playback.Take(30.0).poses(24.0) == []


# Against a real server.


def wait_for(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.mark.slow
def test_a_link_shows_obeys_and_records(core, model):
    with serving(model) as server:
        link = core.link.Link(server.url, prompt="a person walks")
        link.start()
        wait_for(lambda: link.sample() is not None)
        assert link.status == "connected"
        assert link.hello["skeleton"]["names"] == list(SMPL22.names)
        link.record()
        link.tell("hold")
        link.tell("goto", x=1.0, z=2.0)
        link.tell("nonsense")
        wait_for(lambda: link.notes)
        wait_for(lambda: len(link._take.frames) > 20)
        take = link.stop_recording()
        assert len(take.poses(30.0)) > 15 and not link.is_recording
        link.stop()
        assert link.status == "disconnected" and not link.is_running
        wait_for(lambda: not server.broadcaster.characters)  # it was closed, not only left


@pytest.mark.slow
def test_a_link_resumes_after_the_connection_dropped(core, model):
    with serving(model) as server:
        link = core.link.Link(server.url, prompt="a person walks")
        link.start()
        wait_for(lambda: link.sample() is not None)
        character, before = link._character, link._last
        link._socket._socket.shutdown(2)
        wait_for(lambda: link._last > before + 20)
        assert link._character == character and len(server.broadcaster.characters) == 1
        link.stop()


@pytest.mark.slow
def test_no_server_a_wrong_token_and_another_program_are_told(core, model):
    link = core.link.Link("ws://127.0.0.1:9")
    link.start()
    wait_for(lambda: "no server at ws://127.0.0.1:9" in link.status)
    link.stop()
    with serving(model, token="a good secret") as server:
        wrong = core.link.Link(server.url, token="a wrong secret")
        wrong.start()
        wait_for(lambda: not wrong.is_running)
        assert "token" in wrong.status
        right = core.link.Link(server.url, token="a good secret", prompt="walk")
        right.start()
        wait_for(lambda: right.sample() is not None)
        right.stop()


@pytest.mark.slow
def test_a_server_that_stops_is_told(core, model):
    async def scenario():
        async with make_server(model) as server:
            link = core.link.Link(server.url, prompt="a person walks")
            link.start()
            while link.sample() is None:
                await asyncio.sleep(0.01)
        return link

    link = asyncio.run(asyncio.wait_for(scenario(), 60))
    wait_for(lambda: not link.is_running)
    assert link.status == "the server stopped"


# The rig.


def skeleton_rig(core, name="SMPL for Maya", turn=(0.0, 0.0, 0.0, 1.0), scale=1.0, lowered=0.0, twist=True):
    """Return the bones of a fixture's rig with SMPL-22's proportions, turned as a whole, its arms lowered, its bones
    with rolls of their own."""
    joints, roles = RIGS[name]["joints"], {joint: role for role, joint in RIGS[name]["roles"].items()}
    rest = SMPL22.rest_positions
    rest = rest + torch.tensor([0.0, -rest[SMPL22.index("left_ankle"), 1].item() + 0.085, 0.0])
    places = {name: rest[n] for n, name in enumerate(SMPL22.names)}
    for side, sign in (("left", -1.0), ("right", 1.0)):
        down = torch.tensor([0.0, 0.0, math.sin(sign * lowered / 2), math.cos(lowered / 2)])
        shoulder = places[f"{side}_shoulder"]
        for part in ("elbow", "wrist"):
            places[f"{side}_{part}"] = shoulder + quat_rotate(down, places[f"{side}_{part}"] - shoulder)
    whole = torch.tensor(turn)
    generator, heads, bones = torch.Generator().manual_seed(5), [], []
    for joint, parent in joints:
        place = places.get(roles.get(joint), torch.zeros(3) if parent < 0 else heads[parent] + 0.02)
        heads.append(place)
        roll = torch.nn.functional.normalize(torch.randn(4, generator=generator), dim=0)
        rotation = quat_multiply(whole, roll) if twist else whole
        head = quat_rotate(whole, place) * scale
        bones.append(core.rig.Bone(joint, parent, tuple(rotation.tolist()), tuple(head.tolist())))
    return bones


def posed(core, bones, rig, motion, frame):
    """Return bone -> place of its head, as Blender composes poses: rests, and the pose in the bone's own space."""
    done = {
        one.name: one
        for one in rig.apply(motion.rotations[frame].tolist(), tuple(motion.root[frame].tolist()))
    }
    turns, places = [], []
    for bone in bones:
        turn, head = torch.tensor(bone.rotation), torch.tensor(bone.head)
        if bone.parent >= 0:
            above = bones[bone.parent]
            carry = quat_multiply(
                turns[bone.parent], torch.tensor(above.rotation) * torch.tensor([-1.0, -1, -1, 1])
            )
            head = places[bone.parent] + quat_rotate(carry, head - torch.tensor(above.head))
            turn = quat_multiply(carry, turn)
        pose = done.get(bone.name)
        if pose is not None:
            if pose.location is not None:
                head = head + quat_rotate(turn, torch.tensor(pose.location))
            turn = quat_multiply(turn, torch.tensor(pose.rotation))
        turns.append(turn)
        places.append(head)
    return {bone.name: place for bone, place in zip(bones, places, strict=True)}


Z_UP = (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))  # +Y to +Z, +Z to -Y: as Blender's people stand


@pytest.mark.parametrize(
    "name", ["SMPL for Maya", "Mixamo", "Unreal 5 mannequin", "VRoid", "SOMA-77", "Rigify"]
)
@pytest.mark.parametrize(("turn", "scale", "lowered"), [((0.0, 0.0, 0.0, 1.0), 1.0, 0.0), (Z_UP, 100.0, 0.8)])
def test_a_rig_of_our_proportions_has_its_joints_where_ours_are(core, name, turn, scale, lowered):
    bones = skeleton_rig(core, name, turn, scale, lowered)
    rig = core.rig.Rig(bones, SMPL22.names, SMPL22.parents, SMPL22.offsets.tolist())
    assert rig.scale == pytest.approx(scale, rel=1e-4)
    motion = wobble(40, seed=7)
    ours = motion.positions()
    whole = torch.tensor(turn, dtype=torch.float32)
    for frame in (0, 20, 39):
        places = posed(core, bones, rig, motion, frame)
        for role, joint in rig.roles.items():
            if role == "spine2" or (role == "spine3" and "spine2" not in rig.roles):
                continue  # which of our spine's joints a rig with fewer has is free
            at = quat_rotate(whole, ours[frame, SMPL22.index(role)]) * scale
            off = (places[bones[joint].name] - at).norm() / scale
            limit = (
                0.03 if role.endswith(("ankle", "foot", "knee")) else 0.004
            )  # our own legs are not quite straight
            assert off < limit, (role, float(off))


def test_every_rig_of_the_fixtures_is_found(core):
    for name, rig in RIGS.items():
        found = core.rig_match.find_roles(*map(tuple, zip(*rig["joints"], strict=True)))
        assert {role: rig["joints"][joint][0] for role, (joint, _) in found.items()} == rig["roles"], name


def test_a_place_comes_back_to_the_streams_floor(core):
    bones = skeleton_rig(core, turn=Z_UP, scale=100.0)
    rig = core.rig.Rig(bones, SMPL22.names, SMPL22.parents, SMPL22.offsets.tolist())
    # Blender's -Y is the front, its +X the left: two metres ahead, one to the left.
    assert rig.to_stream((100.0, -200.0, 0.0)) == pytest.approx((1.0, 2.0), rel=1e-4)


def test_what_is_no_humanoid_is_refused_in_a_line(core):
    bones = [core.rig.Bone(f"bone{n}", n - 1, (0.0, 0.0, 0.0, 1.0), (0.0, float(n), 0.0)) for n in range(4)]
    with pytest.raises(ValueError, match="armature: expected a humanoid, found no bone for pelvis"):
        core.rig.Rig(bones, SMPL22.names, SMPL22.parents, SMPL22.offsets.tolist())
    flat = [bone._replace(head=(0.0, 0.0, 0.0)) for bone in skeleton_rig(core)]
    with pytest.raises(ValueError, match="armature: expected legs that have a length"):
        core.rig.Rig(flat, SMPL22.names, SMPL22.parents, SMPL22.offsets.tolist())


@pytest.mark.parametrize("seed", range(5))
def test_rotations_are_what_they_should_be(core, seed):
    q = core.quaternion
    generator = torch.Generator().manual_seed(seed)
    u, v = torch.randn(2, 3, generator=generator, dtype=torch.float64)
    turn = q.between(tuple(u.tolist()), tuple(v.tolist()))
    turned = torch.tensor(q.rotate(turn, tuple(u.tolist())), dtype=torch.float64)
    torch.testing.assert_close(turned / turned.norm(), v / v.norm(), rtol=0, atol=1e-9)
    columns = [q.rotate(turn, axis) for axis in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))]
    again = q.from_columns(*columns)
    assert abs(sum(a * b for a, b in zip(turn, again, strict=True))) == pytest.approx(1.0)
    assert q.multiply(turn, q.inverse(turn)) == pytest.approx((0, 0, 0, 1))
    opposite = q.between((0.0, 1.0, 0.0), (0.0, -1.0, 0.0))
    assert q.rotate(opposite, (0.0, 1.0, 0.0)) == pytest.approx((0.0, -1.0, 0.0))
