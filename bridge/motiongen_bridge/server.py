"""The websocket server: its start and end, and the life of each connection (PROTOCOL.md)."""

import asyncio
import json
import logging
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from http import HTTPStatus
from typing import Any, Self

from websockets.asyncio.server import Server as SocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from motiongen.retargeting import Character
from motiongen.streaming.scheduler_protocol import Scheduler
from motiongen_bridge.avatars import Avatar
from motiongen_bridge.background_tasks import BackgroundTasks
from motiongen_bridge.board import WorkerRow, WorkerStatus
from motiongen_bridge.client_connection import ClientConnection
from motiongen_bridge.downloads import Downloads
from motiongen_bridge.frame_broadcaster import FrameBroadcaster
from motiongen_bridge.frames import SUBPROTOCOL, ProtocolError
from motiongen_bridge.handover import Handover
from motiongen_bridge.handshake_policy import HandshakePolicy
from motiongen_bridge.health import health_of
from motiongen_bridge.hello import hello_message
from motiongen_bridge.http_method import HTTPMethod
from motiongen_bridge.limits import SPARE_FILES, TokenBucket, open_files
from motiongen_bridge.listening import bind_sockets, in_url, port_of
from motiongen_bridge.message_handler import MessageHandler, is_heavy
from motiongen_bridge.messages import Message, Open, id_of, read_message
from motiongen_bridge.metrics import Metrics
from motiongen_bridge.moved_connection import MovedConnection
from motiongen_bridge.pages import Pages
from motiongen_bridge.parcels import Parcel
from motiongen_bridge.peers import Peers
from motiongen_bridge.pending_connections import DeferredConnection, PendingConnections
from motiongen_bridge.places import Place, wanted_place
from motiongen_bridge.senders import FrameSender
from motiongen_bridge.server_config import ServerConfig
from motiongen_bridge.sessions import RESUME_SECONDS, ClientSession, SessionStore

__all__ = ["Server", "ServerConfig"]

log = logging.getLogger(__name__)

ASYNCIO_BACKLOG = 8
"""Connections that asyncio accepts at once, before frames that are due meanwhile are sent."""
KERNEL_BACKLOG = 1024
"""Connections that wait in the kernel to be accepted."""
REFUSAL_SECONDS = 0.02
"""Time for which a client that is too fast is not read, so that its own socket fills."""
TIMES: dict[str, Any] = {"max_queue": 16, "ping_interval": 20, "ping_timeout": 20, "close_timeout": 2}
"""Options of websockets for all connections."""
HEAVY_SECONDS = 0.1
"""Time between two messages of one client that cost the model time."""


