"""A websocket client over a socket of the standard library (RFC 6455), since Blender's Python has no other."""

import base64
import contextlib
import hashlib
import os
import socket
import ssl
import struct
import threading
from urllib.parse import quote, urlsplit

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MAX_BYTES = 1 << 20
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class WebSocketClosed(OSError):
    """The connection is over.

    Attributes:
        code: the close code, 1006 where none came.
    """

    def __init__(self, code: int, reason: str) -> None:
        """Make an error of a close code and a reason."""
        super().__init__(reason or f"closed with {code}")
        self.code = code


class Refused(OSError):
    """The server refused the handshake; its body says why."""


class WebSocket:
    """An open websocket: one thread receives, any may send."""

    def __init__(self, url: str, token: str = "", timeout: float = 10.0) -> None:
        """Connect.

        Args:
            url: ws:, wss:, http: or https: address; /ws is added where there is no path.
            token: the server's secret; empty for none.
            timeout: seconds for the handshake.

        Raises:
            ValueError: it is no such address.
            Refused: the server does not want this client.
            OSError: there is no server.
        """
        host, port, path, is_secure = parse_url(url)
        self._socket = socket.create_connection((host, port), timeout)
        try:
            if is_secure:
                context = ssl.create_default_context()
                self._socket = context.wrap_socket(self._socket, server_hostname=host)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._buffer = bytearray()
            self._sending = threading.Lock()
            self._parts: list[bytes] = []
            self._kind = 0
            self._handshake(host, port, path, token)
        except BaseException:
            self._socket.close()
            raise

    def send_text(self, text: str) -> None:
        """Send a text message. Raises OSError where the connection is lost."""
        self._send(TEXT, text.encode())

    def receive(self, timeout: float) -> str | bytes | None:
        """Return the next message, text or binary; None where none came in time.

        Args:
            timeout: seconds to wait.

        Raises:
            WebSocketClosed: the server closed.
            OSError: the connection is lost, or what came is no websocket frame.
        """
        self._socket.settimeout(timeout)
        while True:
            frame = self._next_frame()
            if frame is None:
                try:
                    data = self._socket.recv(65536)
                except (TimeoutError, ssl.SSLWantReadError):
                    return None
                if not data:
                    raise WebSocketClosed(1006, "the connection was lost")
                self._buffer += data
                continue
            message = self._take(*frame)
            if message is not None:
                return message

    def close(self) -> None:
        """Say goodbye, and close."""
        with contextlib.suppress(OSError):
            self._send(CLOSE, struct.pack(">H", 1000))
        self._socket.close()

    def _handshake(self, host: str, port: int, path: str, token: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        name = f"[{host}]" if ":" in host else host
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {name}:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: motiongen.v1",
            *([f"Authorization: Bearer {token}"] if token else []),
        ]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        while b"\r\n\r\n" not in self._buffer:
            data = self._socket.recv(65536)
            if not data or len(self._buffer) > 65536:
                raise Refused("the server does not speak websocket")
            self._buffer += data
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        status, *fields = head.decode("latin-1").split("\r\n")
        self._buffer = bytearray(rest)
        given = {k.strip().lower(): v.strip() for k, _, v in (field.partition(":") for field in fields)}
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        if status.split(" ")[1:2] != ["101"]:
            raise Refused(rest.decode("utf-8", "replace").strip() or status)
        if given.get("sec-websocket-accept") != accept:
            raise Refused("the server does not speak websocket")

    def _next_frame(self) -> tuple[bool, int, bytes] | None:
        """Return (is it the last of its message, opcode, payload) of a whole frame in the buffer, and take it out."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, at = buffer[1] & 0x7F, 2
        if buffer[1] & 0x80 or buffer[0] & 0x70:
            raise WebSocketClosed(1002, "the server broke the protocol")
        if size == 126:
            if len(buffer) < 4:
                return None
            (size,), at = struct.unpack_from(">H", buffer, 2), 4
        elif size == 127:
            if len(buffer) < 10:
                return None
            (size,), at = struct.unpack_from(">Q", buffer, 2), 10
        if size > MAX_BYTES:
            raise WebSocketClosed(1009, "the server sent too much")
        if len(buffer) < at + size:
            return None
        frame = bool(buffer[0] & 0x80), buffer[0] & 0x0F, bytes(buffer[at : at + size])
        del buffer[: at + size]
        return frame

    def _take(self, is_last: bool, kind: int, data: bytes) -> str | bytes | None:
        """Return the message that a frame completes, if it does; answer pings and closes."""
        if kind == PING:
            self._send(PONG, data)
            return None
        if kind == PONG:
            return None
        if kind == CLOSE:
            code = struct.unpack(">H", data[:2])[0] if len(data) >= 2 else 1005
            self.close()
            raise WebSocketClosed(code, data[2:].decode("utf-8", "replace"))
        if kind:
            self._kind, self._parts = kind, []
        self._parts.append(data)
        if sum(map(len, self._parts)) > MAX_BYTES:
            raise WebSocketClosed(1009, "the server sent too much")
        if not is_last:
            return None
        whole = b"".join(self._parts)
        self._parts = []
        return whole.decode() if self._kind == TEXT else whole

    def _send(self, kind: int, data: bytes) -> None:
        size = len(data)
        head = struct.pack(">BB", 0x80 | kind, 0x80 | min(size, 126))
        if size >= 126:
            head = struct.pack(
                ">BBH" if size < 65536 else ">BBQ", 0x80 | kind, 0xFE if size < 65536 else 0xFF, size
            )
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(data))
        with self._sending:
            self._socket.sendall(head + mask + masked)


def parse_url(url: str) -> tuple[str, int, str, bool]:
    """Return host, port, path with query, and whether it is secure, of an address.

    Args:
        url: ws:, wss:, http: or https: address; without a scheme it is ws:, without a port 8787.

    Raises:
        ValueError: it is no such address.
    """
    parts = urlsplit(url if "://" in url else f"ws://{url}")
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("ws", "wss", "http", "https") or not parts.hostname or port in (-1, 0):
        raise ValueError(f"server: expected ws://HOST:PORT such as ws://127.0.0.1:8787, got {url!r}")
    is_secure = parts.scheme in ("wss", "https")
    path = quote(parts.path if parts.path not in ("", "/") else "/ws", safe="/%")
    query = f"?{parts.query}" if parts.query else ""
    usual = {"wss": 443, "https": 443}.get(parts.scheme, 8787)
    return parts.hostname, port or usual, path + query, is_secure
