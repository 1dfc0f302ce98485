"""The Python client when its connection drops: it reconnects, resumes, and loses no frame."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

import numpy as np
import pytest

import motiongen_bridge
from motiongen_bridge.client import Connection
from tests.bridge.client_helpers import play, take


class Network:
    """A relay to a server, which can be away for a moment, and can cut a connection short."""

    def __init__(self, url):
        self.server, self.cuts_at, self.port = urlsplit(url).port, None, 0
        self._writers = []

    async def up(self):
        self._relay = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = self._relay.sockets[0].getsockname()[1]

    def down(self):
        self._relay.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _connect(self, reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", self.server)
        self._writers += [writer, back]
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer, self.cuts_at))

    async def _pump(self, reader, writer, cuts_at=None):
        with suppress(OSError):
            while data := await reader.read(65536):
                if cuts_at is not None and cuts_at in data:
                    self.cuts_at = None
                    break
                writer.write(data)
        writer.transport.abort()


def test_a_network_that_is_away_for_a_while_costs_no_frame(model):
    async def scenario(url):
        network = Network(url)
        await network.up()
        async with motiongen_bridge.connect(f"ws://127.0.0.1:{network.port}", prompt="walk") as character:
            frames = await take(character, 10)
            network.down()
            await asyncio.sleep(0.5)
            await network.up()
            frames += await take(character, 30)
        network.down()
        assert [frame.seq for frame in frames] == list(range(40))

    play(scenario, model)


def test_a_connection_that_drops_while_it_is_resumed_is_resumed_again(model):
    async def scenario(url):
        network = Network(url)
        await network.up()
        async with Connection(f"ws://127.0.0.1:{network.port}") as connection:
            character = await connection.open("walk")
            frames = await take(character, 10)
            network.cuts_at = (
                b'"characters": {'  # the server has given them to a connection that never hears of it
            )
            connection.drop()
            frames += await take(character, 30)
            assert network.cuts_at is None
        network.down()
        assert [frame.seq for frame in frames] == list(range(40))

    play(scenario, model)


def test_a_dropped_connection_resumes_without_a_seam(model):
    async def scenario(url):
        async with Connection(url) as connection:
            one, two = await connection.open("walk", seed=1), await connection.open("walk", seed=2)
            frames = await take(one, 10)
            for _ in range(3):
                connection.drop()
                frames += await take(one, 10)
            assert [frame.seq for frame in frames] == list(range(40))
            assert [frame.seq for frame in await take(two, 20)] == list(range(20))
            assert one.dropped == two.dropped == 0

    play(scenario, model)


def test_the_resumed_motion_is_the_one_of_a_connection_that_held(model):
    async def scenario(url):
        async with Connection(url) as connection:
            broken, whole = await connection.open("walk", seed=5), await Connection(url).start()
            twin = await whole.open("walk", seed=5)
            frames = await take(broken, 10)
            connection.drop()
            frames += await take(broken, 20)
            for frame, other in zip(frames, await take(twin, 30), strict=True):
                np.testing.assert_array_equal(frame.rotations, other.rotations)
            await whole.stop()

    play(scenario, model)


def test_verbs_wait_for_the_connection_to_come_back(model):
    async def scenario(url):
        async with Connection(url) as connection:
            character = await connection.open("walk")
            await take(character, 3)
            connection.drop()
            while connection.is_live:
                await asyncio.sleep(0)
            answer = await character.prompt("bow")
            assert answer.seq >= 3

    play(scenario, model)


def test_an_answer_that_is_lost_with_the_connection_raises(model):
    async def scenario(url):
        async with Connection(url) as connection:
            character = await connection.open("walk")
            waiting = asyncio.create_task(character.prompt("bow", at=60))
            while not connection._pending:
                await asyncio.sleep(0)
            connection.drop()
            with pytest.raises(ConnectionError, match="lost before the answer came"):
                await waiting
            await take(character, 10)

    play(scenario, model)


def test_a_connection_without_characters_comes_back_too(model):
    async def scenario(url):
        async with Connection(url) as connection:
            connection.drop()
            while connection.is_live:
                await asyncio.sleep(0)
            await take(await connection.open("walk"), 3)

    play(scenario, model)


def test_a_server_that_forgot_the_characters_ends_the_stream_with_an_error(model):
    async def scenario(url):
        async with Connection(url) as connection:
            character = await connection.open("walk")
            await take(character, 3)
            connection.hello["session"] = "0" * 32
            connection.drop()
            with pytest.raises(ConnectionError, match="the characters are gone"):
                await take(character, 1000)
            with pytest.raises(ConnectionError, match="the connection is over"):
                await connection.open("walk")

    play(scenario, model)