class Server:
    """Streams a scheduler's characters: `async with Server(scheduler) as server: await server.wait_closed()`.

    Attributes:
        scheduler: generates the frames.
        config: address, token and limits.
        metrics: its metrics.
        broadcaster: paces the characters, and sends their frames.
        sessions: the clients' characters.
        avatars: name -> avatar.
        place: where its characters live, which their keys tell.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        config: ServerConfig | None = None,
        senders: Sequence[FrameSender] = (),
        sockets: Sequence[socket.socket] = (),
        avatars: Mapping[str, Character] | None = None,
        peers: Peers | None = None,
    ) -> None:
        """Make a server that does not listen yet.

        Args:
            scheduler: not started; the server starts and stops it.
            config: address, token and limits; the defaults when left out.
            senders: receive the frames of the first characters that come; the server closes them.
            sockets: those of `bind_sockets`, where they were bound before the model was loaded; the server closes them.
            avatars: name -> character that frames are put on for the clients that ask for it.
            peers: the other processes that serve the same port; None where there are none.
        """
        self.scheduler, self.config = scheduler, config or ServerConfig()
        limits, self.metrics = self.config.limits, Metrics()
        scheduler.subscribe(self.metrics.record_tick)
        self._peers = peers
        self.place = Place(self.config.place) if peers is None else peers.place
        self.broadcaster = FrameBroadcaster(
            scheduler.fps, self.config.speed, limits, self.metrics, senders, self.place
        )
        if peers is not None:
            self.broadcaster.began = peers.began
        self.avatars = {
            name: Avatar(name, character, scheduler.skeleton, scheduler.fps)
            for name, character in (avatars or {}).items()
        }
        kept_seconds = RESUME_SECONDS / self.config.speed
        forget = (lambda _: None) if peers is None else peers.forget
        self.sessions = SessionStore(self.broadcaster, kept_seconds, self.metrics.sessions.set, forget)
        self._tasks = BackgroundTasks()
        self._handler = MessageHandler(
            scheduler,
            self.broadcaster,
            self.sessions,
            limits,
            self.metrics,
            self._tasks,
            self.avatars,
            (lambda: 0) if peers is None else peers.characters_elsewhere,
        )
        self._handover = (
            None
            if peers is None
            else Handover(peers, self.sessions, self.broadcaster, self._tasks, self._make_moved)
        )
        self._policy = HandshakePolicy(
            self.config,
            Pages(self._health, self.metrics.text),
            Downloads(self.broadcaster.characters, str(scheduler.about.get("licence", "")), self.avatars),
            self.metrics.wrong_tokens.inc,
        )
        files = max(8, open_files() - SPARE_FILES)
        handshakes = min(limits.handshakes, files // 4)
        self._pending_connections = PendingConnections(handshakes, self.metrics.cut.labels("crowded").inc)
        self._connection_options: dict[str, Any] = {
            "pending": self._pending_connections,
            "limits": limits,
            "on_flood": self.metrics.cut.labels("too_fast").inc,
            "is_movable": peers is not None,
        }
        self._max_size = 4 * limits.message_bytes
        self._max_connections = min(limits.connections, files - handshakes)
        self._connections: set[ClientConnection] = set()
        self._is_draining = False
        self._hello: dict[str, Any] = {}
        self._sockets = list(sockets)
        self._servers: list[SocketServer] = []
        self._cleanup = AsyncExitStack()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return port_of(self._sockets)

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{in_url(self.config.host, self.port)}/"

    async def __aenter__(self) -> Self:
        # Listening comes last, so that a client that connects is served at once; a failure on the way undoes the rest.
        async with AsyncExitStack() as stack:
            stack.callback(self.broadcaster.senders.close)
            self._sockets = self._sockets or bind_sockets(self.config.host, self.config.port)
            stack.callback(self._close_sockets)
            await self._start_scheduler(stack)
            stack.callback(self.sessions.end_all)
            stack.push_async_callback(self._tasks.cancel)
            self._tasks.spawn(self.broadcaster.run())
            self._tasks.spawn(self._run_housekeeping())
            self._hello = hello_message(self.scheduler, self.config.limits, self.avatars)
            for one in self._sockets:
                await self._listen(stack, one)
            self._report()
            if self._peers is not None and self._handover is not None:
                self._handover.open_door()
                stack.callback(self._peers.close)
            self._cleanup = stack.pop_all()
        log.info("event=listening url=%s connections=%d", self.url, self._max_connections)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections (1001) and stop; all characters are gone."""
        await self._cleanup.aclose()
        log.info("event=stopped")

    def drain(self) -> None:
        """Take only clients that come back from now on, and tell /healthz so; who is here stays."""
        self._is_draining = True
        log.warning("event=draining characters=%d", len(self.broadcaster.characters))
        self._report()

    async def wait_closed(self) -> None:
        """Wait until `close`."""
        assert self._servers, "start it first"
        for server in self._servers:
            await server.wait_closed()

    # Start and end.

    async def _start_scheduler(self, stack: AsyncExitStack) -> None:
        """Start the scheduler in a thread: it compiles and measures for seconds, in which the loop must go on."""
        stack.push_async_callback(asyncio.to_thread, self.scheduler.stop)
        start = asyncio.ensure_future(asyncio.to_thread(self.scheduler.start))
        try:
            await asyncio.shield(start)
        except asyncio.CancelledError:
            await asyncio.wait(
                [start]
            )  # a thread cannot be cancelled, and a start must not come after the stop
            raise

    def _close_sockets(self) -> None:
        for one in self._sockets:
            one.close()

    async def _listen(self, stack: AsyncExitStack, bound: socket.socket) -> None:
        create = partial(
            DeferredConnection,
            pending=self._pending_connections,
            make_connection=partial(ClientConnection, **self._connection_options),
            hand_over=None if self._handover is None else self._handover.place,
        )
        server = await serve(
            self._serve,
            sock=bound,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            select_subprotocol=_select_subprotocol,
            process_request=self._process_request,
            create_connection=create,  # type: ignore[arg-type]
            compression=None,
            max_size=self._max_size,
            open_timeout=10,
            **TIMES,
            server_header="motiongen",
            backlog=ASYNCIO_BACKLOG,
        )
        stack.push_async_callback(self._stop_listening, server)
        self._servers.append(server)
        bound.listen(KERNEL_BACKLOG)

    async def _stop_listening(self, server: SocketServer) -> None:
        server.close(close_connections=True)
        self._pending_connections.abort_all()
        await server.wait_closed()

    async def _run_housekeeping(self) -> None:
        """Once a second, abort handshakes that take too long and clients that have stalled."""
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            self._report()
            self._pending_connections.abort_expired(now)
            for connection in [one for one in self._connections if one.is_stalled(now)]:
                log.info("event=cut peer=%s reason=stalled", connection.peer)
                self.metrics.cut.labels("stalled").inc()
                connection.transport.abort()

    # The handshake.

    async def _process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        assert isinstance(connection, ClientConnection)
        make_room = partial(self._make_room, connection, request.path)
        return await self._policy.answer(request, make_room, is_head=connection.method is HTTPMethod.HEAD)

    def _make_room(self, connection: ClientConnection, target: str) -> bool:
        """Return whether one more connection fits, to this path and query; one that has no character gives way."""
        is_here = isinstance(connection, MovedConnection) and connection.parcel.session != ""
        is_back = getattr(wanted_place(target), "server", None) == self.place.server
        if self._is_draining and not is_here and not is_back:
            return False
        if len(self._connections) < self._max_connections:
            return True
        session = self.sessions.oldest_idle()
        if session is None or session.connection is None:
            return False
        log.info("event=cut peer=%s reason=idle", session.connection.peer)
        self.metrics.cut.labels("idle").inc()
        self._connections.discard(session.connection)
        session.connection.close_soon(1013, "the server is full, and you have no character")
        self.sessions.end(session)
        return True

    def _health(self) -> tuple[HTTPStatus, dict[str, object]]:
        self._report()
        return health_of([self._row()] if self._peers is None else self._peers.rows())

    def _row(self) -> WorkerRow:
        """Return how this process is."""
        status = WorkerStatus.DEGRADED if self.metrics.is_degraded else WorkerStatus.OK
        return WorkerRow(
            connections=len(self._connections) + len(self._pending_connections),
            characters=len(self.broadcaster.characters),
            status=WorkerStatus.DRAINING if self._is_draining else status,
        )

    def _report(self) -> None:
        if self._peers is not None:
            self._peers.report(self._row())

    def _make_moved(self, parcel: Parcel) -> MovedConnection:
        """Return the connection of a client that another process hands over."""
        protocol = ServerProtocol(
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            select_subprotocol=_select_subprotocol,
            max_size=self._max_size,
        )
        return MovedConnection(protocol, self._servers[0], parcel=parcel, **TIMES, **self._connection_options)

    # A connection.

    async def _serve(self, connection: ServerConnection) -> None:
        assert isinstance(connection, ClientConnection)
        self._pending_connections.discard(connection)
        moved = connection if isinstance(connection, MovedConnection) and connection.parcel.session else None
        token = self.place.new_key() if moved is None else moved.parcel.session
        session = self.sessions.begin(connection, token)
        self._connections.add(connection)
        self._report()
        self.metrics.connections.set(len(self._connections))
        log.info("event=connected session=%s peer=%s", session.token[:8], connection.peer)
        try:
            if moved is None:
                hello = self._hello | {"session": session.token, "time": self.broadcaster.now()}
                await connection.send(json.dumps(hello))
            elif self._peers is not None:
                self._peers.settle(session.token)
                moved.proceed()
            await self._read_messages(connection, session)
        except ConnectionClosed:
            pass
        except Exception:
            log.exception("event=failed session=%s", session.token[:8])
            await connection.close(1011, "internal error")
        finally:
            self._connections.discard(connection)
            # Flooding clients that come again would else leave a server full of characters behind.
            (self.sessions.end if connection.is_banned else self.sessions.keep)(session)
            self._report()
            self.metrics.connections.set(len(self._connections))
            log.info("event=disconnected session=%s code=%s", session.token[:8], connection.close_code)

    async def _read_messages(self, connection: ClientConnection, session: ClientSession) -> None:
        limits = self.config.limits
        bucket = TokenBucket(limits.messages_per_second, limits.message_burst, time.monotonic())
        hasty_since: float | None = None
        heavy_at = 0.0
        async for data in connection:
            if not self.sessions.is_active(session):
                return  # resumed elsewhere, or ended: further messages are nobody's
            try:
                message = self._read_message(data, bucket)
                if is_heavy(message):
                    await asyncio.sleep(heavy_at - time.monotonic())
                    heavy_at = time.monotonic() + HEAVY_SECONDS
                if self._handover and await self._handover.follow(connection, session, message, data):
                    return
                self._handler.handle(connection, session, message)
                if isinstance(message, Open):
                    self._report()
            except ProtocolError as error:
                self._handler.refuse(connection, error)
                if error.code == "too_fast":
                    hasty_since = hasty_since or time.monotonic()
                    await asyncio.sleep(REFUSAL_SECONDS)
            if bucket.is_calm:
                hasty_since = None
            elif hasty_since is not None and time.monotonic() - hasty_since > limits.flood_seconds:
                self.metrics.cut.labels("too_fast").inc()
                connection.is_banned = True
                await connection.close(1008, "too fast")
                return
            if connection.unsent_bytes > 2 * limits.unsent_bytes:
                await connection.drain()  # its answers are not read: no more of its messages are

    def _read_message(self, data: str | bytes, bucket: TokenBucket) -> Message:
        """Return a checked message. Raises ProtocolError where it is invalid, or the client is too fast."""
        limits = self.config.limits
        if not bucket.take(time.monotonic()):
            id = id_of(data, limits.message_bytes)
            raise ProtocolError("too_fast", "expected fewer messages; slow down", id)
        message = read_message(data, limits.message_bytes, limits.text_length, self.scheduler.verbs)
        if is_heavy(message) and not bucket.take(time.monotonic(), limits.model_messages - 1):
            reason = f"expected fewer; one counts as {limits.model_messages} messages; slow down"
            raise ProtocolError("too_fast", reason, message.id)
        return message


def _select_subprotocol(connection: Any, offered: Any) -> Subprotocol | None:
    """Return ours where it is offered; a client that offers none is served in version 1 too."""
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None
