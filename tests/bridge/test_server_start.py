"""The start and the end of a server: what fails is undone, the loop goes on meanwhile, and listening comes last."""

import asyncio
import socket
import time

import pytest

from motiongen.streaming.scheduler import StreamScheduler
from motiongen_bridge.server import Server, ServerConfig
from tests.bridge.raw_client import client


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def run(scenario):
    """Run a coroutine function in the only task of a loop, for half a minute at most."""

    async def limited():
        async with asyncio.timeout(30):
            await scenario()

    asyncio.run(limited())


def is_open(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


class Unstartable(StreamScheduler):
    """One that cannot start."""

    def start(self):
        raise RuntimeError("no start")


class Slow(StreamScheduler):
    """One that takes half a second more to start."""

    def start(self):
        time.sleep(0.5)
        super().start()


def test_a_scheduler_that_cannot_start_leaves_no_port_and_no_task(model):
    async def scenario():
        port = free_port()
        with pytest.raises(RuntimeError, match="no start"):
            async with Server(Unstartable(model), ServerConfig(port=port)):
                pass
        assert not is_open(port)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(scenario)


def test_a_port_that_is_taken_stops_the_scheduler_and_leaves_no_task(model):
    async def scenario():
        scheduler = StreamScheduler(model, batch_sizes=(2,))
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with pytest.raises(
                OSError, match=r"port: expected a free one, got 127\.0\.0\.1:\d+, where another"
            ):
                async with Server(scheduler, ServerConfig(port=taken.getsockname()[1])):
                    pass
        assert not any(worker.has_thread for worker in scheduler.workers)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(scenario)


def test_the_loop_goes_on_during_the_start_and_the_port_is_open_after_it_only(model):
    async def scenario():
        port, beats = free_port(), []

        async def beat():
            while True:
                beats.append(is_open(port))
                await asyncio.sleep(0.01)

        beating = asyncio.create_task(beat())
        async with Server(Slow(model, batch_sizes=(2,)), ServerConfig(port=port)) as server:
            beating.cancel()
            assert len(beats) > 10 and not any(beats[:10])
            async with client(server) as one:
                assert one.hello["type"] == "hello"

    run(scenario)


def test_a_start_that_is_cancelled_ends_what_it_began(model):
    async def scenario():
        scheduler = Slow(model, batch_sizes=(2,))
        starting = asyncio.create_task(Server(scheduler, ServerConfig(port=0)).__aenter__())
        await asyncio.sleep(0.1)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert not any(worker.has_thread for worker in scheduler.workers)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(scenario)
