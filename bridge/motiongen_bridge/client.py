"""The Python client: characters of a motiongen server, over one websocket that comes back when it drops."""

import asyncio
import contextlib
import itertools
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Self

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from motiongen.streaming.verbs import Answer
from motiongen_bridge.clock import ServerClock
from motiongen_bridge.frames import WireFrame, decode_frame, frame_from_json
from motiongen_bridge.handshake import HandshakeRefused, error_line, handshake, redacted_url, socket_url
from motiongen_bridge.remote import RemoteCharacter, VerbRefused

log = logging.getLogger(__name__)

URL = "ws://127.0.0.1:8787/ws"
"""Where `motiongen serve` listens, unless told otherwise."""
FIRST_WAIT, LONGEST_WAIT = 0.25, 4.0
"""Seconds between attempts to come back: twice as long each time."""
GOODBYES = (1000, 1001)
"""Close codes after which nothing more is to come."""
POLICY = 1008


@dataclass(frozen=True)
class _Question:
    """A message that waits for its answer; its asker may have gone, but what it opens is open all the same."""

    message: dict[str, Any]
    future: "asyncio.Future[dict[str, Any]]"


class Connection:
    """A websocket to a server, and the characters on it.

        async with Connection(url) as connection:
            walker, runner = await connection.open("walk"), await connection.open("run")

    Attributes:
        hello: the server's first message: skeleton, fps, limits.
        characters: those that are open or watched, by number.
        clock: the server's.
        is_live: whether the connection stands; it is made again for 30 s after it drops.
    """

    def __init__(self, url: str = URL, token: str | None = None, format: str = "f32") -> None:
        """Take a ws:, wss:, http: or https: address; `/ws` is added where there is no path.

        Args:
            url: of the server: its page or its socket.
            token: secret that it wants, if it wants one.
            format: "f32", "i16" (half the bytes) or "json".

        Raises:
            ValueError: it is no address.
        """
        self.url, self._token, self.format = socket_url(url), token, format
        self.hello: dict[str, Any] = {}
        self.characters: dict[int, RemoteCharacter] = {}
        self.clock = ServerClock()
        self._shown_url = redacted_url(self.url)
        self._socket: ClientConnection | None = None
        self._pending: dict[int, _Question] = {}
        self._ids = itertools.count(1)
        self._settled = asyncio.Event()  # live or over: not being made again
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_live(self) -> bool:
        """Whether messages can be sent now."""
        return self._socket is not None

    async def start(self) -> Self:
        """Connect.

        Raises:
            ConnectionError: there is no server, or it refuses.
        """
        self._socket, self.hello = await handshake(self.url, self._token)
        self._settled.set()
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._keep_time())]
        return self

    async def stop(self) -> None:
        """Let the own characters go, and hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            # The server would keep them for a client that may come back.
            with contextlib.suppress(ConnectionClosed):
                for number in self.characters:
                    await self._socket.send(json.dumps({"type": "close", "character": number}))
            await self._socket.close()
        self._end(None)

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *exception: object) -> None:
        await self.stop()

    async def open(
        self,
        prompt: str = "",
        *,
        seed: int | None = None,
        strength: float | None = None,
        style: str | None = None,
    ) -> RemoteCharacter:
        """Return a new character of one's own.

        Args:
            prompt: what it does first; it stands idle without.
            seed: what is drawn; random when left out.
            strength: how strictly it follows its words, or the music, 1..10.
            style: of a dancer, one of `hello["styles"]`; any when left out.

        Raises:
            VerbRefused: the server is full, or an argument makes no sense.
            ConnectionError: the connection is over, or was lost before the answer came.
        """
        wanted = {
            "prompt": prompt or None, "seed": seed, "strength": strength, "style": style, "format": self.format
        }  # fmt: skip
        reply = await self.request({"type": "open", **{k: v for k, v in wanted.items() if v is not None}})
        return self.characters[reply["character"]]

    async def watch(self, key: str) -> RemoteCharacter:
        """Return someone else's character by its key, to see.

        Raises:
            VerbRefused: there is none, or it has too many watchers.
            ConnectionError: the connection is over, or was lost before the answer came.
        """
        reply = await self.request({"type": "watch", "key": key, "format": self.format})
        return self.characters[reply["character"]]

    async def request(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a message and return its answer; while the connection is being made again, wait for that.

        Raises:
            VerbRefused: the server says no.
            ConnectionError: the connection is over, or was lost before the answer came.
        """
        await self._settled.wait()
        if self._socket is None:
            raise ConnectionError(f"{self._shown_url}: the connection is over; connect again")
        number, future = next(self._ids), asyncio.get_running_loop().create_future()
        self._pending[number] = _Question(message, future)
        with contextlib.suppress(ConnectionClosed):  # then the future fails, when that is noticed
            await self._socket.send(json.dumps(message | {"id": number}))
        return await future

    async def send(self, data: bytes) -> None:
        """Send a binary message. Raises ConnectionError where there is no connection now."""
        if self._socket is None:
            raise ConnectionError(f"{self._shown_url}: there is no connection now; wait until it is live")
        with contextlib.suppress(ConnectionClosed):  # the character is told of it
            await self._socket.send(data)

    def drop(self) -> None:
        """Lose the connection, as a bad network would; it comes back by itself."""
        if self._socket is not None:
            self._socket.transport.abort()

    # Coming and going.

    async def _run(self) -> None:
        """Read until the connection is over; make it again when it drops."""
        try:
            while True:
                assert self._socket is not None
                with contextlib.suppress(ConnectionClosed):
                    async for data in self._socket:
                        self._receive(data)
                code, reason = self._socket.close_code, self._socket.close_reason
                self._socket = None
                if code in GOODBYES:
                    self._end(None)
                    return
                if code == POLICY:
                    raise ConnectionError(f"{self._shown_url}: the server hung up: {reason or 'no reason'}")
                self._settled.clear()
                self._fail_pending()
                for character in self.characters.values():
                    character.interrupt()
                self._socket = await self._come_back()
                self._settled.set()
        except ConnectionError as error:
            self._end(error)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self.drop()
            self._socket = None
            self._end(
                ConnectionError(
                    f"{self._shown_url}: expected PROTOCOL.md's messages, got {error_line(error)}"
                )
            )

    async def _come_back(self) -> ClientConnection:
        """Dial until it works and the server has given the characters back.

        Raises:
            ConnectionError: it did not in time, or the characters are gone.
        """
        end, wait = time.monotonic() + float(self.hello.get("resume_seconds", 30.0)), FIRST_WAIT
        # A connection that drops while it is resumed may own them already: the newest first.
        sessions = [self.hello["session"]]
        while True:
            try:
                async with asyncio.timeout(end - time.monotonic()):
                    socket, hello = await handshake(self.url, self._token)
                    try:
                        await self._resume(socket, sessions)
                    except BaseException:
                        socket.transport.abort()
                        sessions.insert(0, hello["session"])
                        raise
                self.hello = hello
                return socket
            except HandshakeRefused:
                raise
            except (ConnectionError, ConnectionClosed, TimeoutError) as error:
                log.info("event=lost reason=%s", error_line(error))
                if time.monotonic() + wait > end:
                    raise ConnectionError(f"{self._shown_url}: the connection was lost for good") from None
                await asyncio.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)

    async def _resume(self, socket: ClientConnection, sessions: list[str]) -> None:
        """Take the characters over from the connection that was lost."""
        last = {str(number): character.last_seq for number, character in self.characters.items()}
        if not last:
            return  # the server keeps no connection without characters
        for session in sessions:
            await socket.send(json.dumps({"type": "resume", "id": 0, "session": session, "last": last}))
            while not isinstance(data := await socket.recv(), str) or _read(data).get("id") != 0:
                self._receive(data)
            answer = _read(data)
            if answer["type"] == "ok":
                for number in [n for n in self.characters if str(n) not in answer["characters"]]:
                    self._leave(number)
                return
        raise HandshakeRefused(
            f"{self._shown_url}: the connection was lost, and the characters are gone; open others"
        )

    def _fail_pending(self) -> None:
        for question in self._pending.values():
            if not question.future.done():
                lost = f"{self._shown_url}: the connection was lost before the answer came; ask again"
                question.future.set_exception(ConnectionError(lost))
        self._pending.clear()

    def _end(self, error: ConnectionError | None) -> None:
        """Nothing more is to come."""
        self._socket = None
        self._settled.set()
        self._fail_pending()
        for character in self.characters.values():
            character.end(error)
        self.characters.clear()

    # What the server says.

    def _receive(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            self._show(decode_frame(data))
            return
        message = _read(data)
        match message["type"]:
            case "frame":
                self._show(frame_from_json(message))
            case "pong":
                self.clock.add(message["time"], time.monotonic(), message["server_time"] / 1e6)
            case "event":
                self._note(message)
            case "ok" | "error":
                self._answer(message)

    def _answer(self, message: dict[str, Any]) -> None:
        error = VerbRefused(message["code"], message["message"]) if message["type"] == "error" else None
        question = self._pending.pop(message.get("id", -1), None)
        if question is None:
            if error is not None:
                log.warning("event=refused code=%s message=%s", error.code, error)
            return
        # What is open changes at once, not when the asker wakes: frames may follow in the same packet.
        match question.message["type"] if error is None else None:
            case "open" | "watch":
                number, key = message["character"], message.get("key", "")
                self.characters[number] = RemoteCharacter(self, number, key)
            case "close":
                self._leave(question.message["character"])
        if question.future.done():
            return  # its asker was cancelled
        if error is not None:
            question.future.set_exception(error)
        else:
            question.future.set_result(message)

    def _note(self, event: dict[str, Any]) -> None:
        character = self.characters.get(event["character"])
        if character is not None:
            character.note(event)
            if event["event"] == "closed":
                self._leave(character.number)

    def _leave(self, number: int) -> None:
        character = self.characters.pop(number, None)
        if character is not None:
            character.end()

    def _show(self, frame: WireFrame) -> None:
        character = self.characters.get(frame.character)
        if character is not None:  # else it was closed a moment ago
            character.take(frame)

    async def _keep_time(self) -> None:
        while True:
            if self._socket is not None:
                with contextlib.suppress(ConnectionClosed):
                    await self._socket.send(json.dumps({"type": "ping", "time": time.monotonic()}))
            await asyncio.sleep(2.0 if self.clock.is_settled else 0.2)


def _read(text: str) -> dict[str, Any]:
    message = json.loads(text)
    if not isinstance(message, dict):
        raise ValueError(f"message: expected an object, got {type(message).__name__}")
    return message


@contextlib.asynccontextmanager
async def connect(
    url: str = URL,
    token: str | None = None,
    format: str = "f32",
    *,
    prompt: str = "",
    seed: int | None = None,
) -> AsyncIterator[RemoteCharacter]:
    """Open one character on a server.

        async with motiongen_bridge.connect() as character:
            answer = await character.prompt("a person walks")
            async for frame in character: ...

    Args:
        url: of the server: its page or its socket.
        token: secret that it wants, if it wants one.
        format: "f32", "i16" (half the bytes) or "json".
        prompt: what the character does first.
        seed: what is drawn; random when left out.

    Raises:
        ConnectionError: there is no server, or it refuses.
        VerbRefused: the server is full, or an argument makes no sense.
    """
    async with Connection(url, token, format) as connection:
        yield await connection.open(prompt, seed=seed)


__all__ = ["Answer", "Connection", "RemoteCharacter", "VerbRefused", "connect", "socket_url"]
