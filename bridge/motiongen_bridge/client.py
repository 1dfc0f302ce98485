"""The Python client: characters of a motiongen server, over one websocket that comes back when it drops."""

import asyncio
import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import numpy as np
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from motiongen_bridge.frames import SUBPROTOCOL, ProtocolError, WireFrame, decode_frame, frame_from_json

log = logging.getLogger(__name__)

WAITING = 300
"""Frames that wait for their reader; the oldest go when there are more."""
RESUME_SECONDS = 30.0
PINGS = 8
"""Round trips of which the shortest sets the clock."""


class VerbRefused(ValueError):
    """The server said no.

    Attributes:
        code: one of PROTOCOL.md's error codes.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Answer:
    """What a verb came to: its number, the seq of the first frame that obeys, and perhaps a note."""

    number: int
    seq: int
    note: str = ""


class RemoteCharacter:
    """A character of a server. Iterate over it for its frames.

    Attributes:
        number: of the character on the connection.
        key: what others may watch it by; empty where it is only watched.
        dropped: frames that were not read in time, and those that the server left out.
        events: what came about, as the server's event messages; the last 64.
    """

    def __init__(self, connection: "Connection", number: int, key: str) -> None:
        self.connection, self.number, self.key = connection, number, key
        self.last_seq, self.dropped = -1, 0
        self.events: deque[dict[str, Any]] = deque(maxlen=64)
        self._frames: deque[WireFrame] = deque()
        self._news = asyncio.Event()
        self._is_over = False

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
        """Say any verb of PROTOCOL.md.

        Raises:
            VerbRefused: it makes no sense, or not now.
            ConnectionError: the connection is over.
        """
        reply = await self.connection.request({"type": verb, "character": self.number, **arguments})
        return Answer(reply["number"], reply["seq"], reply.get("note", ""))

    async def close(self) -> None:
        """Let the character go."""
        await self.connection.request({"type": "close", "character": self.number})
        self._end()

    def __aiter__(self) -> AsyncIterator[WireFrame]:
        return self._stream()

    async def _stream(self) -> AsyncIterator[WireFrame]:
        while True:
            while self._frames:
                yield self._frames.popleft()
            if self._is_over:
                return
            self._news.clear()
            await self._news.wait()

    def _take(self, frame: WireFrame) -> None:
        if frame.seq <= self.last_seq:
            return  # shown before the connection dropped
        self.dropped += frame.seq - self.last_seq - 1 if self.last_seq >= 0 else 0
        self.last_seq = frame.seq
        if len(self._frames) >= WAITING:
            self._frames.popleft()
            self.dropped += 1
        self._frames.append(frame)
        self._news.set()

    def _end(self) -> None:
        self._is_over = True
        self._news.set()


class Connection:
    """A websocket to a server, and the characters on it.

    Attributes:
        hello: the server's first message.
        clock_offset: seconds to add to `time.monotonic()` for the server's clock.
        round_trip: shortest of the last round trips, seconds.
    """

    def __init__(self, url: str, token: str | None = None, format: str = "f32") -> None:
        """Take a ws:, wss:, http: or https: address; `/ws` is added where there is no path."""
        self.url, self._token, self.format = socket_url(url), token, format
        self.hello: dict[str, Any] = {}
        self.characters: dict[int, RemoteCharacter] = {}
        self.clock_offset = self.round_trip = 0.0
        self._socket: ClientConnection | None = None
        self._pending: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._count = 0
        self._trips: deque[tuple[float, float]] = deque(maxlen=PINGS)
        self._tasks: list[asyncio.Task[None]] = []
        self._early: dict[int, list[WireFrame]] = {}

    async def __aenter__(self) -> Self:
        await self._dial()
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._keep_time())]
        return self

    async def __aexit__(self, *exception: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()
        self._give_up(ConnectionError("the connection was closed"))

    async def open(
        self, prompt: str = "", *, seed: int | None = None, strength: float | None = None
    ) -> RemoteCharacter:
        """Return a new character of one's own."""
        wanted = {"prompt": prompt or None, "seed": seed, "strength": strength, "format": self.format}
        reply = await self.request({"type": "open", **{k: v for k, v in wanted.items() if v is not None}})
        return self._seat(reply["character"], reply["key"])

    async def watch(self, key: str) -> RemoteCharacter:
        """Return someone else's character, to see."""
        reply = await self.request({"type": "watch", "key": key, "format": self.format})
        return self._seat(reply["character"], "")

    async def request(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a message and return its answer.

        Raises:
            VerbRefused: the server says no.
            ConnectionError: the connection is over, or was lost before the answer came.
        """
        if self._socket is None:
            raise ConnectionError("the connection is lost; it is being made again")
        self._count += 1
        future = asyncio.get_running_loop().create_future()
        self._pending[self._count] = future
        try:
            await self._socket.send(json.dumps(message | {"id": self._count}))
        except ConnectionClosed:
            self._pending.pop(self._count, None)
            raise ConnectionError("the connection was lost") from None
        return await future

    async def drop(self) -> None:
        """Lose the connection, as a bad network would; it comes back by itself."""
        if self._socket is not None:
            self._socket.transport.abort()

    def _seat(self, number: int, key: str) -> RemoteCharacter:
        character = RemoteCharacter(self, number, key)
        self.characters[number] = character
        for frame in self._early.pop(number, []):  # frames may come with the answer, before it was read
            character._take(frame)
        return character

    async def _dial(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else None
        try:
            socket = await open_socket(
                self.url,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                additional_headers=headers,
                compression=None,
                max_size=2**20,
                open_timeout=10,
            )
            self.hello = json.loads(await socket.recv())
        except InvalidStatus as error:
            status = error.response.status_code
            reason = (error.response.body or b"").decode(errors="replace").strip()[:200]
            raise ConnectionError(f"{self.url}: refused with {status}: {reason or 'no reason'}") from None
        except (OSError, InvalidHandshake, ConnectionClosed, TimeoutError, ValueError) as error:
            raise ConnectionError(f"{self.url}: expected a motiongen server, got {error}") from None
        if self.hello.get("version") != 1:
            await socket.close()
            raise ConnectionError(
                f"{self.url}: expected version 1, got {self.hello.get('version')}; update motiongen"
            )
        self._socket = socket

    async def _run(self) -> None:
        """Read until the connection is over; make it again when it drops."""
        while True:
            assert self._socket is not None
            with contextlib.suppress(ConnectionClosed):
                async for data in self._socket:
                    self._receive(data)
            code = self._socket.close_code
            self._socket = None
            self._fail_pending(ConnectionError("the connection was lost"))
            if code in (1000, 1001, 1008) or not await self._come_back():
                self._give_up(ConnectionError("the connection is over"))
                return

    async def _come_back(self) -> bool:
        """Dial again until the server lets the characters go; return whether it worked."""
        session, end, wait = self.hello["session"], time.monotonic() + RESUME_SECONDS, 0.25
        while time.monotonic() < end:
            try:
                await self._dial()
            except ConnectionError as error:
                log.info("%s", error)
                await asyncio.sleep(wait)
                wait = min(2 * wait, 4.0)
                continue
            assert self._socket is not None
            last = {str(number): character.last_seq for number, character in self.characters.items()}
            await self._socket.send(json.dumps({"type": "resume", "id": 0, "session": session, "last": last}))
            while not isinstance(data := await self._socket.recv(), str) or json.loads(data).get("id") != 0:
                self._receive(data)
            return bool(json.loads(data)["type"] == "ok")
        return False

    def _receive(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            self._frame(decode_frame(data))
            return
        message = json.loads(data)
        match message.get("type"):
            case "frame":
                self._frame(frame_from_json(message))
            case "pong":
                now = time.monotonic()
                trip = now - message["time"]
                self._trips.append((trip, message["server_time"] / 1e6 - (message["time"] + trip / 2)))
                self.round_trip, self.clock_offset = min(self._trips)
            case "event":
                character = self.characters.get(message["character"])
                if character is not None:
                    character.events.append(message)
                    if message["event"] == "closed":
                        character._end()
            case "ok" | "error":
                future = self._pending.pop(message.get("id"), None)
                if future is None or future.done():
                    log.warning("%s", message)
                elif message["type"] == "ok":
                    future.set_result(message)
                else:
                    future.set_exception(VerbRefused(message["code"], message["message"]))

    def _frame(self, frame: WireFrame) -> None:
        character = self.characters.get(frame.character)
        if character is not None:
            character._take(frame)
        else:
            self._early.setdefault(frame.character, []).append(frame)

    async def _keep_time(self) -> None:
        while True:
            if self._socket is not None:
                with contextlib.suppress(ConnectionClosed):
                    await self._socket.send(json.dumps({"type": "ping", "time": time.monotonic()}))
            await asyncio.sleep(0.2 if len(self._trips) < PINGS else 2.0)

    def _fail_pending(self, error: Exception) -> None:
        for future in self._pending.values():
            if not future.done():
                future.set_exception(error)
        self._pending.clear()

    def _give_up(self, error: Exception) -> None:
        self._fail_pending(error)
        for character in self.characters.values():
            character._end()


@contextlib.asynccontextmanager
async def connect(
    url: str = "ws://127.0.0.1:8787/ws",
    *,
    token: str | None = None,
    prompt: str = "",
    seed: int | None = None,
    format: str = "f32",
) -> AsyncIterator[RemoteCharacter]:
    """Open one character on a server.

        async with motiongen_bridge.connect() as character:
            await character.prompt("a person walks")
            async for frame in character: ...

    Args:
        url: of the server: its page or its socket.
        token: secret that it wants, if it wants one.
        prompt: what the character does first.
        seed: what is drawn; random when left out.
        format: "f32", "i16" (half the bytes) or "json".

    Raises:
        ConnectionError: there is no server, or it refuses.
        VerbRefused: the server is full, or an argument makes no sense.
    """
    async with Connection(url, token, format) as connection:
        yield await connection.open(prompt, seed=seed)


def socket_url(url: str) -> str:
    """Return the websocket's address for that of a server's page or socket.

    Raises:
        ValueError: it is no address.
    """
    parts = urlsplit(url if "//" in url else f"//{url}", scheme="ws")
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    if scheme not in ("ws", "wss") or not parts.netloc:
        raise ValueError(f"url: expected ws://HOST:PORT, got {url!r}")
    path = parts.path if parts.path not in ("", "/") else "/ws"
    return urlunsplit((scheme, parts.netloc, path, parts.query, ""))


__all__ = ["Answer", "Connection", "ProtocolError", "RemoteCharacter", "VerbRefused", "connect", "socket_url"]
