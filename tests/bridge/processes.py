"""Servers that hand clients to each other like the processes of one; each has a port: a test chooses who takes in."""

import asyncio
import os
import socket
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from motiongen.streaming.scheduler import StreamScheduler
from motiongen_bridge.board import Board
from motiongen_bridge.peers import Peers, Post
from motiongen_bridge.server import Server, ServerConfig


@asynccontextmanager
async def processes(model, count=2, *, max_characters=8, place=0, **config):
    """Run so many servers; yields them."""
    doors = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(count)]
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        (folder / "moved").mkdir()
        Board.create(folder / "board", count)
        servers, began = [], time.monotonic()
        for worker in range(count):
            post = Post(
                worker=worker, folder=str(folder), sockets=[], mmcp=[], door=os.dup(doors[worker][0].fileno()),
                doors=[os.dup(pair[1].fileno()) for pair in doors], began=began,
            )  # fmt: skip
            scheduler = StreamScheduler(model, max_characters=max_characters, batch_sizes=(4,))
            server = Server(scheduler, ServerConfig(port=0, place=place, **config), peers=Peers(post, place))
            servers.append(await stack.enter_async_context(server))
        yield servers
    for one in (one for pair in doors for one in pair):
        one.close()


def play_in(scenario, model, **config):
    """Run a coroutine function on servers that hand clients to each other, for half a minute at most."""

    async def run():
        async with processes(model, **config) as servers:
            await asyncio.wait_for(scenario(*servers), 30)

    asyncio.run(run())
