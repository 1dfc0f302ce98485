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
from motiongen.streaming.dancer import Dancer
from motiongen.streaming.streamed import Scheduler
from motiongen.streaming.verbs import Answer, VerbError
from motiongen_bridge.door import Door, ServerConfig
from motiongen_bridge.frames import SUBPROTOCOL, ProtocolError
from motiongen_bridge.hello import hello
from motiongen_bridge.limits import HEAVY, SPARE_FILES, TokenBucket, open_files
from motiongen_bridge.line import Line
from motiongen_bridge.lobby import Lobby, Newcomer
from motiongen_bridge.messages import (
    Close,
    Hear,
    Message,
    Open,
    Ping,
    Resume,
    Say,
    Watch,
    id_of,
    read_message,
)
from motiongen_bridge.metrics import Metrics
from motiongen_bridge.pages import Pages
from motiongen_bridge.sessions import RESUME_SECONDS, Session, Sessions
from motiongen_bridge.stage import Actor, Seat, Stage

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
        self.stage = Stage(scheduler.fps, self.config.speed, limits, self.metrics)
        kept = RESUME_SECONDS / self.config.speed
        self.sessions = Sessions(self.stage, kept, self.metrics.sessions.set)
        self._door = Door(self.config, Pages(self._health, self.metrics.text), self._make_room)
        files = max(8, open_files() - SPARE_FILES)
        handshakes = min(limits.handshakes, files // 4)
        self._lobby = Lobby(handshakes, self.metrics.cut.labels("crowded").inc)
        self._room = min(limits.connections, files - handshakes)
        self._lines: set[Line] = set()
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
        make = partial(Line, lobby=self._lobby, limits=limits, cut=self.metrics.cut.labels("too_fast").inc)
        self._server = await serve(
            self._serve,
            self.config.host,
            self.config.port,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            select_subprotocol=_select_subprotocol,
            process_request=self._process_request,
            create_connection=partial(Newcomer, lobby=self._lobby, make=make),  # type: ignore[arg-type]
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
        self._spawn(self.stage.run())
        self._spawn(self._keep_house())
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
        self._lobby.clear()
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
        return self._door.answer(request)

    def _make_room(self) -> bool:
        """Return whether one more may connect; one that has no character gives way."""
        if len(self._lines) < self._room:
            return True
        idlest = self.sessions.idlest()
        if idlest is None or idlest.line is None:
            return False
        log.info("event=cut peer=%s reason=idle", idlest.line.peer)
        self.metrics.cut.labels("idle").inc()
        self._lines.discard(idlest.line)
        idlest.line.hang_up(1013, "the server is full, and you have no character")
        self.sessions.end(idlest)
        return True

    def _health(self) -> dict[str, object]:
        return {"status": "ok", "version": motiongen.__version__, "characters": len(self.stage.actors)}

    # A connection.

    async def _serve(self, line: ServerConnection) -> None:
        assert isinstance(line, Line)
        self._lobby.leave(line)
        session = self.sessions.begin(line)
        self._lines.add(line)
        self.metrics.connections.set(len(self._lines))
        log.info("event=connected session=%s peer=%s", session.token[:8], line.peer)
        try:
            await line.send(json.dumps(self._hello | {"session": session.token, "time": self.stage.now()}))
            await self._listen(line, session)
        except ConnectionClosed:
            pass
        except Exception:
            log.exception("event=failed session=%s", session.token[:8])
            await line.close(1011, "internal error")
        finally:
            self._lines.discard(line)
            # Who floods and comes again would else leave a server full of characters behind.
            (self.sessions.end if line.is_expelled else self.sessions.lose)(session)
            self.metrics.connections.set(len(self._lines))
            log.info("event=disconnected session=%s code=%s", session.token[:8], line.close_code)

    async def _listen(self, line: Line, session: Session) -> None:
        limits = self.config.limits
        bucket = TokenBucket(limits.messages_per_second, limits.message_burst, time.monotonic())
        hasty_since: float | None = None
        rested_at = 0.0
        async for text in line:
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
                self._obey(line, session, message)
            except ProtocolError as error:
                self._refuse(line, error)
                if error.code == "too_fast":
                    hasty_since = hasty_since or time.monotonic()
                    await asyncio.sleep(REFUSAL_PAUSE)
            if bucket.is_calm:
                hasty_since = None
            elif hasty_since is not None and time.monotonic() - hasty_since > limits.flood_seconds:
                self.metrics.cut.labels("too_fast").inc()
                line.is_expelled = True
                await line.close(1008, "too fast")
                return
            if line.unsent > 2 * limits.unsent_bytes:
                await line.drain()  # its answers are not read: no more of its questions are

    def _obey(self, line: Line, session: Session, message: Message) -> None:
        match message:
            case Ping():
                pong = {"type": "pong", "time": message.time, "server_time": self.stage.now()}
                line.tell(pong | ({} if message.id is None else {"id": message.id}))
            case Open():
                self._open(line, session, message)
            case Watch():
                self._watch(line, session, message)
            case Close():
                self.sessions.leave(session, self._seat(session, message.character, message.id))
                _answer(line, message.id)
            case Resume():
                self._resume(line, session, message)
            case Say():
                self._say(line, session, message)
            case Hear():
                self._hear(session, message)

    def _open(self, line: Line, session: Session, message: Open) -> None:
        self._check_room(session, message.id)
        try:
            character = self.scheduler.open(**message.beginning)
        except VerbError as error:
            raise ProtocolError(error.code, str(error), message.id) from None
        seat = session.take_seat(self.stage.add(character), message.format, is_owner=True)
        _answer(line, message.id, character=seat.number, key=seat.actor.key)
        self.stage.attach(seat, line)

    def _watch(self, line: Line, session: Session, message: Watch) -> None:
        self._check_room(session, message.id)
        actor = self.stage.actors.get(message.key)
        if actor is None:
            raise ProtocolError("unknown_character", "key: expected that of a living character", message.id)
        if len(actor.seats) >= self.config.limits.watchers_per_character:
            raise ProtocolError("full", "watch: this character has too many watchers already", message.id)
        seat = session.take_seat(actor, message.format, is_owner=False)
        _answer(line, message.id, character=seat.number)
        self.stage.attach(seat, line)

    def _hear(self, session: Session, message: Hear) -> None:
        audio = message.audio
        dancer = self._own_seat(session, audio.character, message.id, "audio").actor.character
        assert isinstance(dancer, Dancer), "sound is read only where characters dance"
        try:
            dancer.play(audio.samples, audio.sample_rate, audio.first)
        except VerbError as error:
            raise ProtocolError(error.code, str(error)) from None

    def _say(self, line: Line, session: Session, message: Say) -> None:
        seat = self._own_seat(session, message.character, message.id, message.verb)
        try:
            future = seat.actor.character.say(message.verb, **message.arguments)
        except VerbError as error:
            raise ProtocolError(error.code, str(error), message.id) from None
        if message.verb == "prompt" and not message.arguments.get("at"):  # the others may take their time
            seat.actor.said[seat.actor.character.said] = time.monotonic()
        self._spawn(self._answer_later(line, seat.actor, message, asyncio.wrap_future(future)))

    async def _answer_later(
        self, line: Line, actor: Actor, message: Say, future: "asyncio.Future[Answer]"
    ) -> None:
        try:
            answer = await future
        except VerbError as error:
            self._refuse(line, ProtocolError(error.code, str(error), message.id))
            return
        note = {"note": answer.note} if answer.note else {}
        _answer(line, message.id, number=answer.number, seq=answer.seq, **note)
        self.stage.hurry(actor)

    def _resume(self, line: Line, session: Session, message: Resume) -> None:
        old = self.sessions.take_over(session, message.session, message.id)
        if old.line is not None:  # half open: the client knew before the server did
            old.line.hang_up(1000, "resumed elsewhere")
        wanted = {number: message.last.get(number, -1) for number in session.seats}
        starts = {
            str(number): {"from": seat.actor.first_after(wanted[number])}
            for number, seat in session.seats.items()
        }
        _answer(line, message.id, characters=starts)
        for number, seat in session.seats.items():
            self.stage.catch_up(seat, line, wanted[number])
        log.info("event=resumed session=%s was=%s", session.token[:8], old.token[:8])

    def _check_room(self, session: Session, id: int | None) -> None:
        self.sessions.sweep(session)
        most = self.config.limits.characters_per_connection
        if len(session.seats) >= most:
            raise ProtocolError("full", f"expected at most {most} characters a connection; close one", id)

    def _seat(self, session: Session, number: int, id: int | None) -> Seat:
        seat = session.seats.get(number)
        if seat is None or seat.actor.key not in self.stage.actors:
            raise ProtocolError("unknown_character", f"character: expected one of yours, got {number}", id)
        return seat

    def _own_seat(self, session: Session, number: int, id: int | None, verb: str) -> Seat:
        seat = self._seat(session, number, id)
        if not seat.is_owner:
            raise ProtocolError("read_only", f"{verb}: this character is only watched", id)
        return seat

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            self._lobby.sweep(now)
            for line in [line for line in self._lines if line.is_stalled(now)]:
                log.info("event=cut peer=%s reason=stalled", line.peer)
                self.metrics.cut.labels("stalled").inc()
                line.transport.abort()

    def _refuse(self, line: Line, error: ProtocolError) -> None:
        self.metrics.refused.labels(error.code).inc()
        told = {"type": "error", "code": error.code, "message": str(error)}
        line.tell(told if error.id is None else told | {"id": error.id})

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
    return isinstance(message, Say) and message.verb in HEAVY


def _select_subprotocol(connection: ServerConnection, offered: Any) -> Subprotocol | None:
    """Ours where it is offered; a client that offers none is taken at its word."""
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None


def _answer(line: Line, id: int | None, **content: Any) -> None:
    if id is not None:
        line.tell({"type": "ok", "id": id, **content})
