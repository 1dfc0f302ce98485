"""Connections that have not said yet what they want, and who of them gives way when there are too many."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

from websockets.asyncio.server import ServerConnection
from websockets.server import ServerProtocol

PATIENCE = 10.0
"""Seconds in which a connection must have begun to speak."""


class Waiting(Protocol):
    """What waits: a newcomer, or a connection in its handshake."""

    transport: asyncio.Transport


class PendingConnections:
    """Those that wait, the oldest first; when there are too many, it gives way.

    Who is served already is not in it, so that a flood of sockets costs only those who come during it.
    """

    def __init__(self, room: int, cut: Callable[[], None]) -> None:
        """Take how many it holds, and what to call when one is cut."""
        self._room, self._cut = room, cut
        self._waiting: dict[Waiting, float] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def enter(self, one: Waiting) -> None:
        """Let a new connection wait."""
        self._waiting[one] = time.monotonic()
        if len(self._waiting) > self._room:
            self._cut_oldest()

    def leave(self, one: Waiting) -> None:
        """Let one go: it is served, or gone."""
        self._waiting.pop(one, None)

    def sweep(self, now: float) -> None:
        """Cut those that have waited for too long."""
        while self._waiting and now - next(iter(self._waiting.values())) > PATIENCE:
            self._cut_oldest()

    def clear(self) -> None:
        """Cut all."""
        while self._waiting:
            self._cut_oldest()

    def _cut_oldest(self) -> None:
        oldest = next(iter(self._waiting))
        del self._waiting[oldest]
        oldest.transport.abort()
        self._cut()


class DeferredConnection(asyncio.Protocol):
    """A socket that has said nothing yet. With its first byte it becomes a connection, which costs ten times as much.

    Thousands of silent sockets would else leave so much behind that Python's collector holds everybody up.
    """

    transport: asyncio.Transport

    def __init__(
        self,
        protocol: ServerProtocol,
        *args: Any,
        pending: PendingConnections,
        make: Callable[..., ServerConnection],
        **options: Any,
    ) -> None:
        """Made by websockets in the place of a ServerConnection, with what that takes, and how one is made."""
        self.protocol = protocol
        self._pending_connections, self._make, self._args, self._options = pending, make, args, options

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._pending_connections.enter(self)

    def data_received(self, data: bytes) -> None:
        """Become a connection."""
        self._pending_connections.leave(self)
        connection = self._make(self.protocol, *self._args, **self._options)
        self.transport.set_protocol(connection)
        connection.connection_made(self.transport)
        connection.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Go, and leave no cycles of references to be collected: what was made for it holds on to itself."""
        self._pending_connections.leave(self)
        vars(self.protocol).clear()
