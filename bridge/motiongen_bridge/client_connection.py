"""A client's connection as the stage and the sessions see it: written to without waiting, cut when it floods."""

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

from motiongen_bridge.limits import ServerLimits, TokenBucket
from motiongen_bridge.pending_connections import PendingConnections

log = logging.getLogger(__name__)

SLICE = 2048
"""Bytes that are read into frames at once: thousands of tiny ones would keep everybody waiting."""
REQUEST_BYTES = 16384
"""Bytes of a handshake; browsers' are a thousand or two."""
FRAMES_PER_MESSAGE = 4
"""Fragments, pings and pongs that a client may send for each message that it may send."""


class ClientConnection(ServerConnection):
    """A connection; frames are written to its transport at once, and never waited for.

    Attributes:
        stuck_since: when it was first seen with too much unsent, without a frame sent since.
        cut: called once, when it is hung up on for flooding.
        is_expelled: whether it was, so that it may not come back to its characters.
    """

    def __init__(
        self,
        *args: Any,
        pending: PendingConnections,
        limits: ServerLimits,
        cut: Callable[[], None],
        **options: Any,
    ) -> None:
        """Made by websockets, with what a ServerConnection takes."""
        super().__init__(*args, **options)
        self._pending_connections, self._limits, self._cut = pending, limits, cut
        self._request_bytes = 0
        self.is_expelled = False
        self._hanging_up: asyncio.Task[None] | None = None
        self.stuck_since: float | None = None
        rate, burst = limits.messages_per_second, limits.message_burst
        self._frames = TokenBucket(FRAMES_PER_MESSAGE * rate, FRAMES_PER_MESSAGE * burst, time.monotonic())

    @property
    def peer(self) -> str:
        """Who is there, for logs."""
        address = self.remote_address
        return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else "gone"

    @property
    def unsent(self) -> int:
        """Bytes that wait to be sent."""
        return int(self.transport.get_write_buffer_size())

    def write(self, data: bytes | str) -> None:
        """Send a message without waiting; a connection that is closing misses it."""
        if self.state is not State.OPEN or self.transport.is_closing():
            return
        if self.unsent <= self._limits.unsent_bytes:
            self.stuck_since = None
        body = data.encode() if isinstance(data, str) else data
        self.transport.write(_frame_head(len(body), isinstance(data, str)) + body)

    def tell(self, message: dict[str, Any]) -> None:
        """Send a JSON message without waiting."""
        self.write(json.dumps(message))

    def is_stalled(self, now: float) -> bool:
        """Whether it has taken nothing for too long; look about once a second."""
        if self.unsent <= self._limits.unsent_bytes:
            self.stuck_since = None
        elif self.stuck_since is None:
            self.stuck_since = now
        return self.stuck_since is not None and now - self.stuck_since > self._limits.stalled_seconds

    def close_soon(self, code: int, reason: str) -> None:
        """Close, without waiting until the client has heard of it."""
        if self._hanging_up is None:
            self._hanging_up = self.loop.create_task(self.close(code, reason))

    # Called by asyncio and websockets.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait in the lobby until the handshake is done."""
        super().connection_made(transport)
        # The kernel would keep megabytes of frames for a client that does not read, and send them when they are old.
        option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
        if option is not None:
            with contextlib.suppress(OSError):
                transport.get_extra_info("socket").setsockopt(
                    socket.IPPROTO_TCP, option, self._limits.unsent_bytes // 2
                )
        self._pending_connections.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the pending, if it was there still."""
        self._pending_connections.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read a little at a time, and no more once it is cut."""
        if self.request is None:
            self._request_bytes += len(data)
            if self._request_bytes > REQUEST_BYTES:
                self.transport.abort()
                return
        for start in range(0, len(data), SLICE):
            if self.is_expelled or self.transport.is_closing():
                return
            super().data_received(data[start : start + SLICE])

    def process_event(self, event: Request | Frame) -> None:  # type: ignore[override]
        """Count frames: empty ones, fragments and pings cost time though they are no messages."""
        if self.request is not None and not self._frames.take(time.monotonic()):
            if not self.is_expelled:
                self.is_expelled = True
                self.transport.pause_reading()
                self._cut()
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
