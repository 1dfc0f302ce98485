"""Helpers for tests of the Python client."""

import json
from contextlib import asynccontextmanager

from websockets.asyncio.server import serve

from tests.bridge import serving


def play(scenario, model, **config):
    """Run a coroutine that takes a server's address."""
    serving.play(lambda server: scenario(server.url), model, **config)


async def take(character, count):
    """Return the next frames of a character."""
    frames = []
    async for frame in character:
        frames.append(frame)
        if len(frames) == count:
            return frames
    raise AssertionError(f"the stream ended after {len(frames)} frames")


@asynccontextmanager
async def other_server(*messages):
    """A websocket server that speaks something else, and then waits."""

    async def say(connection):
        for message in messages:
            await connection.send(message)
        await connection.wait_closed()

    async with serve(say, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"


HELLO = json.dumps({"type": "hello", "version": 1, "session": "0" * 32})
