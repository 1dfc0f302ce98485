"""Live Link, Rokoko and OSC over loopback: the very bytes, and what a receiver makes of them."""

import asyncio
import contextlib
import json
import math
import socket
import struct

import numpy as np
import pytest
import torch
from pythonosc.osc_bundle import OscBundle

from motiongen.rotation import matrix_from_quat, quat_multiply, quat_rotate
from motiongen.skeleton import SMPL22
from motiongen_bridge import rokoko
from motiongen_bridge.livelink import MAX_BYTES, LiveLinkSender
from motiongen_bridge.osc import OscSender
from motiongen_bridge.rokoko import BONES, RokokoSender, lz4_frame, xxhash32
from motiongen_bridge.sent_body import world_pose
from motiongen_bridge.unity_axes import unity_position, unity_rotation
from motiongen_bridge.unreal_axes import unreal_position, unreal_rotation
from tests.bridge.raw_client import client
from tests.bridge.serving import make_server
from tests.core.motions import t_pose, wobble

REST = np.tile(np.float32([0, 0, 0, 1]), (22, 1))
HALF = np.float32(math.sqrt(0.5))
M_UNREAL = np.array([[1.0, 0, 0], [0, 0, 1], [0, 1, 0]])
M_UNITY = np.diag([-1.0, 1, 1])


@pytest.fixture
def heard():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))
        heard.settimeout(5.0)
        yield heard


def pose(motion, frame):
    return motion.rotations[frame].numpy(), motion.root[frame].numpy()


# Axes.


