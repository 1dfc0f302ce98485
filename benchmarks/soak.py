"""Soak test: frame lateness of well-behaved clients beside clients that misbehave.

python benchmarks/soak.py [--weights full] [--clients 32] [--seconds 20] [--sockets 10000] [--only KIND ...]

Goal: a p99 of the well-behaved clients within 1.5 times of that without misbehaving clients, and the server survives.
All on 127.0.0.1.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import random
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import numpy as np
from serving import raise_open_files, serving
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from motiongen_bridge.client import socket_url
from motiongen_bridge.load_test import SETTLE, run_load_test

ROOM = 256
"""Largest number of characters; those of lost connections stay for half a minute and count too."""
NEVER_READ = 4096
"""Size of the receive buffer, bytes: small, so that it is full soon."""


async def stops_reading(url: str, sockets: int) -> None:
    """Open a character in JSON format, which has the most bytes, and never read."""
    connection = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NEVER_READ)
    async with connect(socket_url(url), sock=connection, compression=None, ping_interval=None) as client:
        await client.send(json.dumps({"type": "open", "format": "json", "prompt": "a person walks"}))
        client.transport.pause_reading()
        await asyncio.sleep(3600)


async def sends_garbage(url: str, sockets: int) -> None:
    """Send invalid bytes, JSON and frames until the connection is closed, then reconnect."""
    async with _client(url) as client:
        for n in range(10**6):
            match n % 4:
                case 0:
                    await client.send(os.urandom(2000))
                case 1:
                    await client.send("[" * 2000)
                case 2:
                    await client.send(json.dumps({"type": "prompt", "character": 10**30, "text": "\ud800"}))
                case 3:
                    client.transport.write(b"\x89\x80abcd" * 200)  # empty pings


async def floods_prompts(url: str, sockets: int) -> None:
    """Send new prompts to eight characters as fast as the socket accepts them, and read all responses."""
    async with _client(url) as client:
        for _ in range(8):
            await client.send(json.dumps({"type": "open"}))
        reads = asyncio.create_task(_read(client))
        for n in range(10**9):
            text = f"a person walks {random.random()}"
            await client.send(json.dumps({"type": "prompt", "id": n, "character": 1 + n % 8, "text": text}))
            await asyncio.sleep(0.001)
            if reads.done():
                return


async def disconnects(url: str, sockets: int) -> None:
    """Open a character and disconnect in the middle of a message."""
    async with _client(url) as client:
        await client.send(json.dumps({"type": "open", "prompt": "a person runs"}))
        await client.recv()
        client.transport.write(b"\x81\xfe\x10\x00abcd{")  # announces 4096 bytes
        await asyncio.sleep(0.05)
        linger = struct.pack("ii", 1, 0)  # reset rather than closed
        client.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        client.transport.abort()


async def opens_sockets(url: str, sockets: int) -> None:
    """Open thousands of sockets at once without sending anything."""
    address, loop = (urlsplit(url).hostname, urlsplit(url).port), asyncio.get_running_loop()

    async def open_one() -> socket.socket:
        one = socket.socket()
        one.setblocking(False)
        with contextlib.suppress(OSError):
            await loop.sock_connect(one, address)
        return one

    opened = await asyncio.gather(*[open_one() for _ in range(sockets)])
    await asyncio.sleep(3600)
    assert opened


KINDS: dict[str, tuple[int, Callable[[str, int], Awaitable[None]]]] = {
    "stops reading": (8, stops_reading),
    "sends garbage": (8, sends_garbage),
    "floods prompts": (2, floods_prompts),
    "opens sockets": (1, opens_sockets),
    "disconnects mid-frame": (2, disconnects),
}
"""Name -> number of clients and their behaviour."""


@contextlib.asynccontextmanager
async def _client(url: str):
    async with connect(socket_url(url), compression=None, ping_interval=None, close_timeout=1) as client:
        await client.recv()
        yield client


async def _read(client: ClientConnection) -> None:
    with contextlib.suppress(WebSocketException):
        async for _ in client:
            pass


def misbehave(kind: str, url: str, sockets: int) -> None:
    """Repeat a behaviour until the process is terminated."""

    async def again(act: Callable[[str, int], Awaitable[None]]) -> None:
        while True:
            with contextlib.suppress(WebSocketException, OSError, EOFError):
                await act(url, sockets)
            await asyncio.sleep(0.2)

    async def crowd() -> None:
        count, act = KINDS[kind]
        await asyncio.gather(*[again(act) for _ in range(count)])

    asyncio.run(crowd())


def measure(url: str, kind: str | None, args: argparse.Namespace) -> tuple[float, float, int]:
    """Return p50 and p99 of the lateness of well-behaved clients, ms, and their number of missed frames."""
    spawn = multiprocessing.get_context("spawn")
    other = spawn.Process(target=misbehave, args=(kind, url, args.sockets), daemon=True)

    async def beside() -> tuple[float, float, int]:
        crowd = asyncio.create_task(run_load_test(url, args.clients, args.seconds))
        await asyncio.sleep(SETTLE / 2)
        if kind is not None:
            other.start()
        result = await crowd
        p50, p99 = np.quantile(np.array(result.late) * 1e3, [0.5, 0.99])
        return p50, p99, result.gaps

    try:
        return asyncio.run(beside())
    finally:
        if kind is not None:
            other.kill()
            other.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--sockets", type=int, default=10_000)
    parser.add_argument("--only", nargs="+", choices=list(KINDS), default=list(KINDS))
    args = parser.parse_args()
    args.sockets = min(args.sockets, raise_open_files() - 500)
    print(
        "| beside a client that … | others late p50, ms | p99 | of alone | frames left out | server lives |"
    )
    print("|---|---:|---:|---:|---:|---|")
    with serving("--weights", args.weights, "--device", args.device, "--max-sessions", str(ROOM)) as served:
        # All batches are allocated before, so that their growth is not measured.
        asyncio.run(run_load_test(served.url, ROOM, 1.0))
        alone = 0.0
        for kind in [None, *args.only]:
            p50, p99, gaps = measure(served.url, kind, args)
            alone = alone or p99
            lives = "yes" if served.lives() else "NO"
            name = f"{kind} ({args.sockets})" if kind == "opens sockets" else kind or "(alone)"
            print(f"| {name} | {p50:.0f} | {p99:.0f} | {p99 / alone:.2f} | {gaps} | {lives} |", flush=True)
            time.sleep(1.0)


if __name__ == "__main__":
    main()
