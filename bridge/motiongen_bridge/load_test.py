"""Load test: many clients of one server, which measure how late frames come and how soon prompts are obeyed."""

import asyncio
import contextlib
import json
import random
import time
from dataclasses import dataclass, field

import numpy as np
from websockets.asyncio.client import ClientConnection as WebSocket
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed

from motiongen_bridge.frames import GAP, HEADER
from motiongen_bridge.handshake import handshake, socket_url

PROMPTS = (
    "a person walks forward", "a person waves with the right hand", "a person runs", "a person bows",
    "a person kicks", "a person jumps", "a tired person walks", "a person dances",
)  # fmt: skip
SETTLE = 3.0
"""Seconds at the start that are not measured."""


@dataclass
class LoadResult:
    """Measurements of all clients together.

    Attributes:
        late: lateness of each frame, seconds.
        answers: time from each prompt to its first frame, seconds.
        gaps: frames before which others were left out.
        seconds: length of the measurement.
    """

    late: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    gaps: int = 0
    seconds: float = 0.0

    def row(self, sessions: int) -> str:
        """Return a row of the table.

        Args:
            sessions: count of clients.
        """
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
    """Return the measurements of many clients with one character each.

    A frame is due 1/30 s after the frame before it, counted from the earliest; it is late by the time after that.

    Args:
        url: address of the server.
        sessions: count of clients.
        seconds: length of the measurement, after a few seconds in which the clients settle.
        token: the server's secret.
        every: seconds between the prompts of one client, about; each is a sentence that was never sent before.
        seed: seed of the times and the prompts.

    Raises:
        ConnectionError: there is no server, or it refuses.
    """
    result, draw = LoadResult(seconds=seconds), random.Random(seed)
    headers = {"Authorization": f"Bearer {token}"} if token else None
    first, _ = await handshake(socket_url(url), token or None)  # which says what is wrong, if anything is
    await first.close()
    async with contextlib.AsyncExitStack() as stack:
        sockets = []
        for _ in range(sessions):
            socket = open_socket(
                socket_url(url), compression=None, additional_headers=headers, ping_interval=None
            )
            sockets.append(await stack.enter_async_context(socket))
        end = time.perf_counter() + SETTLE + seconds
        clients = [
            _client(socket, result, end, end - seconds, every, random.Random(draw.random()))
            for socket in sockets
        ]
        await asyncio.gather(*clients)
    return result


async def _client(
    socket: WebSocket, result: LoadResult, end: float, start: float, every: float, draw: random.Random
) -> None:
    hello = json.loads(await socket.recv())
    period, prompted, times = 1 / hello["fps"], 0.0, list[tuple[int, float]]()
    await socket.send(json.dumps({"type": "open", "id": 1, "prompt": draw.choice(PROMPTS)}))
    await asyncio.sleep(draw.random() * SETTLE / 2)
    prompts, obeyed, prompt_at = 0, 0, start + draw.random() * every
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
            if prompted and obeys > obeyed:
                result.answers.append(now - prompted)
                prompted = 0.0
            obeyed = max(obeyed, obeys)
            if now > prompt_at and not prompted:
                prompts += 1
                text = f"{draw.choice(PROMPTS)} {draw.randrange(10**6)}"
                await socket.send(
                    json.dumps({"type": "prompt", "id": 1 + prompts, "character": 1, "text": text})
                )
                prompted, prompt_at = now, now + every * (0.5 + draw.random())
        await socket.send(json.dumps({"type": "close", "character": 1}))  # else it is kept for a resume
    result.late.extend(lateness(times, period))


def lateness(times: list[tuple[int, float]], period: float) -> list[float]:
    """Return how late each frame came. A prompt may bring one early, and the clock goes on from there.

    Args:
        times: (number, arrival) of each frame, seconds.
        period: seconds between two frames.
    """
    late, due = [], np.inf
    for _, now in times:
        due = min(due + period, now)
        late.append(now - due)
    return late
