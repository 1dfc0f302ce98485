"""UDP to one receiver, as all senders use it: an address, a socket that never blocks, and a count of what was lost."""

import logging
import socket
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

MTU_BYTES = 1400
"""Bytes of a datagram that travels whole: one that is fragmented on its way is lost where a fragment is."""


class DatagramSocket:
    """A UDP socket to one receiver. Never blocks, and does not fail when nobody receives.

    Attributes:
        lost: datagrams that could not be sent.
    """

    def __init__(self, host: str, port: int) -> None:
        """Open the socket.

        Args:
            host: name or address of the receiver's machine.
            port: UDP port of the receiver.

        Raises:
            ValueError: the host is unknown.
        """
        try:
            family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that no DNS can hold
            raise ValueError(f"host: expected a machine that is known, got {host!r}: {error}") from None
        self._address: tuple[object, ...] = address
        self._socket = socket.socket(family, kind)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.lost = 0

    def send(self, datagram: bytes | bytearray) -> None:
        """Send a datagram, or count it as lost.

        Args:
            datagram: its bytes.
        """
        # Not connected: a connected socket would report on one datagram by failing to send the next.
        try:
            self._socket.sendto(datagram, self._address)
        except OSError as error:  # a full buffer, a network that is gone: the next pose is as good
            if not self.lost:
                log.warning("event=datagram_lost reason=%s", error)
            self.lost += 1

    def close(self) -> None:
        """Close the socket; what was sent may still arrive."""
        self._socket.close()


class DatagramSender:
    """What every sender over UDP has: a socket to its receiver, the count of what was lost, and an end.

    Attributes:
        lost: datagrams that could not be sent.
    """

    def __init__(self, host: str, port: int) -> None:
        """Open the socket; the arguments and the error are those of DatagramSocket."""
        self._socket = DatagramSocket(host, port)

    @property
    def lost(self) -> int:
        """Datagrams that could not be sent."""
        return self._socket.lost

    def close(self) -> None:
        """Close the socket; what was sent may still arrive."""
        self._socket.close()


def parse_address(name: str, address: str, usual_port: int) -> tuple[str, int]:
    """Return the host and the port of a receiver.

    Args:
        name: the sender's name, with which the error begins.
        address: ``HOST:PORT``, ``[IPv6]:PORT``, or ``HOST`` with the usual port.
        usual_port: the port where none is said.

    Raises:
        ValueError: it is no address.
    """
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, usual_port if parts.port is None else parts.port
    except ValueError:  # of urlsplit: a port that is no number, brackets that do not close
        host, port = None, 0
    if not host or not port or parts.netloc != address or address[-1] == ":" or "@" in address:
        raise ValueError(f"{name}: expected HOST:PORT such as 127.0.0.1:{usual_port}, got {address!r}")
    return host, port