@pytest.mark.parametrize(
    ("matrix", "scale", "position", "rotation"),
    [
        (M_UNREAL, 100.0, unreal_position, unreal_rotation),
        (M_UNITY, 1.0, unity_position, unity_rotation),
    ],
)
def test_another_world_is_a_mirror_image_in_which_rotations_stay_rotations(matrix, scale, position, rotation):
    assert np.linalg.det(matrix) == pytest.approx(-1)  # from a right-handed to a left-handed world
    vectors = torch.randn(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    turns = torch.nn.functional.normalize(
        torch.randn(50, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64), dim=-1
    )
    for vector, turn in zip(vectors, turns, strict=True):
        np.testing.assert_allclose(position(vector.tolist()), scale * matrix @ vector.numpy(), atol=1e-12)
        moved = torch.tensor(rotation(turn.tolist()), dtype=torch.float64)
        there = matrix_from_quat(moved).numpy()
        np.testing.assert_allclose(there, matrix @ matrix_from_quat(turn).numpy() @ matrix.T, atol=1e-12)
        assert np.linalg.det(there) == pytest.approx(1)
        # There and back: both maps are their own inverse but for the unit.
        assert rotation(rotation(turn.tolist())) == pytest.approx(tuple(turn.tolist()))
        back = np.array(position(position(vector.tolist()))) / scale**2
        np.testing.assert_allclose(back, vector.numpy(), atol=1e-12)


def test_in_unreal_left_is_plus_x_front_plus_y_up_plus_z():
    assert unreal_position((1.0, 0.0, 0.0)) == (100.0, 0.0, 0.0)
    assert unreal_position((0.0, 0.0, 1.0)) == (0.0, 100.0, 0.0)
    assert unreal_position((0.0, 1.0, 0.0)) == (0.0, 0.0, 100.0)
    # A quarter turn to the left, from our +Z to +X, takes Unreal's +Y to +X.
    assert unreal_rotation((0.0, HALF, 0.0, HALF)) == pytest.approx((0, 0, -HALF, HALF))


def test_the_world_pose_is_forward_kinematics():
    motion = wobble(30, seed=3)
    for frame in (0, 29):
        positions, turns = world_pose(*pose(motion, frame))
        world, places = SMPL22.fk(motion.rotations[frame], motion.root[frame])
        torch.testing.assert_close(torch.tensor(positions), places, rtol=0, atol=1e-5)
        torch.testing.assert_close(torch.tensor(turns), world, rtol=0, atol=1e-5)


# Live Link.


def test_live_link_has_these_bytes(heard):
    rotations = REST.copy()
    rotations[0] = [0, HALF, 0, HALF]
    sender = LiveLinkSender(*heard.getsockname())
    sender.send(rotations, np.float32([1, 2, 3]), 0.0, 4)
    data = heard.recv(65536)
    sender.close()
    assert data.startswith(
        b'{"motiongen5":[{"Name":"pelvis","Parent":-1,"Location":[100.00,300.00,200.00],'
        b'"Rotation":[0.00000,0.00000,-0.70711,0.70711],"Scale":[1,1,1]},{"Name":"left_hip","Parent":0,"Location":['
    )
    assert data.endswith(b'"Rotation":[0.00000,0.00000,0.00000,1.00000],"Scale":[1,1,1]}]}')
    (bones,) = json.loads(data).values()
    assert [bone["Name"] for bone in bones] == list(SMPL22.names)
    assert [bone["Parent"] for bone in bones] == list(SMPL22.parents)
    knee = SMPL22.offsets[SMPL22.index("left_knee")].tolist()
    assert bones[SMPL22.index("left_knee")]["Location"] == pytest.approx(
        [100 * knee[0], 100 * knee[2], 100 * knee[1]], abs=0.006
    )


def test_what_unreal_composes_is_where_the_joints_are(heard):
    motion = wobble(40, seed=1)
    sender = LiveLinkSender(*heard.getsockname())
    sender.send(*pose(motion, 39), 0.0)
    (bones,) = json.loads(heard.recv(65536)).values()
    sender.close()
    places, turns = [], []
    for bone in bones:
        place, turn = torch.tensor(bone["Location"]), torch.tensor(bone["Rotation"])
        if bone["Parent"] >= 0:
            place = places[bone["Parent"]] + quat_rotate(turns[bone["Parent"]], place)
            turn = quat_multiply(turns[bone["Parent"]], turn)
        places.append(place)
        turns.append(turn)
    ours = torch.stack(places)[:, [0, 2, 1]] / 100
    torch.testing.assert_close(ours, motion.positions()[39], rtol=0, atol=5e-4)


def test_a_live_link_datagram_stays_small_however_far_one_walks(heard):
    sender = LiveLinkSender(*heard.getsockname())
    sender.send(-REST, np.float32([-99_999, -99_999, -99_999]), 1e6, 7)
    assert len(heard.recv(65536)) < MAX_BYTES
    sender.close()


@pytest.mark.slow
def test_a_servers_characters_are_subjects_of_their_own_and_a_number_is_used_again(heard, model):
    def subjects():
        return {next(iter(json.loads(heard.recv(65536)))) for _ in range(40)}

    async def scenario():
        sender = LiveLinkSender(*heard.getsockname())
        async with make_server(model, senders=[sender], speed=4.0) as server, client(server) as one:
            first = await one.ask("open", prompt="walk")
            await one.ask("open", prompt="bow")
            await one.watch(60)
            seen = await asyncio.to_thread(subjects)
            await one.ask("close", character=first["character"])
            await one.ask("open", prompt="wave")
            assert len(server.broadcaster.characters) == 2
            await one.watch(200)
        return seen

    assert asyncio.run(asyncio.wait_for(scenario(), 60)) == {"motiongen1", "motiongen2"}
    heard.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            assert next(iter(json.loads(heard.recv(65536)))) in ("motiongen1", "motiongen2")


# Rokoko.


def read_lz4(data):
    """Read a frame of stored blocks by the specification."""
    magic, flags, block, size, _ = struct.unpack_from("<IBBQB", data)
    assert (magic, flags, block) == (0x184D2204, 0x68, 0x40)
    (length,) = struct.unpack_from("<I", data, 15)
    content = data[19 : 19 + length - 2**31]
    assert len(content) == size == length - 2**31 and data[19 + size :] == bytes(4)
    return content


def test_a_stored_frame_has_these_bytes():
    # As the reference implementation (lz4 4.4.5) packs b"hello", which it stores too.
    assert lz4_frame(b"hello") == bytes.fromhex(
        "04224d18 68 40 0500000000000000 61 05000080"
    ) + b"hello" + bytes(4)
    assert xxhash32(b"") == 0x02CC5D05 and xxhash32(b"a") == 0x550D7456 and xxhash32(b"abc") == 0x32D153FF


def test_rokoko_has_the_fields_of_version_3(heard):
    sender = RokokoSender(*heard.getsockname())
    sender.send(*pose(t_pose(), 0), 12.5)
    frame = json.loads(read_lz4(heard.recv(65536)))
    sender.close()
    assert (frame["version"], frame["fps"], frame["scene"]["timestamp"]) == (3.0, 30.0, 12.5)
    assert frame["scene"]["props"] == [] and frame["scene"]["characters"] == []
    (actor,) = frame["scene"]["actors"]
    assert actor["name"] == "motiongen1" and actor["meta"]["hasBody"] and not actor["meta"]["hasGloves"]
    assert len(actor["body"]) == 63 and actor["body"]["hip"]["position"] == {"x": 0.0, "y": 0.97, "z": 0.0}
    # The pelvis of the rest pose stands on legs of this length, and soles.
    foot = SMPL22.rest_positions[SMPL22.index("left_ankle"), 1].item()
    assert actor["dimensions"]["hipHeight"] == pytest.approx(0.085 - foot, abs=1e-4)


def test_rokokos_t_pose_points_bones_along_their_minus_y(heard):
    sender = RokokoSender(*heard.getsockname())
    sender.send(*pose(t_pose(), 0), 0.0)
    ((actor),) = json.loads(read_lz4(heard.recv(65536)))["scene"]["actors"]
    sender.close()

    def along(bone):
        q = torch.tensor([actor["body"][bone]["rotation"][axis] for axis in "xyzw"])
        return quat_rotate(q, torch.tensor([0.0, -1.0, 0.0]))

    # Unity's world: left is -X, up +Y, front +Z.
    for bone, way in {
        "spine": (0, 1, 0),
        "head": (0, 1, 0),
        "leftUpperArm": (-1, 0, 0),
        "rightLowerArm": (1, 0, 0),
        "leftShoulder": (-1, 0, 0),
        "rightShoulder": (1, 0, 0),
        "leftUpLeg": (0, -1, 0),
        "rightLeg": (0, -1, 0),
        "leftToe": (0, 0, 1),
        "rightFoot": (0, 0, 1),
        "leftIndexDistal": (-1, 0, 0),
    }.items():
        torch.testing.assert_close(along(bone), torch.tensor(way, dtype=torch.float32), rtol=0, atol=2e-5)


def test_a_rokoko_plugin_that_takes_its_t_pose_away_has_our_world_rotations(heard):
    motion = wobble(40, seed=2)
    sender = RokokoSender(*heard.getsockname())
    sender.send(*pose(motion, 20), 0.0)
    ((actor),) = json.loads(read_lz4(heard.recv(65536)))["scene"]["actors"]
    sender.close()
    world, places = SMPL22.fk(motion.rotations[20], motion.root[20])
    for bone, (joint, rest) in BONES.items():
        sent = torch.tensor([actor["body"][bone]["rotation"][axis] for axis in "xyzw"])
        x, y, z, w = rest
        turned = quat_multiply(
            sent, torch.tensor([-x, -y, -z, w])
        )  # sent rest^-1, on which a plug-in puts its own rest
        mirrored = world[SMPL22.index(joint)] * torch.tensor([1.0, -1.0, -1.0, 1.0])
        turned = turned * torch.sign((turned * mirrored).sum())
        torch.testing.assert_close(turned, mirrored, rtol=0, atol=2e-5)
        at = torch.tensor([actor["body"][bone]["position"][axis] for axis in "xyz"])
        torch.testing.assert_close(
            at, places[SMPL22.index(joint)] * torch.tensor([-1.0, 1.0, 1.0]), rtol=0, atol=1e-4
        )


def test_rokokos_actors_share_a_datagram_and_leave_when_they_are_gone(heard):
    sender = RokokoSender(*heard.getsockname())

    def actors():
        data = heard.recv(65536)
        assert len(data) <= rokoko.MAX_BYTES
        return [actor["name"] for actor in json.loads(read_lz4(data))["scene"]["actors"]]

    far = np.float32([-9999, -9999, -9999])
    for character in (1, 2):
        sender.send(-REST, far, 0.0, character)
    assert actors() == ["motiongen2"]
    sender.send(-REST, far, 0.01, 0)
    assert actors() == ["motiongen1", "motiongen2", "motiongen3"]
    sender.send(-REST, far, 0.9, 2)
    assert actors() == ["motiongen3"]
    sender.close()


# OSC.


@pytest.mark.parametrize(("max_bytes", "datagrams"), [(1400, 2), (100, 24)])
def test_osc_says_where_each_joint_is(heard, max_bytes, datagrams):
    motion = wobble(40, seed=4)
    sender = OscSender(*heard.getsockname(), max_bytes=max_bytes)
    sender.send(*pose(motion, 10), 0.5, 2)
    received = [heard.recv(65536) for _ in range(datagrams)]
    sender.close()
    assert max(len(one) for one in received) <= max_bytes
    messages = [(one.address, one.params) for data in received for one in OscBundle(data)]
    assert messages[0] == ("/motiongen/3/time", [0.5]) and messages[-1] == ("/motiongen/3/end", [])
    world, places = SMPL22.fk(motion.rotations[10], motion.root[10])
    assert [address for address, _ in messages[1:-1]] == [f"/motiongen/3/{name}" for name in SMPL22.names]
    numbers = torch.tensor([values for _, values in messages[1:-1]])
    torch.testing.assert_close(numbers, torch.cat([places, world], dim=-1), rtol=0, atol=1e-5)


def test_osc_has_these_bytes(heard):
    sender = OscSender(*heard.getsockname(), max_bytes=100)
    sender.send(REST, np.float32([1.0, 0.5, -2.0]), 0.25)
    heard.recv(100)
    assert heard.recv(100) == (
        b"#bundle\0"
        + bytes.fromhex("0000000000000001 0000003c")  # at once; 60 bytes
        + b"/motiongen/1/pelvis\0"
        + b",fffffff\0\0\0\0"
        + bytes.fromhex("3f800000 3f000000 c0000000 00000000 00000000 00000000 3f800000")
    )
    sender.close()
