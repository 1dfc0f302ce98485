"""The server's end of a websocket: writes never block, floods are cut off, stalled clients are noticed."""

import asyncio
import contextlib
import json
import logging
import socket
import time
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import State

from motiongen_bridge.http_method import NOT_ALLOWED, HTTPMethod, first_method
from motiongen_bridge.limits import ServerLimits, TokenBucket
from motiongen_bridge.parcels import Parcel, Received, frame_of
from motiongen_bridge.pending_connections import PendingConnections

log = logging.getLogger(__name__)

READ_SLICE = 2048
"""Bytes that are parsed into frames at once: thousands of tiny frames would keep everybody waiting."""
MAX_REQUEST_BYTES = 16384
"""Bytes of a handshake; browsers' are a thousand or two."""
FRAMES_PER_MESSAGE = 4
"""Fragments, pings and pongs that a client may send for each message that it may send."""


class ClientConnection(ServerConnection):
    """A websocket whose messages are written to the transport at once, without waiting.

    Attributes:
        stalled_since: when too much was first seen to be unsent, with no frame sent since; None while it is not.
        is_banned: whether it was closed for flooding: it may not resume its characters.
        received: remembers what another process needs to go on with it; None where there is no other.
        method: method of its HTTP request; None while that has not come.
    """

    def __init__(
        self,
        *args: Any,
        pending: PendingConnections,
        limits: ServerLimits,
        on_flood: Callable[[], None],
        is_movable: bool = False,
        **options: Any,
    ) -> None:
        """Make a connection; called by websockets.

        Args:
            args: of a ServerConnection.
            pending: connections in their handshake.
            limits: limits of the server.
            on_flood: called once when the connection is closed for flooding.
            is_movable: whether another process may go on with it.
            options: keywords of a ServerConnection.
        """
        super().__init__(*args, **options)
        self._pending, self._limits, self._on_flood = pending, limits, on_flood
        self._request_bytes = 0
        self._request_start = b""
        self.method: HTTPMethod | None = None
        self.is_banned = False
        self.received = Received() if is_movable else None
        self._closing: asyncio.Task[None] | None = None
        self.stalled_since: float | None = None
        rate, burst = limits.messages_per_second, limits.message_burst
        self._frame_bucket = TokenBucket(
            FRAMES_PER_MESSAGE * rate, FRAMES_PER_MESSAGE * burst, time.monotonic()
        )

    @property
    def peer(self) -> str:
        """The client's address, for logs."""
        address = self.remote_address
        return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else "gone"

    @property
    def unsent_bytes(self) -> int:
        """Bytes that wait to be sent."""
        return int(self.transport.get_write_buffer_size())

    def write(self, data: bytes | str) -> None:
        """Send a message without waiting; a connection that is closing misses it.

        Args:
            data: binary or text message.
        """
        if self.state is not State.OPEN or self.transport.is_closing():
            return
        if self.unsent_bytes <= self._limits.unsent_bytes:
            self.stalled_since = None
        body = data.encode() if isinstance(data, str) else data
        self.transport.write(_frame_head(len(body), isinstance(data, str)) + body)

    def write_json(self, message: dict[str, Any]) -> None:
        """Send a JSON message without waiting.

        Args:
            message: the JSON object.
        """
        self.write(json.dumps(message))

    def is_stalled(self, now: float) -> bool:
        """Return whether the client has taken nothing for too long; call it about once a second.

        Args:
            now: seconds of `time.monotonic()`.
        """
        if self.unsent_bytes <= self._limits.unsent_bytes:
            self.stalled_since = None
        elif self.stalled_since is None:
            self.stalled_since = now
        return self.stalled_since is not None and now - self.stalled_since > self._limits.stalled_seconds

    def close_soon(self, code: int, reason: str) -> None:
        """Close without waiting for the client.

        Args:
            code: close code.
            reason: for people.
        """
        if self._closing is None:
            self._closing = self.loop.create_task(self.close(code, reason))

    def pack(self, session: str, message: str | bytes) -> Parcel:
        """Return what another process needs to go on with the connection; nothing is read from it any more.

        Args:
            session: key of its session.
            message: the last message that was read, which the other process is to obey.
        """
        assert self.received is not None, "make it movable"
        waiting = [frame.serialize(mask=True) for frame in self.recv_messages.frames.queue]
        unread = b"".join([frame_of(message), *waiting]) + self.received.unread
        return Parcel(session, bytes(self.received.request), unread)

    # Called by asyncio and websockets.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the pending connections until the handshake is done.

        Args:
            transport: the socket.
        """
        super().connection_made(transport)
        # The kernel would keep megabytes of frames for a client that does not read, and send them when they are old.
        option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
        if option is not None:
            with contextlib.suppress(OSError):
                transport.get_extra_info("socket").setsockopt(
                    socket.IPPROTO_TCP, option, self._limits.unsent_bytes // 2
                )
        self._pending.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the pending connections.

        Args:
            exc: why the socket was lost.
        """
        self._pending.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse a little at a time, and no more once the connection is cut.

        Args:
            data: bytes from the socket.
        """
        if self.request is None:
            self._request_bytes += len(data)
            if self._request_bytes > MAX_REQUEST_BYTES:
                self.transport.abort()
                return
        if self.method is None:
            self._request_start += data
            self.method, data = first_method(self._request_start)
            if self.method is HTTPMethod.OTHER:
                self.transport.write(NOT_ALLOWED)
                self.transport.write_eof()
        if self.method in (None, HTTPMethod.OTHER):
            return  # what else comes of a refused request is not read; its time is limited
        for start in range(0, len(data), READ_SLICE):
            if self.is_banned or self.transport.is_closing():
                return
            part = data[start : start + READ_SLICE]
            if self.received is not None:
                self.received.feed(part)
            super().data_received(part)

    def process_event(self, event: Request | Frame) -> None:  # type: ignore[override]
        """Count frames: empty ones, fragments and pings cost time though they are no messages.

        Args:
            event: a parsed request or frame.
        """
        if self.request is not None and not self._frame_bucket.take(time.monotonic()):
            if not self.is_banned:
                self.is_banned = True
                self.transport.pause_reading()
                self._on_flood()
                log.info("event=cut peer=%s reason=too_fast", self.peer)
                self.close_soon(1008, "too fast")
            return
        super().process_event(event)


def _frame_head(length: int, is_text: bool) -> bytes:
    """Return the head of an unmasked, unfragmented websocket frame (RFC 6455, section 5.2)."""
    first = b"\x81" if is_text else b"\x82"
    if length < 126:
        return first + bytes([length])
    if length < 65536:
        return first + b"\x7e" + length.to_bytes(2, "big")
    return first + b"\x7f" + length.to_bytes(8, "big")
