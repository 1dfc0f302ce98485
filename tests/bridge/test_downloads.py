"""Files of what a character has just done, over HTTP."""

import asyncio

import numpy as np
import pytest

from motiongen import Motion
from motiongen_bridge import downloads, handshake_policy
from tests.bridge.raw_client import client, get
from tests.bridge.serving import play


@pytest.mark.parametrize("extension", ["bvh", "glb", "npz"])
def test_what_was_seen_is_a_file(model, tmp_path, extension):
    async def scenario(server):
        async with client(server) as one:
            key = (await one.ask("open", prompt="walk", format="f32"))["key"]
            frames = await one.watch(40)
            status, head, body = await get(server, f"/motion/{key}.{extension}")
        assert status == 200 and f'attachment; filename="motiongen.{extension}"' in head
        path = tmp_path / f"a.{extension}"
        path.write_bytes(body)
        motion = Motion.load(path)
        assert motion.fps == pytest.approx(30, abs=0.01) and motion.num_frames >= 40
        assert motion.licence == ("" if extension == "bvh" else "CC0")
        seen = np.stack([np.frombuffer(frame[9][:12], np.float32) for frame in frames])
        np.testing.assert_allclose(motion.root[:40].numpy(), seen, atol=1e-5)

    play(scenario, model)


def test_a_file_needs_the_token_a_key_and_a_format(model, monkeypatch):
    monkeypatch.setattr(handshake_policy, "WRONG_TOKEN_SECONDS", 0.0)

    async def scenario(server):
        async with client(server, query="?token=opensesame") as one:
            key = (await one.ask("open"))["key"]
            await one.watch(1)
            for path, expected in (
                (f"/motion/{key}.bvh", 401),
                (f"/motion/{key}.bvh?token=another+secret", 401),
                (f"/motion/{key}.bvh?token=opensesame", 200),
                (f"/motion/{key}.exe?token=opensesame", 404),
                (f"/motion/{key}?token=opensesame", 404),
                (f"/motion/{key}.bvh/../../x?token=opensesame", 404),
                ("/motion/0.bvh?token=opensesame", 404),
                ("/motion/?token=opensesame", 404),
            ):
                assert (await get(server, path))[0] == expected, path

    play(scenario, model, token="opensesame")


def test_many_files_at_once_are_written_one_by_one_or_refused(model):
    async def scenario(server):
        async with client(server) as one:
            key = (await one.ask("open"))["key"]
            await one.watch(2)
            asked = [get(server, f"/motion/{key}.npz") for _ in range(4 * downloads.MAX_WAITING)]
            codes = [status for status, _, _ in await asyncio.gather(*asked)]
            assert set(codes) <= {200, 503} and codes.count(200) >= downloads.MAX_WAITING
            await one.watch(5)

    play(scenario, model)
