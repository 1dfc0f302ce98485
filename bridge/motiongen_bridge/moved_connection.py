"""A client that another process of the server has handed over, by its socket and what was read from it."""

import time
from typing import Any

from motiongen_bridge.client_connection import ClientConnection
from motiongen_bridge.parcels import Parcel


class MovedConnection(ClientConnection):
    """A connection whose first bytes another process has read.

    Where that process has answered the handshake already, it is done again here, and what is said in it is not sent:
    the client notices nothing. Host, origin and token are checked again with it.

    Attributes:
        parcel: what the other process has read.
        arrived: when it came, seconds of `time.monotonic()`.
    """

    def __init__(self, *args: Any, parcel: Parcel, **options: Any) -> None:
        """Make a connection.

        Args:
            args: of a ClientConnection.
            parcel: what the other process has read.
            options: keywords of a ClientConnection.
        """
        super().__init__(*args, **options)
        self.parcel, self.arrived = parcel, time.monotonic()
        self._is_silent = parcel.session != ""

    def proceed(self) -> None:
        """Obey what the client has said since its handshake, and speak to it."""
        self._is_silent = False
        self.transport.resume_reading()
        self.data_received(self.parcel.unread)

    # Called by asyncio and websockets.

    def connection_made(self, transport: Any) -> None:
        """Read what the other process has read, and no more until the handshake is done.

        Args:
            transport: the socket.
        """
        super().connection_made(transport)
        if self._is_silent:
            transport.pause_reading()
        self.data_received(self.parcel.request)

    def send_data(self) -> None:
        """Keep the handshake's answer, which the client has, from being sent again."""
        if not self._is_silent:
            super().send_data()
            return
        for _ in self.protocol.data_to_send():
            pass
