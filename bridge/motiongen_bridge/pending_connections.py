"""Connections whose handshake is not done: bounded in number and in time, so that silent sockets cost little."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

from websockets.asyncio.server import ServerConnection
from websockets.server import ServerProtocol

HANDSHAKE_SECONDS = 10.0
"""Time in which a handshake must be done."""


class PendingConnection(Protocol):
    """A connection that can be aborted.

    Attributes:
        transport: its socket.
    """

    transport: asyncio.Transport


class PendingConnections:
    """The connections in their handshake, oldest first. When there are too many, the oldest is aborted.

    Connections that are served are not in it, so that a flood of sockets costs only those that come during it.
    """

    def __init__(self, limit: int, on_abort: Callable[[], None]) -> None:
        """Make an empty set.

        Args:
            limit: connections that it holds.
            on_abort: called when one is aborted.
        """
        self._limit, self._on_abort = limit, on_abort
        self._since: dict[PendingConnection, float] = {}

    def __len__(self) -> int:
        return len(self._since)

    def add(self, connection: PendingConnection) -> None:
        """Add a new connection.

        Args:
            connection: one whose handshake begins.
        """
        self._since[connection] = time.monotonic()
        if len(self._since) > self._limit:
            self._abort_oldest()

    def discard(self, connection: PendingConnection) -> None:
        """Remove a connection that is served, or gone.

        Args:
            connection: one that may have been added.
        """
        self._since.pop(connection, None)

    def abort_expired(self, now: float) -> None:
        """Abort connections whose handshake takes too long.

        Args:
            now: seconds of `time.monotonic()`.
        """
        while self._since and now - next(iter(self._since.values())) > HANDSHAKE_SECONDS:
            self._abort_oldest()

    def abort_all(self) -> None:
        """Abort all connections."""
        while self._since:
            self._abort_oldest()

    def _abort_oldest(self) -> None:
        oldest = next(iter(self._since))
        del self._since[oldest]
        oldest.transport.abort()
        self._on_abort()


class DeferredConnection(asyncio.Protocol):
    """A socket that has sent nothing yet. Its first byte makes a ServerConnection of it, which costs ten times as much.

    Thousands of silent sockets would else leave so much behind that Python's collector holds everybody up.

    Attributes:
        transport: its socket.
        protocol: websockets' state of the connection.
    """

    transport: asyncio.Transport

    def __init__(
        self,
        protocol: ServerProtocol,
        *args: Any,
        pending: PendingConnections,
        make_connection: Callable[..., ServerConnection],
        hand_over: Callable[[bytes, asyncio.Transport], bool] | None = None,
        **options: Any,
    ) -> None:
        """Stand in for a ServerConnection; called by websockets.

        Args:
            protocol: websockets' state of the connection.
            args: further arguments of a ServerConnection.
            pending: the set that this connection waits in.
            make_connection: makes the ServerConnection.
            hand_over: hands the socket and its first bytes to another process, and returns whether it has.
            options: keywords of a ServerConnection.
        """
        self.protocol = protocol
        self._pending, self._make_connection = pending, make_connection
        self._hand_over = hand_over
        self._args, self._options = args, options

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the pending connections; called by asyncio.

        Args:
            transport: the socket.
        """
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._pending.add(self)

    def data_received(self, data: bytes) -> None:
        """Hand the socket to a ServerConnection; called by asyncio.

        Args:
            data: the first bytes.
        """
        self._pending.discard(self)
        if self._hand_over is not None and self._hand_over(data, self.transport):
            self.transport.abort()
            return
        connection = self._make_connection(self.protocol, *self._args, **self._options)
        self.transport.set_protocol(connection)
        connection.connection_made(self.transport)
        connection.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Break all reference cycles, so that nothing is left to be collected; called by asyncio.

        Args:
            exc: why the socket was lost.
        """
        self._pending.discard(self)
        vars(self.protocol).clear()
