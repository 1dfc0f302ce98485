"""Limits of the server: rates, floods, stalled clients, and too many connections."""

import asyncio
import socket
import time
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from motiongen_bridge.frames import GAP
from motiongen_bridge.limits import ServerLimits
from tests.bridge.raw_client import client, eventually, seqs, silent_sockets
from tests.bridge.serving import play


def test_a_message_of_megabytes_ends_the_connection(model):
    async def scenario(server):
        async with client(server) as one, client(server) as other:
            await one.socket.send("x" * 2**21)
            assert (await one.closed())[0] == 1009
            assert (await other.ask("ping", time=0))["type"] == "pong"

    play(scenario, model)


def test_characters_are_limited_by_connection_and_in_all(model):
    async def scenario(server):
        async with client(server) as one, client(server) as two:
            for _ in range(2):
                assert (await one.ask("open"))["type"] == "ok"
            assert (await one.ask("open"))["message"].startswith("expected at most 2 characters a connection")
            assert (await two.ask("open"))["type"] == "ok"
            assert (await two.ask("open"))["code"] == "full"

    play(scenario, model, max_characters=3, limits=ServerLimits(characters_per_connection=2))


def test_more_messages_than_allowed_are_refused_for_haste(model):
    async def scenario(server):
        async with client(server) as one:
            codes = [(await one.ask("ping", time=n)).get("code") for n in range(6)]
            assert codes[:4] == [None] * 4 and "too_fast" in codes[4:]
            await asyncio.sleep(0.2)
            assert (await one.ask("ping", time=0))["type"] == "pong"

    play(scenario, model, limits=ServerLimits(messages_per_second=10, message_burst=4))


def test_a_prompt_counts_as_several_messages(model):
    async def scenario(server):
        async with client(server) as one:
            await one.ask("open")
            said = [await one.ask("prompt", character=1, text=f"walk {n}") for n in range(4)]
            assert [answer.get("code") for answer in said[:2]] == [None, None]
            assert "too_fast" in [answer.get("code") for answer in said]
            assert all("id" in answer for answer in said)

    limits = ServerLimits(messages_per_second=0.5, message_burst=17, model_messages=5)
    play(scenario, model, limits=limits)


def test_who_floods_on_is_hung_up_on(model):
    async def scenario(server):
        async with client(server) as one:
            await one.ask("open")
            with suppress(ConnectionClosed):
                while True:
                    await one.ask("ping", time=0)
            assert (one.socket.close_code, one.socket.close_reason) == (1008, "too fast")
            while server.broadcaster.characters:  # the character of one who was expelled is not kept
                await asyncio.sleep(0.01)

    play(scenario, model, limits=ServerLimits(messages_per_second=20, message_burst=10, flood_seconds=0.3))


@pytest.mark.slow
@pytest.mark.parametrize(
    "flood", [b"\x89\x80abcd" * 5000, b"\x01\x80abcd" + b"\x00\x80abcd" * 5000], ids=["pings", "fragments"]
)
def test_tiny_frames_are_cut_off_soon(model, flood):
    async def scenario(server):
        async with client(server) as one, client(server) as other:
            one.socket.transport.write(flood)
            began = time.monotonic()
            assert (await other.ask("ping", time=0))["type"] == "pong"
            assert time.monotonic() - began < 0.5
            assert await one.closed() == (1008, "too fast")

    play(scenario, model)


@pytest.mark.slow
def test_a_stalled_client_misses_frames_and_knows_it_and_others_miss_none(model):
    async def scenario(server):
        small = socket.create_connection(("127.0.0.1", server.port))
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with client(server, sock=small, max_queue=1) as slow, client(server) as quick:
            key = (await slow.ask("open", prompt="walk"))["key"]
            await quick.ask("watch", key=key)
            slow.socket.transport.pause_reading()
            dropped = server.metrics.dropped._value
            while not dropped.get() > 50:
                await quick.watch(10)
            slow.socket.transport.resume_reading()
            while not any(frame[2] & GAP for frame in slow.frames):
                await slow.watch(1)
            first = next(n for n, frame in enumerate(slow.frames) if frame[2] & GAP)
            assert slow.frames[first][6] - slow.frames[first - 1][6] > 50
            whole = seqs(quick.frames)
            assert whole == list(range(whole[0], whole[0] + len(whole)))
            assert not any(frame[2] & GAP for frame in quick.frames)

    play(scenario, model, speed=20.0, limits=ServerLimits(unsent_bytes=4096))


@pytest.mark.slow
def test_who_stalls_for_too_long_is_hung_up_on(model):
    async def scenario(server):
        small = socket.create_connection(("127.0.0.1", server.port))
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with client(server, sock=small, max_queue=1) as slow:
            await slow.ask("open", prompt="walk", format="json")
            slow.socket.transport.pause_reading()
            await eventually(lambda: not server._connections)
            assert b'cut_total{reason="stalled"} 1.0' in server.metrics.text()

    limits = ServerLimits(unsent_bytes=4096, stalled_seconds=0.5)
    play(scenario, model, speed=20.0, limits=limits)


def test_the_oldest_silent_sockets_give_way_to_who_speaks(model):
    async def scenario(server):
        silent = await silent_sockets(server, 20)
        async with client(server) as one:
            assert (await one.ask("ping", time=0))["type"] == "pong"
            assert await silent[0][0].read() == b""
            assert len(server._pending_connections) <= 4
        for _, writer in silent:
            writer.close()

    play(scenario, model, limits=ServerLimits(handshakes=4))


def test_a_request_without_an_end_is_cut(model):
    async def scenario(server):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000)
        with suppress(ConnectionError):
            assert not (await reader.read()).startswith(b"HTTP/1.1 200")
        assert len(server._pending_connections) == 0
        writer.close()

    play(scenario, model)


def test_when_it_is_full_who_has_no_character_gives_way(model):
    async def scenario(server):
        async with client(server) as busy, client(server) as idle:
            await busy.ask("open")
            async with client(server) as late:
                await late.ask("open")
                assert (await idle.closed())[0] == 1013
                with pytest.raises(InvalidStatus, match="503"):
                    async with client(server):
                        pass
                assert (await busy.ask("ping", time=0))["type"] == "pong"

    play(scenario, model, limits=ServerLimits(connections=2))
