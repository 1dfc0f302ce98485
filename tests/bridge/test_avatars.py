"""Avatars: frames that the server puts on its own characters, for those clients that ask for them."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from motiongen import Motion
from motiongen.motion import Motion as Clip
from motiongen.retargeting import Character, Retargeter
from motiongen.skeleton import SMPL22
from motiongen_bridge.avatars import Avatar, AvatarStream
from motiongen_bridge.client import Connection, VerbRefused
from motiongen_bridge.frame_recorder import FrameRecorder
from motiongen_bridge.frames import decode_frame
from tests.bridge.avatars import mixamo_glb, vrm
from tests.bridge.client_helpers import take
from tests.bridge.raw_client import client, get, seqs
from tests.bridge.serving import play
from tests.core.motions import wobble


@pytest.fixture(scope="module")
def avatars(tmp_path_factory):
    """A character in centimetres with turned bones, and one without an upper chest."""
    folder = tmp_path_factory.mktemp("avatars")
    (folder / "hero.glb").write_bytes(mixamo_glb())
    (folder / "élan.vrm").write_bytes(vrm(1))
    return {path.stem: Character.load(path) for path in sorted(folder.iterdir())}


def test_frames_are_those_of_the_same_clip_retargeted_offline_also_after_commands(model, avatars):
    async def scenario(server):
        async with Connection(server.url) as connection:
            plain = await connection.open("walk", seed=3)
            moved = await connection.watch(plain.key, avatar="hero")
            recorders = FrameRecorder(connection.hello), FrameRecorder(connection.hello, moved.avatar)
            own, put = await take(plain, 30), await take(moved, 30)
            await plain.prompt("wave")  # which replaces frames that were prepared
            own += await take(plain, 60)
            put += await take(moved, 90 - len(put))
        first = put[0].seq
        own = [frame for frame in own if frame.seq >= first][: len(put)]
        put = put[: len(own)]
        assert len(own) > 60 and [frame.seq for frame in own] == [frame.seq for frame in put]
        assert [frame.obeys for frame in own] == [frame.obeys for frame in put]
        for recorder, frames in zip(recorders, (own, put), strict=True):
            for frame in frames:
                recorder.add(frame)
        clip, seen = (recorder.motion() for recorder in recorders)
        tool = Retargeter(SMPL22, avatars["hero"], fps=30.0)
        turned, root = tool.step(*clip.numpy(), tool.init_state())
        whole = Clip(avatars["hero"].skeleton, torch.from_numpy(turned), torch.from_numpy(root), 30.0)
        joints = [whole.skeleton.index(name) for name in seen.skeleton.names]
        np.testing.assert_allclose(seen.positions(), whole.positions()[:, joints], atol=1e-5)
        assert float((seen.root - clip.root).norm(dim=-1).max()) < 0.05  # a body of the same size

    play(scenario, model, avatars=avatars, speed=4.0)


def test_clients_learn_of_avatars_and_get_them_only_where_they_ask(model, avatars):
    async def scenario(server):
        async with client(server) as one, client(server) as two:
            assert one.hello["avatars"] == [
                {"name": "hero", "file": "/avatars/hero.glb"},
                {"name": "élan", "file": "/avatars/%C3%A9lan.vrm"},
            ]
            assert len(one.hello["skeleton"]["names"]) == 22
            opened = await one.ask("open", avatar="élan")
            told = opened["avatar"]
            assert told["name"] == "élan" and told["parts"]["left_hip"] == "left_hip"
            joints = len(told["skeleton"]["names"])
            assert {len(told["skeleton"][name]) for name in ("parents", "offsets", "rest")} == {joints}
            assert "avatar" not in await two.ask("watch", key=opened["key"])
            assert {frame[5] for frame in await one.watch(5)} == {joints}
            assert {frame[5] for frame in await two.watch(5)} == {22}
            answer = await two.ask("open", avatar="villain")
            assert answer["code"] == "bad_value"
            assert "avatar: expected one of hero, élan, got 'villain'" in answer["message"]
            assert (await two.ask("open", avatar=7))["code"] == "bad_value"

    play(scenario, model, avatars=avatars, speed=4.0)


def test_a_server_without_avatars_says_so(model):
    async def scenario(server):
        async with Connection(server.url) as connection:
            assert "avatars" not in connection.hello
            with pytest.raises(VerbRefused, match="avatar: expected none, since this server has no avatars"):
                await connection.open(avatar="hero")

    play(scenario, model)


@pytest.mark.parametrize("format", ["f32", "i16", "json"])
def test_a_dropped_connection_gets_the_frames_on_the_avatar_that_it_missed(model, avatars, format):
    def read(data):
        return decode_frame(data).rotations if isinstance(data, bytes) else json.loads(data)["rotations"]

    async def scenario(server):
        async with client(server) as one, client(server) as other:
            key = (await one.ask("open", prompt="walk", avatar="hero", format=format))["key"]
            await other.ask("watch", key=key, avatar="hero", format="f32")
            whole = await other.watch(40)
            one.socket.transport.abort()
            async with client(server) as again:
                await again.socket.send(
                    json.dumps({"type": "resume", "session": one.hello["session"], "last": {"1": 9}})
                )
                missed = [await again.socket.recv() for _ in range(25)]
        seen = {frame[6]: np.frombuffer(frame[9], "<f4")[3:].reshape(-1, 4) for frame in whole}
        for seq, data in enumerate(missed, start=10):
            if seq in seen:
                np.testing.assert_allclose(np.asarray(read(data)), seen[seq], atol=2e-5)

    play(scenario, model, avatars=avatars, speed=4.0)


def test_what_was_seen_on_an_avatar_is_a_file_of_it(model, avatars, tmp_path):
    async def scenario(server):
        async with client(server) as one:
            key = (await one.ask("open", avatar="hero", prompt="walk"))["key"]
            await one.watch(20)
            status, head, body = await get(server, f"/motion/{key}.glb?avatar=hero")
            assert status == 200 and "motiongen.glb" in head
            (tmp_path / "a.glb").write_bytes(body)
            motion = Motion.load(tmp_path / "a.glb")
            assert "mixamorig:Hips" in motion.skeleton.names and motion.num_frames >= 20
            assert (await get(server, f"/motion/{key}.bvh?avatar=villain"))[0] == 404
            status, head, body = await get(server, one.hello["avatars"][1]["file"])
            assert status == 200 and "model/gltf-binary" in head and body == vrm(1)
            assert (await get(server, "/avatars/hero.vrm"))[0] == 404

    play(scenario, model, avatars=avatars, speed=4.0)


def test_the_mesh_of_an_fbx_file_is_shown_as_a_glb(model, avatars, tmp_path):
    hero = avatars["hero"]
    figure = replace(hero, path=tmp_path / "hero.fbx")  # which pages do not read

    async def scenario(server):
        async with client(server) as one:
            assert one.hello["avatars"] == [{"name": "hero", "file": "/avatars/hero.glb"}]
            status, _, body = await get(server, "/avatars/hero.glb")
        assert status == 200
        (tmp_path / "shown.glb").write_bytes(body)
        shown = Character.load(tmp_path / "shown.glb")
        assert shown.skeleton.names == hero.skeleton.names
        np.testing.assert_allclose(shown.mesh.vertices, hero.mesh.vertices, atol=1e-5)

    play(scenario, model, avatars={"hero": figure})


def test_the_file_of_an_avatar_needs_the_token(model, avatars):
    async def scenario(server):
        assert (await get(server, "/avatars/hero.glb"))[0] == 401
        assert (await get(server, "/avatars/hero.glb?token=opensesame"))[0] == 200

    play(scenario, model, avatars=avatars, token="opensesame")


def test_senders_get_the_plain_skeleton_beside_an_avatar(model, avatars):
    shapes = set()

    class Sender:
        max_characters, lost = 1, 0

        def send(self, rotations, root, time, character=0):
            shapes.add(rotations.shape)

        def close(self):
            pass

    async def scenario(server):
        async with client(server) as one:
            await one.ask("open", avatar="hero")
            await one.watch(3)

    play(scenario, model, avatars=avatars, senders=(Sender(),))
    assert shapes == {(22, 4)}


def test_characters_are_the_same_together_and_alone(avatars):
    avatar, clips = Avatar("hero", avatars["hero"], SMPL22, 30.0), [wobble(6), wobble(6)[1:], wobble(6)[2:]]
    streams, alone = [AvatarStream(avatar) for _ in clips], [AvatarStream(avatar) for _ in clips]
    for frame in range(4):
        poses = [Pose(clip, frame) for clip in clips]
        avatar.prepare(list(zip(streams, poses, strict=True)))
        for stream, pose in zip(alone, poses, strict=True):
            avatar.prepare([(stream, pose)])
            stream.append(pose)
        for stream, pose in zip(streams, poses, strict=True):
            stream.append(pose)
    for one, other in zip(streams, alone, strict=True):
        assert len(one.recent) == 4
        for a, b in zip(one.recent, other.recent, strict=True):
            np.testing.assert_array_equal(a.rotations, b.rotations)
            np.testing.assert_array_equal(a.root, b.root)


def test_a_frame_that_is_replaced_leaves_no_trace(avatars):
    avatar, clip = Avatar("hero", avatars["hero"], SMPL22, 30.0), wobble(8)
    disturbed, plain = AvatarStream(avatar), AvatarStream(avatar)
    for frame in range(3):
        avatar.prepare([(disturbed, Pose(clip, 7 - frame))])
        pose = Pose(clip, frame)
        assert not disturbed.is_prepared_for(pose)
        avatar.prepare([(disturbed, pose), (plain, pose)])
        disturbed.append(pose)
        plain.append(pose)
    np.testing.assert_array_equal(disturbed.recent[-1].rotations, plain.recent[-1].rotations)


def test_watchers_come_and_go_with_their_avatars(model, avatars):
    async def scenario(server):
        async with client(server) as one:
            key = (await one.ask("open"))["key"]
            live = server.broadcaster.characters[key]
            async with client(server) as two:
                number = (await two.ask("watch", key=key, avatar="hero"))["character"]
                await two.watch(3)
                assert list(live.avatars) == ["hero"]
                await two.ask("close", character=number)
            assert not live.avatars and seqs(await one.watch(2))

    play(scenario, model, avatars=avatars, speed=4.0)


class Pose:
    """A frame of a clip, as streams have them."""

    contacts = obeys = 0

    def __init__(self, clip, frame):
        rotations, root = clip.numpy()
        self.seq, self.rotations, self.root = frame, rotations[frame], root[frame]
