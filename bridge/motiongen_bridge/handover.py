"""Clients that go from one process of a server to another, before their handshake or with a message that needs it."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable

from motiongen_bridge.background_tasks import BackgroundTasks
from motiongen_bridge.client_connection import ClientConnection
from motiongen_bridge.frame_broadcaster import FrameBroadcaster
from motiongen_bridge.frames import ProtocolError
from motiongen_bridge.messages import Message, Resume, Watch
from motiongen_bridge.moved_connection import MovedConnection
from motiongen_bridge.parcels import Parcel
from motiongen_bridge.peers import Peers
from motiongen_bridge.sessions import ClientSession, SessionStore

log = logging.getLogger(__name__)

STAY_SECONDS = 1.0
"""Time for which a client that was handed over stays: one that goes to and fro would escape the limits of messages."""
POLL_SECONDS = 0.01
"""Time between two looks whether all is sent to a client that is to move."""


class Handover:
    """Hands clients to the process that has what they want, and takes in those of others."""

    def __init__(
        self,
        peers: Peers,
        sessions: SessionStore,
        broadcaster: FrameBroadcaster,
        tasks: BackgroundTasks,
        make_connection: Callable[[Parcel], MovedConnection],
    ) -> None:
        """Make a handover.

        Args:
            peers: the other processes.
            sessions: sessions of this one.
            broadcaster: has the characters of this one.
            tasks: runs the tasks that take clients in.
            make_connection: makes a connection of a client that another process hands over.
        """
        self._peers, self._sessions, self._broadcaster = peers, sessions, broadcaster
        self._tasks, self._make_connection = tasks, make_connection

    def open_door(self) -> None:
        """Take clients in from now on."""
        self._peers.open_door(lambda parcel, client: self._tasks.spawn(self._take_in(parcel, client)))

    def place(self, start: bytes, transport: asyncio.Transport) -> bool:
        """Hand a new client to the process that is to serve it, if it is another; return whether that has it.

        Args:
            start: the first bytes that came from it.
            transport: its socket.
        """
        worker = self._peers.choose(start)
        client = transport.get_extra_info("socket").fileno()
        return worker is not None and self._peers.hand_over(worker, Parcel("", start), client)

    async def follow(
        self, connection: ClientConnection, session: ClientSession, message: Message, data: str | bytes
    ) -> bool:
        """Hand a client to the process that has what its message is about, if another has; return whether it has gone.

        Args:
            connection: the client's connection.
            session: its session.
            message: its message.
            data: the message as it came.

        Raises:
            ProtocolError: another has it, but the client has characters here.
        """
        worker = self._elsewhere(message)
        if worker is None:
            return False
        if session.subscriptions:
            reason = (
                "resume: say it before anything else"
                if isinstance(message, Resume)
                else "key: this character lives in another process of the server than yours; "
                "watch it on a connection that has no others"
            )
            raise ProtocolError("not_now", reason, message.id)
        if isinstance(connection, MovedConnection):
            await asyncio.sleep(connection.arrived + STAY_SECONDS - time.monotonic())
        return await self._move(connection, session, data, worker)

    def _elsewhere(self, message: Message) -> int | None:
        """Return the process that has what a message is about; None where no other has."""
        match message:
            case Resume(session=key) if not self._sessions.has(key):
                return self._peers.find(key)
            case Watch(key=key) if key not in self._broadcaster.characters:
                return self._peers.find(key)
        return None

    async def _move(
        self, connection: ClientConnection, session: ClientSession, data: str | bytes, worker: int
    ) -> bool:
        connection.transport.pause_reading()
        while connection.unsent_bytes and not connection.transport.is_closing():
            await asyncio.sleep(POLL_SECONDS)
        if connection.transport.is_closing():
            return True
        self._peers.forget(session.token)
        client = connection.transport.get_extra_info("socket").fileno()
        parcel = connection.pack(session.token, data)
        if not await self._peers.hand_over_patiently(worker, parcel, client):
            self._peers.settle(session.token)
            connection.transport.resume_reading()
            return False
        log.info("event=moved session=%s worker=%d", session.token[:8], worker)
        self._sessions.end(session)
        connection.transport.abort()  # the other process has a descriptor of its own
        return True

    async def _take_in(self, parcel: Parcel, client: socket.socket) -> None:
        connection = self._make_connection(parcel)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: connection, client)
