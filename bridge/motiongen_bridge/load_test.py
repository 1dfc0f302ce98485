"""A crowd of clients that measures how a server bears it: how late frames come, and how soon words are obeyed."""

import asyncio
import contextlib
import json
import random
import time
from dataclasses import dataclass, field

import numpy as np
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed

from motiongen_bridge.client import socket_url
from motiongen_bridge.frames import GAP, HEADER

PROMPTS = (
    "a person walks forward", "a person waves with the right hand", "a person runs", "a person bows",
    "a person kicks", "a person jumps", "a tired person walks", "a person dances",
)  # fmt: skip
SETTLE = 3.0
"""Seconds at the start that are not measured."""


@dataclass
class LoadResult:
    """What a crowd saw: seconds, a number a frame or a prompt."""

    late: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    gaps: int = 0
    seconds: float = 0.0

    def row(self, sessions: int) -> str:
        """Return a line of the table."""
        late, answers = np.array(self.late or [np.nan]) * 1e3, np.array(self.answers or [np.nan]) * 1e3
        rate = len(self.late) / self.seconds / sessions
        numbers = [*np.quantile(late, [0.5, 0.99]), late.max(), *np.quantile(answers, [0.5, 0.99])]
        return f"| {sessions} | {rate:.1f} | " + " | ".join(f"{n:.0f}" for n in numbers) + f" | {self.gaps} |"


HEADING = (
    "| sessions | frames/s each | late p50, ms | p99 | worst | prompt to new frame p50, ms | p99 | frames left out |\n"
    "|---:|---:|---:|---:|---:|---:|---:|---:|"
)


async def run_load_test(
    url: str, sessions: int, seconds: float, *, token: str = "", every: float = 4.0, seed: int = 0
) -> LoadResult:
    """Return what `sessions` clients of one character each saw in so many seconds.

    A frame is late by how much it came after its turn: 1/30 s after the frame before it, counted from the earliest.

    Args:
        url: of the server.
        sessions: clients.
        seconds: to measure, after a few in which they settle.
        token: of the server.
        every: seconds between the prompts of one client, about; each is a sentence never said before.
        seed: of the times and the prompts.
    """
    result, draw = LoadResult(seconds=seconds), random.Random(seed)
    headers = {"Authorization": f"Bearer {token}"} if token else None
    async with contextlib.AsyncExitStack() as stack:
        sockets = []
        for _ in range(sessions):
            socket = open_socket(
                socket_url(url), compression=None, additional_headers=headers, ping_interval=None
            )
            sockets.append(await stack.enter_async_context(socket))
        end = time.perf_counter() + SETTLE + seconds
        crowd = [
            _client(socket, result, end, end - seconds, every, random.Random(draw.random()))
            for socket in sockets
        ]
        await asyncio.gather(*crowd)
    return result


async def _client(
    socket: ClientConnection, result: LoadResult, end: float, start: float, every: float, draw: random.Random
) -> None:
    hello = json.loads(await socket.recv())
    period, said, times = 1 / hello["fps"], 0.0, list[tuple[int, float]]()
    await socket.send(json.dumps({"type": "open", "id": 1, "prompt": draw.choice(PROMPTS)}))
    await asyncio.sleep(draw.random() * SETTLE / 2)
    asked, obeyed, speak_at = 0, 0, start + draw.random() * every
    with contextlib.suppress(ConnectionClosed):
        while (now := time.perf_counter()) < end:
            data = await socket.recv()
            now = time.perf_counter()
            if isinstance(data, str):
                continue
            _, _, flags, _, _, _, seq, obeys, _ = HEADER.unpack_from(data)
            result.gaps += flags & GAP
            if now > start:
                times.append((seq, now))
            if said and obeys > obeyed:
                result.answers.append(now - said)
                said = 0.0
            obeyed = max(obeyed, obeys)
            if now > speak_at and not said:
                asked += 1
                text = f"{draw.choice(PROMPTS)} {draw.randrange(10**6)}"
                await socket.send(
                    json.dumps({"type": "prompt", "id": 1 + asked, "character": 1, "text": text})
                )
                said, speak_at = now, now + every * (0.5 + draw.random())
        await socket.send(json.dumps({"type": "close", "character": 1}))  # else it is kept for a resume
    result.late.extend(lateness(times, period))


def lateness(times: list[tuple[int, float]], period: float) -> list[float]:
    """Return how late each frame (seq, time) came; a prompt may bring one early, and the clock goes on from there."""
    late, turn = [], np.inf
    for _, now in times:
        turn = min(turn + period, now)
        late.append(now - turn)
    return late
