"""The websocket server: who may connect, what they say to whom, and what comes back (PROTOCOL.md)."""

import asyncio
import hmac
import ipaddress
import json
import logging
import secrets
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server as SocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.typing import Subprotocol

import motiongen
from motiongen.contacts import CONTACT_JOINTS
from motiongen.inference.scheduler import StreamScheduler
from motiongen.inference.verbs import VERBS, Answer, VerbError
from motiongen_bridge.frames import FORMATS, SUBPROTOCOL, ProtocolError
from motiongen_bridge.limits import ServerLimits, TokenBucket
from motiongen_bridge.messages import Close, Message, Open, Ping, Resume, Say, Watch, read_message
from motiongen_bridge.metrics import Metrics
from motiongen_bridge.pages import Pages, respond
from motiongen_bridge.stage import Actor, Seat, Stage

log = logging.getLogger(__name__)

RESUME_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """Where a server listens, and to whom.

    Attributes:
        host: address to bind; anything but this machine needs a token.
        port: TCP port; 0 for any that is free.
        token: secret that clients must know; none when empty.
        origins: web origins that may connect, beside the server's own page.
        speed: times real time, for tests.
    """

    host: str = "127.0.0.1"
    port: int = 8787
    token: str = ""
    origins: tuple[str, ...] = ()
    speed: float = 1.0
    limits: ServerLimits = field(default_factory=ServerLimits)

    def __post_init__(self) -> None:
        if not 0 <= self.port < 65536:
            raise ValueError(f"port: expected 0..65535, got {self.port}")
        if not self.token and not _is_loopback(self.host):
            raise ValueError(
                f"token: expected one, because {self.host} can be reached from other machines; pass --token"
            )
        if self.token and len(self.token) < 8:
            raise ValueError(f"token: expected 8 characters or more, got {len(self.token)}")


