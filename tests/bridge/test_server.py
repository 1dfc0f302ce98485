"""The server over loopback sockets, as clients see it that speak raw websockets."""

import asyncio
import json
import time

import pytest

from motiongen_bridge.limits import ServerLimits
from tests.bridge.raw_client import client, eventually, seqs, silent_sockets
from tests.bridge.serving import make_server, play


def test_hello_says_what_a_client_needs_to_know(model):
    async def scenario(server):
        async with client(server, subprotocols=["motiongen.v1"]) as one:
            hello = one.hello
            assert one.socket.subprotocol == "motiongen.v1"
        assert (hello["type"], hello["version"], hello["fps"]) == ("hello", 1, 30.0)
        skeleton = hello["skeleton"]
        assert len(skeleton["names"]) == len(skeleton["parents"]) == len(skeleton["offsets"]) == 22
        assert skeleton["parents"][0] == -1 and skeleton["root"] == skeleton["names"][0]
        assert len(hello["session"]) == 32 and len(hello["contacts"]) == 4 and hello["resume_seconds"] == 30
        assert "prompt" in hello["verbs"] and hello["formats"] == ["f32", "i16", "json"]
        assert hello["limits"]["text_length"] == 500 and hello["time"] >= 0

    play(scenario, model)


def test_a_character_is_opened_seen_and_closed(model):
    async def scenario(server):
        async with client(server) as one:
            opened = await one.ask("open", prompt="walk", seed=3)
            assert opened["type"] == "ok" and opened["character"] == 1 and len(opened["key"]) == 32
            assert seqs(await one.watch(5)) == [0, 1, 2, 3, 4]
            assert (await one.ask("close", character=1)) == {"type": "ok", "id": 2}
            assert not server.broadcaster.characters
            assert (await one.ask("prompt", character=1, text="bow"))["code"] == "unknown_character"

    play(scenario, model)


def test_watchers_see_the_owners_frames_and_its_end(model):
    async def scenario(server):
        async with client(server) as owner, client(server) as watcher:
            key = (await owner.ask("open", prompt="walk"))["key"]
            assert (await watcher.ask("watch", key=key))["character"] == 1
            seen, shown = await watcher.watch(5), {frame[6]: frame[9] for frame in await owner.watch(30)}
            assert all(shown[frame[6]] == frame[9] for frame in seen)
            assert (await watcher.ask("prompt", character=1, text="bow"))["code"] == "read_only"
            await owner.ask("close", character=1)
            await eventually(lambda: not server.broadcaster.characters)
            while not watcher.events:
                await watcher.hear()
            assert watcher.events[-1]["event"] == "closed"

    play(scenario, model)


def test_closed_characters_take_no_room_from_those_who_watched_them(model):
    async def scenario(server):
        async with client(server) as owner, client(server) as watcher:
            for _ in range(2):
                opened = await owner.ask("open")
                assert (await watcher.ask("watch", key=opened["key"]))["type"] == "ok"
                await owner.ask("close", character=opened["character"])

    play(scenario, model, limits=ServerLimits(characters_per_connection=1))


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\x01\x02", "bad_message"),
        ("{", "bad_json"),
        ("[1]", "bad_message"),
        ('{"type": "fly"}', "unknown_type"),
        ('{"type": "open", "seed": -1}', "bad_value"),
        ('{"type": "watch", "key": "00000000000000000000000000000000"}', "unknown_character"),
        ('{"type": "watch", "key": "../../etc/passwd"}', "bad_value"),
        ('{"type": "hold", "character": 9}', "unknown_character"),
        ('{"type": "resume", "session": "00000000000000000000000000000000", "last": {}}', "gone"),
        (json.dumps({"type": "open", "prompt": "x" * 501}), "too_long"),
        (json.dumps({"type": "open", "prompt": "x" * 20000}), "too_long"),
    ],
)
def test_nonsense_is_answered_and_the_connection_goes_on(model, message, code):
    async def scenario(server):
        async with client(server) as one:
            answer = await one.send(message)
            assert (answer["type"], answer["code"]) == ("error", code) and "Traceback" not in answer[
                "message"
            ]
            assert (await one.ask("ping", time=1.5))["time"] == 1.5

    play(scenario, model)


@pytest.mark.slow
def test_shutdown_says_goodbye_and_waits_for_nobody(model):
    async def scenario():
        server = make_server(model)
        await server.__aenter__()
        silent = await silent_sockets(server, 3)
        async with client(server) as one, client(server) as two:
            await one.ask("open", prompt="walk")
            began = time.monotonic()
            closing = asyncio.create_task(server.close())
            assert await asyncio.gather(one.closed(), two.closed()) == [(1001, "")] * 2
            await closing
            assert time.monotonic() - began < 2 and not server.broadcaster.characters
        for _, writer in silent:
            writer.close()

    asyncio.run(asyncio.wait_for(scenario(), 30))
