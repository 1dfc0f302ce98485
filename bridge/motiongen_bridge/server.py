"""The websocket server: a connection's life, what it says to whom, and what comes back (PROTOCOL.md)."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any, Self

from websockets.asyncio.server import Server as SocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

import motiongen
from motiongen.streaming.scheduler_protocol import Scheduler
from motiongen.streaming.dance_character import DanceCharacter
from motiongen.streaming.verbs import Answer, VerbError
from motiongen_bridge.client_connection import ClientConnection
from motiongen_bridge.frame_broadcaster import FrameBroadcaster, LiveCharacter, Subscription
from motiongen_bridge.frames import SUBPROTOCOL, ProtocolError
from motiongen_bridge.handshake_policy import HandshakePolicy, ServerConfig
from motiongen_bridge.hello import hello
from motiongen_bridge.limits import HEAVY, SPARE_FILES, TokenBucket, open_files
from motiongen_bridge.messages import (
    AudioMessage,
    Close,
    Message,
    Open,
    Ping,
    Resume,
    VerbMessage,
    Watch,
    id_of,
    read_message,
)
from motiongen_bridge.metrics import Metrics
from motiongen_bridge.pages import Pages
from motiongen_bridge.pending_connections import DeferredConnection, PendingConnections
from motiongen_bridge.sessions import RESUME_SECONDS, Session, Sessions

__all__ = ["Server", "ServerConfig"]

log = logging.getLogger(__name__)

ACCEPTED_AT_ONCE = 8
"""Connections that are taken in before the frames that are due meanwhile are sent."""
WAITING_TO_BE_ACCEPTED = 1024
REFUSAL_PAUSE = 0.02
"""Seconds for which a client that is too fast is not read, so that its own socket fills."""
HEAVY_PAUSE = 0.1
"""Seconds between two messages of one client that cost the model time."""


class Server:
    """Streams a scheduler's characters: `async with Server(scheduler) as server: await server.wait_closed()`."""

    def __init__(self, scheduler: Scheduler, config: ServerConfig | None = None) -> None:
        self.scheduler, self.config = scheduler, config or ServerConfig()
        limits, self.metrics = self.config.limits, Metrics()
        scheduler.subscribe(self.metrics.ticked)
        self.broadcaster = FrameBroadcaster(scheduler.fps, self.config.speed, limits, self.metrics)
        kept = RESUME_SECONDS / self.config.speed
        self.sessions = Sessions(self.broadcaster, kept, self.metrics.sessions.set)
        self._handshake_policy = HandshakePolicy(
            self.config, Pages(self._health, self.metrics.text), self._make_room
        )
        files = max(8, open_files() - SPARE_FILES)
        handshakes = min(limits.handshakes, files // 4)
        self._pending_connections = PendingConnections(handshakes, self.metrics.cut.labels("crowded").inc)
        self._room = min(limits.connections, files - handshakes)
        self._connections: set[ClientConnection] = set()
        self._hello: dict[str, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: SocketServer | None = None

    @property
    def port(self) -> int:
        """The port that is listened on."""
        assert self._server is not None, "start it first"
        return int(next(iter(self._server.sockets)).getsockname()[1])

    @property
    def url(self) -> str:
        """Address of the page."""
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        return f"http://{host}:{self.port}/"

    async def __aenter__(self) -> Self:
        limits = self.config.limits
        make = partial(
            ClientConnection,
            pending=self._pending_connections,
            limits=limits,
            cut=self.metrics.cut.labels("too_fast").inc,
        )
        self._server = await serve(
            self._serve,
            self.config.host,
            self.config.port,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            select_subprotocol=_select_subprotocol,
            process_request=self._process_request,
            create_connection=partial(DeferredConnection, pending=self._pending_connections, make=make),  # type: ignore[arg-type]
            compression=None,
            max_size=4 * limits.message_bytes,
            max_queue=16,
            open_timeout=10,
            ping_interval=20,
            ping_timeout=20,
            close_timeout=2,
            server_header="motiongen",
            backlog=ACCEPTED_AT_ONCE,  # of asyncio's, which takes in so many before it looks at anything else
        )
        for listening in self._server.sockets:
            with listening.dup() as same:
                same.listen(WAITING_TO_BE_ACCEPTED)
        self._spawn(self.broadcaster.run())
        self._spawn(self._run_housekeeping())
        self.scheduler.start()
        self._hello = hello(self.scheduler, limits)  # how long dancers take is known from here on
        log.info("event=listening url=%s connections=%d", self.url, self._room)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up (1001) and stop; characters are gone."""
        assert self._server is not None
        self._server.close(close_connections=True)
        self._pending_connections.clear()
        await self._server.wait_closed()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.sessions.end_all()
        await asyncio.to_thread(self.scheduler.stop)
        log.info("event=stopped")

    async def wait_closed(self) -> None:
        """Wait until `close`."""
        assert self._server is not None
        await self._server.wait_closed()

    # The handshake.

    def _process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        return self._handshake_policy.answer(request)

    def _make_room(self) -> bool:
        """Return whether one more may connect; one that has no character gives way."""
        if len(self._connections) < self._room:
            return True
        idlest = self.sessions.idlest()
        if idlest is None or idlest.connection is None:
            return False
        log.info("event=cut peer=%s reason=idle", idlest.connection.peer)
        self.metrics.cut.labels("idle").inc()
        self._connections.discard(idlest.connection)
        idlest.connection.close_soon(1013, "the server is full, and you have no character")
        self.sessions.end(idlest)
        return True

    def _health(self) -> dict[str, object]:
        return {
            "status": "ok",
            "version": motiongen.__version__,
            "characters": len(self.broadcaster.characters),
        }

    # A connection.

    async def _serve(self, connection: ServerConnection) -> None:
        assert isinstance(connection, ClientConnection)
        self._pending_connections.leave(connection)
        session = self.sessions.begin(connection)
        self._connections.add(connection)
        self.metrics.connections.set(len(self._connections))
        log.info("event=connected session=%s peer=%s", session.token[:8], connection.peer)
        try:
            await connection.send(
                json.dumps(self._hello | {"session": session.token, "time": self.broadcaster.now()})
            )
            await self._listen(connection, session)
        except ConnectionClosed:
            pass
        except Exception:
            log.exception("event=failed session=%s", session.token[:8])
            await connection.close(1011, "internal error")
        finally:
            self._connections.discard(connection)
            # Who floods and comes again would else leave a server full of characters behind.
            (self.sessions.end if connection.is_expelled else self.sessions.lose)(session)
            self.metrics.connections.set(len(self._connections))
            log.info("event=disconnected session=%s code=%s", session.token[:8], connection.close_code)

    async def _listen(self, connection: ClientConnection, session: Session) -> None:
        limits = self.config.limits
        bucket = TokenBucket(limits.messages_per_second, limits.message_burst, time.monotonic())
        hasty_since: float | None = None
        rested_at = 0.0
        async for text in connection:
            if not self.sessions.is_living(session):
                return  # resumed elsewhere, or given up: what was said on is nobody's
            try:
                if not bucket.take(time.monotonic()):
                    refused = id_of(text, limits.message_bytes)
                    raise ProtocolError("too_fast", "expected fewer messages; slow down", refused)
                message = read_message(text, limits.message_bytes, limits.text_length, self.scheduler.verbs)
                if _is_heavy(message):
                    if not bucket.take(time.monotonic(), limits.model_messages - 1):
                        reason = f"expected fewer; one counts as {limits.model_messages} messages; slow down"
                        raise ProtocolError("too_fast", reason, message.id)
                    await asyncio.sleep(rested_at - time.monotonic())
                    rested_at = time.monotonic() + HEAVY_PAUSE
                self._obey(connection, session, message)
            except ProtocolError as error:
                self._refuse(connection, error)
                if error.code == "too_fast":
                    hasty_since = hasty_since or time.monotonic()
                    await asyncio.sleep(REFUSAL_PAUSE)
            if bucket.is_calm:
                hasty_since = None
            elif hasty_since is not None and time.monotonic() - hasty_since > limits.flood_seconds:
                self.metrics.cut.labels("too_fast").inc()
                connection.is_expelled = True
                await connection.close(1008, "too fast")
                return
            if connection.unsent > 2 * limits.unsent_bytes:
                await connection.drain()  # its answers are not read: no more of its questions are

    def _obey(self, connection: ClientConnection, session: Session, message: Message) -> None:
        match message:
            case Ping():
                pong = {"type": "pong", "time": message.time, "server_time": self.broadcaster.now()}
                connection.tell(pong | ({} if message.id is None else {"id": message.id}))
            case Open():
                self._open(connection, session, message)
            case Watch():
                self._watch(connection, session, message)
            case Close():
                self.sessions.leave(session, self._subscription(session, message.character, message.id))
                _answer(connection, message.id)
            case Resume():
                self._resume(connection, session, message)
            case VerbMessage():
                self._say(connection, session, message)
            case AudioMessage():
                self._hear(session, message)

    def _open(self, connection: ClientConnection, session: Session, message: Open) -> None:
        self._check_room(session, message.id)
        try:
            character = self.scheduler.open(**message.open_arguments)
        except VerbError as error:
            raise ProtocolError(error.code, str(error), message.id) from None
        subscription = session.subscribe(self.broadcaster.add(character), message.format, is_owner=True)
        _answer(connection, message.id, character=subscription.number, key=subscription.live.key)
        self.broadcaster.attach(subscription, connection)

    def _watch(self, connection: ClientConnection, session: Session, message: Watch) -> None:
        self._check_room(session, message.id)
        live = self.broadcaster.characters.get(message.key)
        if live is None:
            raise ProtocolError("unknown_character", "key: expected that of a living character", message.id)
        if len(live.subscriptions) >= self.config.limits.watchers_per_character:
            raise ProtocolError("full", "watch: this character has too many watchers already", message.id)
        subscription = session.subscribe(live, message.format, is_owner=False)
        _answer(connection, message.id, character=subscription.number)
        self.broadcaster.attach(subscription, connection)

    def _hear(self, session: Session, message: AudioMessage) -> None:
        audio = message.audio
        dancer = self._own_subscription(session, audio.character, message.id, "audio").live.character
        assert isinstance(dancer, DanceCharacter), "sound is read only where characters dance"
        try:
            dancer.play(audio.samples, audio.sample_rate, audio.first)
        except VerbError as error:
            raise ProtocolError(error.code, str(error)) from None

    def _say(self, connection: ClientConnection, session: Session, message: VerbMessage) -> None:
        subscription = self._own_subscription(session, message.character, message.id, message.verb)
        try:
            future = subscription.live.character.submit(message.verb, **message.arguments)
        except VerbError as error:
            raise ProtocolError(error.code, str(error), message.id) from None
        if message.verb == "prompt" and not message.arguments.get("at"):  # the others may take their time
            subscription.live.said[subscription.live.character.submitted] = time.monotonic()
        self._spawn(self._answer_later(connection, subscription.live, message, asyncio.wrap_future(future)))

    async def _answer_later(
        self,
        connection: ClientConnection,
        live: LiveCharacter,
        message: VerbMessage,
        future: "asyncio.Future[Answer]",
    ) -> None:
        try:
            answer = await future
        except VerbError as error:
            self._refuse(connection, ProtocolError(error.code, str(error), message.id))
            return
        note = {"note": answer.note} if answer.note else {}
        _answer(connection, message.id, number=answer.number, seq=answer.seq, **note)
        self.broadcaster.hurry(live)

    def _resume(self, connection: ClientConnection, session: Session, message: Resume) -> None:
        old = self.sessions.take_over(session, message.session, message.id)
        if old.connection is not None:  # half open: the client knew before the server did
            old.connection.close_soon(1000, "resumed elsewhere")
        wanted = {number: message.last.get(number, -1) for number in session.subscriptions}
        starts = {
            str(number): {"from": subscription.live.first_after(wanted[number])}
            for number, subscription in session.subscriptions.items()
        }
        _answer(connection, message.id, characters=starts)
        for number, subscription in session.subscriptions.items():
            self.broadcaster.catch_up(subscription, connection, wanted[number])
        log.info("event=resumed session=%s was=%s", session.token[:8], old.token[:8])

    def _check_room(self, session: Session, id: int | None) -> None:
        self.sessions.sweep(session)
        most = self.config.limits.characters_per_connection
        if len(session.subscriptions) >= most:
            raise ProtocolError("full", f"expected at most {most} characters a connection; close one", id)

    def _subscription(self, session: Session, number: int, id: int | None) -> Subscription:
        subscription = session.subscriptions.get(number)
        if subscription is None or subscription.live.key not in self.broadcaster.characters:
            raise ProtocolError("unknown_character", f"character: expected one of yours, got {number}", id)
        return subscription

    def _own_subscription(self, session: Session, number: int, id: int | None, verb: str) -> Subscription:
        subscription = self._subscription(session, number, id)
        if not subscription.is_owner:
            raise ProtocolError("read_only", f"{verb}: this character is only watched", id)
        return subscription

    async def _run_housekeeping(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            self._pending_connections.sweep(now)
            for connection in [connection for connection in self._connections if connection.is_stalled(now)]:
                log.info("event=cut peer=%s reason=stalled", connection.peer)
                self.metrics.cut.labels("stalled").inc()
                connection.transport.abort()

    def _refuse(self, connection: ClientConnection, error: ProtocolError) -> None:
        self.metrics.refused.labels(error.code).inc()
        told = {"type": "error", "code": error.code, "message": str(error)}
        connection.tell(told if error.id is None else told | {"id": error.id})

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end_task)

    def _end_task(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        with contextlib.suppress(asyncio.CancelledError):
            if (error := task.exception()) is not None:
                log.error("event=failed at=%s", task.get_coro(), exc_info=error)


def _is_heavy(message: Message) -> bool:
    """Whether it costs the model time."""
    if isinstance(message, Open):
        return message.prompt != ""
    return isinstance(message, VerbMessage) and message.verb in HEAVY


def _select_subprotocol(connection: ServerConnection, offered: Any) -> Subprotocol | None:
    """Ours where it is offered; a client that offers none is taken at its word."""
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None


def _answer(connection: ClientConnection, id: int | None, **content: Any) -> None:
    if id is not None:
        connection.tell({"type": "ok", "id": id, **content})
