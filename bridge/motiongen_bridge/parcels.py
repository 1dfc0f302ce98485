"""What one process of a server sends to another with the socket of a client: all that was read from it."""

import struct
from dataclasses import dataclass

from websockets.frames import Frame, Opcode

SIZES = struct.Struct("<HII")
MAX_PARCEL = 128 * 1024
"""Bytes of a parcel: a request, and frames of at most a message and what waits behind it."""
HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Parcel:
    """A client that goes to another process.

    Attributes:
        session: key of its session where its handshake is done already; empty where that is still to come.
        request: bytes of its HTTP request; those that have come, where the handshake is still to come.
        unread: bytes of websocket frames that were not obeyed yet.
    """

    session: str
    request: bytes
    unread: bytes = b""

    def encode(self) -> bytes:
        """Return the parcel as bytes."""
        session = self.session.encode()
        return (
            SIZES.pack(len(session), len(self.request), len(self.unread))
            + session
            + self.request
            + self.unread
        )

    @classmethod
    def decode(cls, data: bytes) -> "Parcel":
        """Return the parcel of bytes that `encode` has made.

        Args:
            data: the bytes.
        """
        session, request, unread = SIZES.unpack_from(data)
        start = SIZES.size
        ends = start + session, start + session + request, start + session + request + unread
        assert ends[2] == len(data), (ends, len(data))
        return cls(data[start : ends[0]].decode(), data[ends[0] : ends[1]], data[ends[1] : ends[2]])


class Received:
    """Remembers what another process needs to go on with a connection: the request, and a frame that has come in part.

    Attributes:
        request: bytes of the HTTP request.
        unread: bytes of the frame that has not come wholly.
    """

    def __init__(self) -> None:
        self.request, self.unread = bytearray(), bytearray()
        self._has_request = False

    def feed(self, data: bytes) -> None:
        """Take in bytes from the socket; of a frame that fits into no parcel, and what follows it, none.

        Args:
            data: the bytes.
        """
        if len(self.unread) > MAX_PARCEL:
            return  # nobody goes on with it, and it would fill the memory until the connection is closed
        if not self._has_request:
            self.request += data
            end = self.request.find(HEAD_END)
            if end < 0:
                return
            self._has_request = True
            data = bytes(self.request[end + len(HEAD_END) :])
            del self.request[end + len(HEAD_END) :]
        self.unread += data
        while (size := frame_size(self.unread)) is not None and size <= len(self.unread):
            del self.unread[:size]


def frame_size(data: bytes | bytearray) -> int | None:
    """Return the bytes of the websocket frame (RFC 6455, section 5.2) that data begins with; None until that is known.

    Args:
        data: bytes from a frame's start on.
    """
    if len(data) < 2:
        return None
    mask = 4 if data[1] & 0x80 else 0
    short = data[1] & 0x7F
    head = 2 + {126: 2, 127: 8}.get(short, 0)
    if len(data) < head:
        return None
    length = short if head == 2 else int.from_bytes(data[2:head], "big")
    return head + mask + length


def frame_of(message: str | bytes) -> bytes:
    """Return a message as a client's websocket frame.

    Args:
        message: text or binary message.
    """
    if isinstance(message, str):
        return Frame(Opcode.TEXT, message.encode()).serialize(mask=True)
    return Frame(Opcode.BINARY, message).serialize(mask=True)
