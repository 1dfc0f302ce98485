"""Lost connections: characters are kept, resumed and taken over."""

import asyncio
import json
import socket
import struct

from motiongen_bridge.frames import GAP
from tests.bridge.raw_client import client, eventually, seqs
from tests.bridge.serving import play


def test_a_dropped_connection_gets_the_frames_that_it_missed(model):
    async def scenario(server):
        async with client(server) as one, client(server) as twin:
            await one.ask("open", prompt="walk", seed=5)
            await twin.ask("open", prompt="walk", seed=5)
            seen, session = await one.watch(10), one.hello["session"]
            one.socket.transport.abort()
            async with client(server) as again:
                last = seen[6][6]  # frames 7.. were sent, and got lost
                answer = await again.ask("resume", session=session, last={"1": last})
                assert answer["characters"] == {"1": {"from": last + 1}}
                seen = seen[:7] + await again.watch(30)
            whole = await twin.watch(37)
        assert seqs(seen) == seqs(whole) == list(range(37))
        assert [frame[9] for frame in seen] == [frame[9] for frame in whole]
        assert not any(frame[2] & GAP for frame in seen)

    play(scenario, model, speed=4.0)


def test_a_long_past_is_resumed_in_order_while_others_watch(model):
    async def scenario(server):
        async with client(server) as one, client(server) as watcher:
            key = (await one.ask("open", prompt="walk", format="json"))["key"]
            await watcher.ask("watch", key=key)
            await watcher.watch(200)
            one.socket.transport.abort()
            reads = asyncio.create_task(watcher.closed())  # the character goes on meanwhile
            async with client(server) as again:
                await again.socket.send(
                    json.dumps({"type": "resume", "session": one.hello["session"], "last": {}})
                )
                frames = [json.loads(await again.socket.recv()) for _ in range(300)]
            reads.cancel()
        assert [frame["seq"] for frame in frames] == list(range(300))
        times = [frame["time"] for frame in frames]
        assert times == sorted(times)

    play(scenario, model, speed=8.0)


def test_a_resume_takes_over_a_connection_that_is_only_half_lost(model):
    async def scenario(server):
        async with client(server) as old, client(server) as new:
            await old.ask("open")
            answer = await new.ask("resume", session=old.hello["session"], last={"1": -1})
            assert answer["type"] == "ok" and seqs(await new.watch(3)) == [0, 1, 2]
            assert await old.closed() == (1000, "resumed elsewhere")
            again = await new.ask("resume", session=new.hello["session"], last={})
            assert again["code"] == "gone"

    play(scenario, model)


def test_what_is_said_after_a_take_over_opens_nothing(model):
    async def scenario(server):
        async with client(server) as old, client(server) as new:
            await old.ask("open")
            for _ in range(5):  # what was read before the resume and is looked at after it
                await old.socket.send(json.dumps({"type": "open"}))
            await new.ask("resume", session=old.hello["session"], last={})
            await old.closed()
        await eventually(lambda: not server._connections)
        assert server.metrics.sessions._value.get() == 1

    play(scenario, model)


def test_a_lost_connections_characters_are_kept_and_then_gone(model):
    async def scenario(server):
        async with client(server) as one:
            await one.ask("open")
            one.socket.transport.abort()
        await eventually(lambda: not server._connections)
        assert len(server.broadcaster.characters) == 1
        await eventually(lambda: not server.broadcaster.characters)  # 30 s at that speed
        async with client(server) as again:
            answer = await again.ask("resume", session=one.hello["session"], last={})
            assert answer["code"] == "gone"

    play(scenario, model, speed=100.0)


def test_a_client_that_vanishes_in_a_message_is_kept_for_a_resume(model):
    async def scenario(server):
        async with client(server) as one, client(server) as other:
            await one.ask("open")
            one.socket.transport.write(b"\x81\xfe\x10\x00abcd{")  # announces 4096 bytes
            reset = struct.pack("ii", 1, 0)
            one.socket.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, reset
            )
            one.socket.transport.abort()
            await eventually(lambda: len(server._connections) == 1)
            answer = await other.ask("resume", session=one.hello["session"], last={})
            assert list(answer["characters"]) == ["1"]

    play(scenario, model)
