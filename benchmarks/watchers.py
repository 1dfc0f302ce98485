"""Fan-out benchmark: frame lateness and server load with hundreds of connections that watch one character.

python benchmarks/watchers.py [--weights full] [--watchers 500] [--rate 60] [--seconds 20] [--core 0]

The server runs on one core, the watchers on the others. Goal: 500 watchers at 60 frames a second, p99 under 30 ms.
"""

import argparse
import asyncio
import json
import os
import time
from urllib.parse import urlsplit

import numpy as np
from serving import Served, raise_open_files, serving
from websockets.asyncio.client import connect

from motiongen_bridge.client import socket_url
from motiongen_bridge.frames import GAP, HEADER
from motiongen_bridge.load_test import lateness

FPS = 30
UPGRADE = (
    "GET /ws HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SETTLE = 3.0


class Watcher(asyncio.Protocol):
    """Minimal websocket client that records arrival times of frames, so that the client adds no lateness."""

    def __init__(self, host: str, key: str) -> None:
        self.times: list[tuple[int, float]] = []
        self.gaps, self.start = 0, float("inf")
        self._host, self._key, self._data = host, key, b""
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Request the stream, without waiting for the end of the handshake."""
        text = json.dumps({"type": "watch", "key": self._key}).encode()
        mask = b"\0\0\0\0"  # leaves the text as it is
        transport.write(UPGRADE.format(self._host).encode() + bytes([0x81, 0x80 | len(text)]) + mask + text)

    def data_received(self, data: bytes) -> None:
        """Record the complete frames."""
        now, data = time.perf_counter(), self._data + data
        offset = 0
        if not self._is_open:
            end = data.find(b"\r\n\r\n")
            offset, self._is_open = (end + 4, True) if end >= 0 else (0, False)
        while self._is_open and len(data) >= offset + 4:
            size, head = data[offset + 1], 2
            if size == 126:
                size, head = int.from_bytes(data[offset + 2 : offset + 4], "big"), 4
            if len(data) < offset + head + size:
                break
            if data[offset] == 0x82 and now > self.start:
                _, _, flags, _, _, _, seq, _, _ = HEADER.unpack_from(data, offset + head)
                self.times.append((seq, now))
                self.gaps += flags & GAP
            offset += head + size
        self._data = data[offset:]


async def watch(served: Served, count: int, seconds: float) -> tuple[list[Watcher], float]:
    """Return the watchers of one character with their records, and the share of a core that the server used."""
    address = urlsplit(served.url)
    async with connect(socket_url(served.url), compression=None, ping_interval=None) as owner:
        await owner.recv()
        await owner.send(json.dumps({"type": "open", "id": 1, "prompt": "a person walks"}))
        key = json.loads(await owner.recv())["key"]
        reads = asyncio.create_task(_read(owner))
        loop, watchers = asyncio.get_running_loop(), []
        for _ in range(count):
            connecting = loop.create_connection(
                lambda: Watcher(address.netloc, key), address.hostname, address.port
            )
            watchers.append((await connecting)[1])
        await asyncio.sleep(SETTLE)
        for watcher in watchers:
            watcher.start = time.perf_counter()
        spent, began = served.cpu_seconds(), time.perf_counter()
        await asyncio.sleep(seconds)
        share = (served.cpu_seconds() - spent) / (time.perf_counter() - began)
        reads.cancel()
    return watchers, share


async def _read(owner) -> None:
    async for _ in owner:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--watchers", type=int, default=500)
    parser.add_argument("--rate", type=float, default=60.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--core", type=int, default=0)
    args = parser.parse_args()
    raise_open_files()
    options = ["--weights", args.weights, "--speed", str(args.rate / FPS)]
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {args.core})  # the server inherits it
    with serving(*options, command=(os.path.join(os.path.dirname(__file__), "serving.py"),)) as served:
        os.sched_setaffinity(0, cores - {args.core} or cores)
        watchers, share = asyncio.run(watch(served, args.watchers, args.seconds))
    late = np.concatenate([lateness(watcher.times, 1 / args.rate) for watcher in watchers]) * 1e3
    p50, p99 = np.quantile(late, [0.5, 0.99])
    rate = len(late) / args.seconds / args.watchers
    print(
        "| watchers | frames/s each | late p50, ms | p99 | worst | frames left out | server's share of its core |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|")
    gaps = sum(watcher.gaps for watcher in watchers)
    print(
        f"| {args.watchers} | {rate:.1f} | {p50:.1f} | {p99:.1f} | {late.max():.1f} | {gaps} | {share:.0%} |"
    )


if __name__ == "__main__":
    main()