class Line:
    """A connection as the stage sees it: frames are written to its transport at once, and never waited for."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    @property
    def unsent(self) -> int:
        """Bytes that wait to be sent."""
        return int(self.connection.transport.get_write_buffer_size())

    def write(self, data: bytes | str) -> None:
        """Send a message without waiting; a connection that is closing misses it."""
        if self.connection.state is State.OPEN:
            is_text = isinstance(data, str)
            body = data.encode() if isinstance(data, str) else data
            self.connection.transport.write(_frame_header(len(body), is_text) + body)


@dataclass(eq=False)
class Session:
    """What a connection owns and watches; outlives it for a while.

    Attributes:
        token: what a later connection resumes with.
        seats: its characters, by number.
        line: its connection; none while it is lost.
    """

    line: Line | None
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    seats: dict[int, Seat] = field(default_factory=dict)
    count: int = 0
    expiry: asyncio.TimerHandle | None = None


class Server:
    """Streams a scheduler's characters: `async with Server(scheduler) as server: await server.wait_closed()`."""

    def __init__(self, scheduler: StreamScheduler, config: ServerConfig | None = None) -> None:
        self.scheduler, self.config = scheduler, config or ServerConfig()
        self.metrics = Metrics()
        scheduler.subscribe(self.metrics.ticked)
        self.stage = Stage(scheduler.fps, self.config.speed, self.config.limits, self.metrics)
        self._pages = Pages(self._health, self.metrics.text)
        self._sessions: dict[str, Session] = {}
        self._lines: set[ServerConnection] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
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
        self._server = await serve(
            self._serve,
            self.config.host,
            self.config.port,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            select_subprotocol=_select_subprotocol,
            process_request=self._process_request,
            compression=None,
            max_size=4 * limits.message_bytes,
            max_queue=16,
            open_timeout=10,
            ping_interval=20,
            ping_timeout=20,
            close_timeout=2,
            server_header="motiongen",
        )
        self._spawn(self.stage.run())
        self._spawn(self._hang_up_stalled())
        self.scheduler.start()
        log.info("event=listening url=%s", self.url)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up (1001) and stop; characters are gone."""
        assert self._server is not None
        self._server.close(close_connections=True)
        await self._server.wait_closed()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for session in list(self._sessions.values()):
            self._end(session)
        await asyncio.to_thread(self.scheduler.stop)
        log.info("event=stopped")

    async def wait_closed(self) -> None:
        """Wait until `close`."""
        assert self._server is not None
        await self._server.wait_closed()

    # HTTP and the handshake.

    def _process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer plain requests, and refuse sockets that may not be opened; None lets the handshake go on."""
        path = urlsplit(request.path).path
        host = request.headers.get("Host", "")
        if not self.config.token and not _is_loopback(_host_name(host)):
            # A page elsewhere whose name was pointed here would have its own origin as Host.
            return respond(HTTPStatus.FORBIDDEN, b"Use the address that motiongen serve printed.\n")
        if path != "/ws":
            if path == "/metrics" and not self._knows_token(request):
                return respond(HTTPStatus.UNAUTHORIZED, b"A token is needed.\n")
            return self._pages.answer(request.path)
        if not self._may_come_from(request.headers.get_all("Origin"), host):
            return respond(HTTPStatus.FORBIDDEN, b"This origin may not connect; see --allow-origin.\n")
        if not self._knows_token(request):
            return respond(HTTPStatus.UNAUTHORIZED, b"A token is needed: ?token= or Authorization: Bearer.\n")
        if len(self._lines) >= self.config.limits.connections:
            return respond(HTTPStatus.SERVICE_UNAVAILABLE, b"Too many connections; try again later.\n")
        return None

    def _knows_token(self, request: Request) -> bool:
        if not self.config.token:
            return True
        given = parse_qs(urlsplit(request.path).query).get("token", [""])[0]
        bearer = request.headers.get_all("Authorization")
        if bearer and bearer[0].startswith("Bearer "):
            given = bearer[0].removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), self.config.token.encode())

    def _may_come_from(self, origins: Iterable[str], host: str) -> bool:
        """Pages of this server and of allowed origins may connect; what is no page has no origin."""
        return all(origin in self.config.origins or urlsplit(origin).netloc == host for origin in origins)

    def _health(self) -> dict[str, object]:
        return {"status": "ok", "version": motiongen.__version__, "characters": len(self.stage.actors)}

    # A connection.

    async def _serve(self, connection: ServerConnection) -> None:
        line = Line(connection)
        session = Session(line)
        self._sessions[session.token] = session
        self._lines.add(connection)
        self._count()
        log.info("event=connected session=%s peer=%s", session.token[:8], connection.remote_address)
        try:
            await connection.send(json.dumps(self._hello(session)))
            await self._listen(connection, session)
        except ConnectionClosed:
            pass
        except Exception:
            log.exception("event=failed session=%s", session.token[:8])
            await connection.close(1011, "internal error")
        finally:
            self._lines.discard(connection)
            self._lose(session, line)
            self._count()
            log.info("event=disconnected session=%s code=%s", session.token[:8], connection.close_code)

    async def _listen(self, connection: ServerConnection, session: Session) -> None:
        limits = self.config.limits
        bucket = TokenBucket(limits.messages_per_second, limits.message_burst, time.monotonic())
        hasty_since: float | None = None
        async for text in connection:
            now = time.monotonic()
            if not bucket.take(now):
                hasty_since = hasty_since or now
                if now - hasty_since > limits.flood_seconds:
                    await connection.close(1008, "too fast")
                    return
                self._refuse(connection, ProtocolError("too_fast", "expected fewer messages; slow down"))
                await asyncio.sleep(0.02)  # reading slower than it floods lets its own socket fill
                continue
            hasty_since = None
            try:
                message = read_message(text, limits.message_bytes, limits.text_length)
                self._obey(connection, session, message)
            except ProtocolError as error:
                self._refuse(connection, error)
            if connection.transport.get_write_buffer_size() > 2 * limits.unsent_bytes:
                await connection.drain()  # its answers are not read: no more of its questions are

    def _obey(self, connection: ServerConnection, session: Session, message: Message) -> None:
        match message:
            case Ping():
                pong = {"type": "pong", "time": message.time, "server_time": self.stage.now()}
                _write(connection, pong | ({} if message.id is None else {"id": message.id}))
            case Open():
                self._open(connection, session, message)
            case Watch():
                self._watch(connection, session, message)
            case Close():
                seat = self._seat(session, message.character, message.id)
                self._leave(session, seat)
                _answer(connection, message.id)
            case Resume():
                self._resume(connection, session, message)
            case Say():
                self._say(connection, session, message)

    def _open(self, connection: ServerConnection, session: Session, message: Open) -> None:
        self._check_room(session, message.id)
        try:
            character = self.scheduler.open(
                prompt=message.prompt, seed=message.seed, strength=message.strength
            )
        except VerbError as error:
            raise ProtocolError(error.code, str(error), message.id) from None
        seat = self._take_seat(session, self.stage.add(character), message.format, is_owner=True)
        _answer(connection, message.id, character=seat.number, key=seat.actor.key)
        assert session.line is not None
        self.stage.attach(seat, session.line)

    def _watch(self, connection: ServerConnection, session: Session, message: Watch) -> None:
        self._check_room(session, message.id)
        actor = self.stage.actors.get(message.key)
        if actor is None:
            raise ProtocolError("unknown_character", "key: expected that of a living character", message.id)
        if len(actor.seats) >= self.config.limits.watchers_per_character:
            raise ProtocolError("full", "watch: this character has too many watchers already", message.id)
        seat = self._take_seat(session, actor, message.format, is_owner=False)
        _answer(connection, message.id, character=seat.number)
        assert session.line is not None
        self.stage.attach(seat, session.line)

    def _say(self, connection: ServerConnection, session: Session, message: Say) -> None:
        seat = self._seat(session, message.character, message.id)
        if not seat.is_owner:
            raise ProtocolError("read_only", f"{message.verb}: this character is only watched", message.id)
        try:
            future = seat.actor.character.say(message.verb, **message.arguments)
        except VerbError as error:
            raise ProtocolError(error.code, str(error), message.id) from None
        seat.actor.said[seat.actor.character.said] = time.monotonic()
        self._spawn(self._answer_later(connection, seat.actor, message, asyncio.wrap_future(future)))

    async def _answer_later(
        self, connection: ServerConnection, actor: Actor, message: Say, future: "asyncio.Future[Answer]"
    ) -> None:
        try:
            answer = await future
        except VerbError as error:
            self._refuse(connection, ProtocolError(error.code, str(error), message.id))
            return
        note = {"note": answer.note} if answer.note else {}
        _answer(connection, message.id, number=answer.number, seq=answer.seq, **note)
        self.stage.hurry(actor)

    def _resume(self, connection: ServerConnection, session: Session, message: Resume) -> None:
        old = self._sessions.get(message.session)
        if old is None or old is session:
            raise ProtocolError("gone", "session: it is over; open your characters anew", message.id)
        if session.seats:
            raise ProtocolError("not_now", "resume: say it before anything else", message.id)
        if old.line is not None:  # half open: the client knew before the server did
            self._spawn(old.line.connection.close(1000, "resumed elsewhere"))
        del self._sessions[old.token]
        if old.expiry is not None:
            old.expiry.cancel()
        session.seats, session.count, old.seats = old.seats, old.count, {}
        assert session.line is not None
        wanted = {number: message.last.get(number, -1) for number in session.seats}
        starts = {
            str(number): {"from": _first_missed(seat, wanted[number])}
            for number, seat in session.seats.items()
        }
        _answer(connection, message.id, characters=starts)
        for number, seat in session.seats.items():
            seat.line = session.line
            self.stage.replay(seat, wanted[number])
            self.stage.attach(seat, session.line)
        self._count()
        log.info("event=resumed session=%s was=%s", session.token[:8], old.token[:8])

    def _check_room(self, session: Session, id: int | None) -> None:
        most = self.config.limits.characters_per_connection
        if len(session.seats) >= most:
            raise ProtocolError("full", f"expected at most {most} characters a connection; close one", id)

    def _take_seat(self, session: Session, actor: Actor, format: Any, *, is_owner: bool) -> Seat:
        session.count = session.count % 65535 + 1
        while session.count in session.seats:
            session.count = session.count % 65535 + 1
        seat = Seat(session.count, actor, format, is_owner)
        session.seats[seat.number] = seat
        return seat

    def _seat(self, session: Session, number: int, id: int | None) -> Seat:
        seat = session.seats.get(number)
        if seat is None or seat.actor.key not in self.stage.actors:
            raise ProtocolError("unknown_character", f"character: expected one of yours, got {number}", id)
        return seat

    def _leave(self, session: Session, seat: Seat) -> None:
        session.seats.pop(seat.number, None)
        if seat in seat.actor.seats:
            seat.actor.seats.remove(seat)
        if seat.is_owner:
            self.stage.remove(seat.actor)

    def _lose(self, session: Session, line: Line) -> None:
        """Keep what a lost connection owned for a while, in case it comes back."""
        session.line = None
        for seat in session.seats.values():
            seat.line = None if seat.line is line else seat.line
        if session.token in self._sessions:
            if session.seats:
                loop = asyncio.get_running_loop()
                session.expiry = loop.call_later(RESUME_SECONDS / self.config.speed, self._end, session)
            else:
                self._end(session)

    def _end(self, session: Session) -> None:
        self._sessions.pop(session.token, None)
        for seat in list(session.seats.values()):
            self._leave(session, seat)
        self._count()

    async def _hang_up_stalled(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            for seat in list(self.stage.stalled(time.monotonic())):
                if isinstance(seat.line, Line):
                    log.info("event=stalled peer=%s", seat.line.connection.remote_address)
                    seat.line.connection.transport.abort()

    def _refuse(self, connection: ServerConnection, error: ProtocolError) -> None:
        self.metrics.refused.labels(error.code).inc()
        told = {"type": "error", "code": error.code, "message": str(error)}
        _write(connection, told if error.id is None else told | {"id": error.id})

    def _hello(self, session: Session) -> dict[str, Any]:
        skeleton, about = self.scheduler.skeleton, self.scheduler.about
        return {
            "type": "hello",
            "version": 1,
            "server": f"motiongen {motiongen.__version__}",
            "session": session.token,
            "fps": self.scheduler.fps,
            "time": self.stage.now(),
            "skeleton": {
                "names": list(skeleton.names),
                "parents": list(skeleton.parents),
                "offsets": [[round(float(x), 6) for x in row] for row in skeleton.offsets],
                "root": skeleton.names[0],
            },
            "contacts": list(CONTACT_JOINTS),
            "units": {
                "length": "metre",
                "angle": "radian",
                "time": "microsecond",
                "axes": "+Y up, +Z forward",
            },
            "verbs": list(VERBS),
            "formats": list(FORMATS),
            "limits": asdict(self.config.limits),
            "resume_seconds": RESUME_SECONDS,
            "weights": {"name": about.get("name", ""), "licence": about.get("licence", "")},
        }

    def _count(self) -> None:
        self.metrics.connections.set(len(self._lines))
        self.metrics.sessions.set(len(self._sessions))

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _first_missed(seat: Seat, last: int) -> int:
    recent = seat.actor.character.recent
    oldest = recent[0].seq if len(recent) else seat.actor.character.taken
    return max(last + 1, oldest)


def _select_subprotocol(connection: ServerConnection, offered: Any) -> Subprotocol | None:
    """Ours where it is offered; a client that offers none is taken at its word."""
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None


def _answer(connection: ServerConnection, id: int | None, **content: Any) -> None:
    if id is not None:
        _write(connection, {"type": "ok", "id": id, **content})


def _write(connection: ServerConnection, message: dict[str, Any]) -> None:
    Line(connection).write(json.dumps(message))


def _frame_header(length: int, is_text: bool) -> bytes:
    """Return the head of an unmasked, unfragmented websocket frame (RFC 6455, section 5.2)."""
    first = b"\x81" if is_text else b"\x82"
    if length < 126:
        return first + bytes([length])
    if length < 65536:
        return first + b"\x7e" + length.to_bytes(2, "big")
    return first + b"\x7f" + length.to_bytes(8, "big")


def _host_name(host: str) -> str:
    """Return the name in a Host header, without its port."""
    return urlsplit(f"//{host}").hostname or ""


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
