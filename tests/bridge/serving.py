"""A real server with a small random model, on a loopback socket."""

import asyncio
import threading
from contextlib import contextmanager

from motiongen.inference.model import Model
from motiongen.streaming.scheduler import StreamScheduler
from motiongen_bridge.server import Server, ServerConfig


def make_server(model, *, max_characters=8, senders=(), avatars=None, **config):
    """Return a server of a model that obeys words, or of a scheduler; not started, on any free port."""
    scheduler = model
    if isinstance(model, Model):
        scheduler = StreamScheduler(model, max_characters=max_characters, batch_sizes=(4,))
    return Server(scheduler, ServerConfig(port=0, **config), senders, avatars=avatars)


def play(scenario, model, **config):
    """Run a coroutine function on a server, for half a minute at most."""

    async def run():
        async with make_server(model, **config) as server:
            await asyncio.wait_for(scenario(server), 30)

    asyncio.run(run())


@contextmanager
def serving(model, **config):
    """Run a server in a thread of its own; yields it."""
    started, loop = threading.Event(), asyncio.new_event_loop()
    server, done = make_server(model, **config), asyncio.Event()

    async def run():
        async with server:
            started.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert started.wait(120), "the server did not start"
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)
        loop.close()
