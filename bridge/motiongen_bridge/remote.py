"""A server's character as a client has it: verbs that go there, frames that come from there. No sockets here."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np

from motiongen.streaming.verbs import Answer
from motiongen_bridge.frames import WireFrame

WAITING = 300
"""Frames that wait for their reader, ten seconds; the oldest go when there are more."""

Request = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Sends a message, and returns its answer."""


class VerbRefused(ValueError):
    """The server said no.

    Attributes:
        code: one of PROTOCOL.md's error codes.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class RemoteCharacter:
    """A character of a server: say verbs to it, and iterate over it for its frames.

    Iteration ends when the character is closed or the server says goodbye, and raises ConnectionError when the
    connection is lost for good.

    Attributes:
        number: of the character on its connection.
        key: what others may watch it by; empty where it is only watched.
        last_seq: of the last frame that came; -1 before any.
        dropped: frames that never reach the reader: left out by the server, or not read in time.
        events: what came about, as the server's event messages; the last 64.
    """

    def __init__(self, request: Request, number: int, key: str = "") -> None:
        """Made by `Connection.open` and `Connection.watch`."""
        self._request, self.number, self.key = request, number, key
        self.last_seq, self.dropped = -1, 0
        self.events: deque[dict[str, Any]] = deque(maxlen=64)
        self._frames: deque[WireFrame] = deque()
        self._news = asyncio.Event()
        self._is_over = False
        self._error: ConnectionError | None = None

    async def prompt(self, text: str, at: float = 0.0) -> Answer:
        """Do this, now or in `at` seconds."""
        return await self.say("prompt", text=text, at=at)

    async def then(self, text: str) -> Answer:
        """Do this when what is being done has ended; the answer comes when it begins."""
        return await self.say("then", text=text)

    async def hold(self) -> Answer:
        """Stop, and stand there alive."""
        return await self.say("hold")

    async def loop(self) -> Answer:
        """Go round and round in what was done since the last prompt."""
        return await self.say("loop")

    async def finish(self, seconds: float) -> Answer:
        """Come to an end in so many seconds."""
        return await self.say("finish", seconds=seconds)

    async def pose(self, rotations: np.ndarray | None = None, root: np.ndarray | None = None) -> Answer:
        """Go on from a pose: rotations (22, 4) xyzw, root (3,) metres; the rest pose when left out."""
        given = {"rotations": rotations, "root": root}
        return await self.say(
            "pose", **{k: np.asarray(v).tolist() for k, v in given.items() if v is not None}
        )

    async def turn(self, angle: float) -> Answer:
        """Turn by an angle, radians; to the left where it is positive."""
        return await self.say("turn", angle=angle)

    async def goto(self, x: float, z: float) -> Answer:
        """Walk to a point of the floor, metres."""
        return await self.say("goto", x=x, z=z)

    async def seed(self, seed: int) -> Answer:
        """Draw from here on with another seed."""
        return await self.say("seed", seed=seed)

    async def strength(self, scale: float) -> Answer:
        """Follow the words less (1) or more strictly (10)."""
        return await self.say("strength", scale=scale)

    async def say(self, verb: str, **arguments: Any) -> Answer:
        """Say any verb of PROTOCOL.md; while the connection is being made again, it waits for that.

        Raises:
            VerbRefused: it makes no sense, or not now.
            ConnectionError: the connection is over, or was lost before the answer came.
        """
        reply = await self._request({"type": verb, "character": self.number, **arguments})
        return Answer(reply["number"], reply["seq"], reply.get("note", ""))

    async def close(self) -> None:
        """Let the character go, or stop watching it; what waits can still be read."""
        if not self._is_over:
            await self._request({"type": "close", "character": self.number})

    async def __aiter__(self) -> AsyncIterator[WireFrame]:
        while True:
            while self._frames:
                yield self._frames.popleft()
            if self._error is not None:
                raise self._error
            if self._is_over:
                return
            self._news.clear()
            await self._news.wait()

    def take(self, frame: WireFrame) -> None:
        """Let a frame wait for the reader; for the connection."""
        if frame.seq <= self.last_seq:
            return  # it came before the connection dropped
        if self.last_seq >= 0:
            self.dropped += frame.seq - self.last_seq - 1
        self.last_seq = frame.seq
        if len(self._frames) >= WAITING:
            self._frames.popleft()
            self.dropped += 1
        self._frames.append(frame)
        self._news.set()

    def end(self, error: ConnectionError | None = None) -> None:
        """Let the reader come to an end, or to an error, after what waits; for the connection."""
        if not self._is_over:
            self._is_over, self._error = True, error
            self._news.set()
