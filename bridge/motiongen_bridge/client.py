"""The Python client: characters of a motiongen server, over one websocket that is made again when it drops."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator
from typing import Any, Self

from websockets.asyncio.client import ClientConnection as WebSocket
from websockets.exceptions import ConnectionClosed

from motiongen.streaming.verbs import Answer
from motiongen_bridge.clock import ServerClock
from motiongen_bridge.frames import WireFrame, decode_frame, frame_from_json
from motiongen_bridge.handshake import error_line, handshake, redacted_url, socket_url
from motiongen_bridge.pending_requests import PendingRequests, wait_for_answer
from motiongen_bridge.reconnection import FINAL_CLOSE_CODES, read_message, reconnect
from motiongen_bridge.remote import RemoteCharacter, VerbRefused

log = logging.getLogger(__name__)

URL = "ws://127.0.0.1:8787/ws"
"""Default address of `motiongen serve`."""
REQUEST_SECONDS = 10.0
"""Default time limit of a request."""
FRAME_SECONDS = 30.0
"""Default time limit of a frame: characters have frames all the time."""


class Connection:
    """A websocket to a server, and the characters on it.

        async with Connection(url) as connection:
            walker, runner = await connection.open("walk"), await connection.open("run")

    Attributes:
        url: address of the websocket.
        format: format of the frames.
        hello: the server's first message: skeleton, fps, limits.
        characters: those that are open or watched, by number.
        clock: estimate of the server's clock.
        frame_timeout: seconds in which the next frame must come.
    """

    def __init__(
        self,
        url: str = URL,
        token: str | None = None,
        format: str = "f32",
        *,
        timeout: float = REQUEST_SECONDS,
        frame_timeout: float = FRAME_SECONDS,
    ) -> None:
        """Make a connection that is not open yet.

        Args:
            url: ws:, wss:, http: or https: address of the server; `/ws` is added where there is no path.
            token: the server's secret, if it has one.
            format: "f32", "i16" (half the bytes) or "json".
            timeout: seconds in which a request must be answered.
            frame_timeout: seconds in which the next frame must come while a character is read; infinite for no limit.

        Raises:
            ValueError: it is no address, or a time limit is not positive.
        """
        for name, seconds, default in (
            ("timeout", timeout, REQUEST_SECONDS),
            ("frame_timeout", frame_timeout, FRAME_SECONDS),
        ):
            if not seconds > 0:
                raise ValueError(
                    f"{name}: expected more than 0 s, got {seconds}; leave it out for {default:g}"
                )
        self.frame_timeout = frame_timeout
        self.url, self._token, self.format, self._timeout = socket_url(url), token, format, timeout
        self.hello: dict[str, Any] = {}
        self.characters: dict[int, RemoteCharacter] = {}
        self.clock = ServerClock()
        self._shown_url = redacted_url(self.url)
        self._socket: WebSocket | None = None
        self._pending = PendingRequests()
        self._settled = asyncio.Event()  # live or over: not being made again
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_live(self) -> bool:
        """Whether messages can be sent now. A connection that drops is made again for 30 s."""
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
        """Close the own characters and the connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            # The server would keep them for a client that may come back.
            try:
                async with asyncio.timeout(self._timeout):
                    for number in self.characters:
                        await self._socket.send(json.dumps({"type": "close", "character": number}))
                    await self._socket.close()
            except ConnectionClosed:
                pass
            except TimeoutError:  # it reads nothing
                self.drop()
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
        avatar: str | None = None,
    ) -> RemoteCharacter:
        """Return a new character of one's own.

        Args:
            prompt: its first prompt; it stands idle without.
            seed: seed of its sampling; random when left out.
            strength: guidance scale: how strictly it follows its prompts, or the music, 1 to 10.
            style: of a character that dances, one of `hello["styles"]`; any when left out.
            avatar: of the server's, one of `hello["avatars"]`, that its frames are put on; without one they are of
                `hello["skeleton"]`.

        Raises:
            VerbRefused: the server is full, or an argument is invalid.
            ConnectionError: the connection is over, or was lost before the answer came.
            TimeoutError: no answer came in time.
        """
        given = {
            "prompt": prompt or None, "seed": seed, "strength": strength, "style": style, "avatar": avatar,
            "format": self.format,
        }  # fmt: skip
        reply = await self.request({"type": "open", **{k: v for k, v in given.items() if v is not None}})
        return self.characters[reply["character"]]

    async def watch(self, key: str, *, avatar: str | None = None) -> RemoteCharacter:
        """Return another connection's character, which can only be watched.

        Args:
            key: its key.
            avatar: that its frames are put on, as in `open`; its owner's choice does not matter.

        Raises:
            VerbRefused: there is none, or it has too many watchers.
            ConnectionError: the connection is over, or was lost before the answer came.
            TimeoutError: no answer came in time.
        """
        chosen = {} if avatar is None else {"avatar": avatar}
        reply = await self.request({"type": "watch", "key": key, "format": self.format, **chosen})
        return self.characters[reply["character"]]

    async def request(self, message: dict[str, Any], *, extra_seconds: float = 0.0) -> dict[str, Any]:
        """Send a message and return its answer; while the connection is made again, wait for that.

        Args:
            message: the JSON object, without an id.
            extra_seconds: time that the answer takes by itself; infinite for no time limit.

        Raises:
            VerbRefused: the server refuses.
            ConnectionError: the connection is over, or was lost before the answer came.
            TimeoutError: no answer came in time.
        """
        await self._settled.wait()
        if self._socket is None:
            raise ConnectionError(f"{self._shown_url}: the connection is over; connect again")
        request, limit = self._pending.add(message), self._timeout + extra_seconds
        with contextlib.suppress(ConnectionClosed):  # then the future fails, when that is noticed
            await self._socket.send(json.dumps(message | {"id": request.id}))
        answer = await wait_for_answer(request, limit)
        if answer is None:
            raise TimeoutError(
                f"{self._shown_url}: expected an answer to {message['type']!r} within {limit:g} s, got none; "
                "the server may be failing, see its /healthz"
            )
        return answer

    async def send(self, data: bytes) -> None:
        """Send a binary message.

        Args:
            data: the message.

        Raises:
            ConnectionError: there is no connection now.
        """
        if self._socket is None:
            raise ConnectionError(f"{self._shown_url}: there is no connection now; wait until it is live")
        with contextlib.suppress(ConnectionClosed):  # the character is told of it
            await self._socket.send(data)

    def drop(self) -> None:
        """Abort the connection, as a bad network would; it is made again by itself."""
        if self._socket is not None:
            self._socket.transport.abort()

    # The life of the connection.

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
                if code in FINAL_CLOSE_CODES:
                    said = f": {reason}" if reason and code != 1001 else ""
                    raise ConnectionError(f"{self._shown_url}: {FINAL_CLOSE_CODES[code]}{said}")
                self._settled.clear()
                self._fail_pending()
                for character in self.characters.values():
                    character.interrupt()
                self._socket = await self._reconnect()
                self._settled.set()
                for character in self.characters.values():
                    character.wake()
        except ConnectionError as error:
            self._end(error)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self.drop()
            self._socket = None
            reason = error_line(error)
            self._end(ConnectionError(f"{self._shown_url}: expected PROTOCOL.md's messages, got {reason}"))

    async def _reconnect(self) -> WebSocket:
        """Connect again and resume the characters. Raises ConnectionError where that fails for good."""

        def last() -> dict[str, int]:
            return {str(number): character.last_seq for number, character in self.characters.items()}

        socket, self.hello, kept = await reconnect(self.url, self._token, self.hello, last, self._receive)
        for number in [number for number in self.characters if str(number) not in kept]:
            self._remove(number)
        return socket

    def _fail_pending(self) -> None:
        self._pending.fail_all(
            f"{self._shown_url}: the connection was lost before the answer came; ask again"
        )

    def _end(self, error: ConnectionError | None) -> None:
        """End the connection for good."""
        self._socket = None
        self._settled.set()
        self._fail_pending()
        for character in self.characters.values():
            character.end(error)
        self.characters.clear()

    # Messages of the server.

    def _receive(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            self._take_frame(decode_frame(data))
            return
        message = read_message(data)
        match message["type"]:
            case "frame":
                self._take_frame(frame_from_json(message))
            case "pong":
                self.clock.add(message["time"], time.monotonic(), message["server_time"] / 1e6)
            case "event":
                self._take_event(message)
            case "ok" | "error":
                self._take_answer(message)

    def _take_answer(self, message: dict[str, Any]) -> None:
        error = VerbRefused(message["code"], message["message"]) if message["type"] == "error" else None
        request = self._pending.pop(message.get("id", -1))
        if request is None:
            if error is not None:
                log.warning("event=refused code=%s message=%s", error.code, error)
            return
        # What is open changes at once, not when the caller wakes: frames may follow in the same packet.
        match request.message["type"] if error is None else None:
            case "open" | "watch":
                number, key = message["character"], message.get("key", "")
                self.characters[number] = RemoteCharacter(self, number, key, message.get("avatar"))
            case "close":
                self._remove(request.message["character"])
        if request.future.done():
            return  # its caller was cancelled, or gave up
        if error is not None:
            request.future.set_exception(error)
        else:
            request.future.set_result(message)

    def _take_event(self, event: dict[str, Any]) -> None:
        character = self.characters.get(event["character"])
        if character is not None:
            character.add_event(event)
            if event["event"] == "closed":
                self._remove(character.number)

    def _remove(self, number: int) -> None:
        character = self.characters.pop(number, None)
        if character is not None:
            character.end()

    def _take_frame(self, frame: WireFrame) -> None:
        character = self.characters.get(frame.character)
        if character is not None:  # else it was closed a moment ago
            character.take(frame)

    async def _keep_time(self) -> None:
        while True:
            if self._socket is not None:
                with contextlib.suppress(ConnectionClosed):
                    await self._socket.send(json.dumps({"type": "ping", "time": time.monotonic()}))
            await asyncio.sleep(2.0 if self.clock.is_settled else 0.2)


@contextlib.asynccontextmanager
async def connect(
    url: str = URL,
    token: str | None = None,
    format: str = "f32",
    *,
    prompt: str = "",
    seed: int | None = None,
    avatar: str | None = None,
    timeout: float = REQUEST_SECONDS,
    frame_timeout: float = FRAME_SECONDS,
) -> AsyncIterator[RemoteCharacter]:
    """Open one character on a server.

        async with motiongen_bridge.connect() as character:
            answer = await character.prompt("a person walks")
            async for frame in character: ...

    Args:
        url: address of the server's page or websocket.
        token: the server's secret, if it has one.
        format: "f32", "i16" (half the bytes) or "json".
        prompt: the character's first prompt.
        seed: seed of its sampling; random when left out.
        avatar: of the server's that its frames are put on, as in `Connection.open`.
        timeout: seconds in which a request must be answered.
        frame_timeout: seconds in which the next frame must come; infinite for no limit.

    Raises:
        ConnectionError: there is no server, or it refuses.
        VerbRefused: the server is full, or an argument is invalid.
        TimeoutError: no answer came in time.
    """
    async with Connection(url, token, format, timeout=timeout, frame_timeout=frame_timeout) as connection:
        yield await connection.open(prompt, seed=seed, avatar=avatar)


__all__ = ["Answer", "Connection", "RemoteCharacter", "VerbRefused", "connect", "socket_url"]
