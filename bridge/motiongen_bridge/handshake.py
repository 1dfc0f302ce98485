"""The client's side of the handshake: one attempt to connect to a server, and each way in which it can fail."""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection as WebSocket
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from motiongen_bridge.frames import SUBPROTOCOL

HANDSHAKE_SECONDS = 10.0
"""Time limit of the handshake, and again of the server's first message."""


class HandshakeRefused(ConnectionError):
    """The server is there and refuses this client: another attempt is no use."""


async def handshake(
    url: str, token: str | None = None, subprotocol: str = SUBPROTOCOL
) -> tuple[WebSocket, dict[str, Any]]:
    """Return a websocket to a server, and the server's hello.

    Args:
        url: address of the websocket.
        token: the server's secret, if it has one.
        subprotocol: that is offered.

    Raises:
        HandshakeRefused: the token is wrong, the version is another, or this address may not connect.
        ConnectionError: there is no server, it is full, or it is no motiongen server.
    """
    try:
        socket = await open_socket(
            url,
            subprotocols=[Subprotocol(subprotocol)],
            additional_headers={"Authorization": f"Bearer {token}"} if token else None,
            compression=None,
            max_size=2**20,
            open_timeout=HANDSHAKE_SECONDS,
            close_timeout=2,
            ping_interval=5,  # a dead network is noticed while the server still keeps the characters
            ping_timeout=10,
            proxy=None if urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1") else True,
        )
    except InvalidStatus as error:
        raise _refusal(url, error, bool(token)) from None
    except ConnectionRefusedError:
        raise ConnectionError(
            f"{redacted_url(url)}: expected a server, nobody listens there; run motiongen serve"
        ) from None
    except TimeoutError:
        raise _silent(url) from None
    except (OSError, InvalidHandshake, InvalidURI, EOFError, ValueError) as error:
        raise _no_server(url, error) from None
    try:
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            hello = json.loads(await socket.recv())
        if not isinstance(hello, dict) or hello.get("type") != "hello":
            raise ValueError("another first message than hello")
        if hello.get("version") != 1:
            raise HandshakeRefused(
                f"{redacted_url(url)}: expected version 1, got {hello.get('version')}; update motiongen"
            )
        return socket, hello
    except TimeoutError:
        socket.transport.abort()
        raise _silent(url) from None
    except (ConnectionClosed, ValueError) as error:
        socket.transport.abort()
        raise _no_server(url, error) from None
    except BaseException:
        socket.transport.abort()
        raise


def socket_url(url: str) -> str:
    """Return the address of a server's websocket.

    Args:
        url: address of its page or of its websocket; `ws:` and `/ws` may be left out.

    Raises:
        ValueError: it is no address.
    """
    try:
        parts = urlsplit(url if "//" in url else f"//{url}", scheme="ws")
        scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
        is_address = scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        is_address = False
    if not is_address:
        raise ValueError(f"url: expected ws://HOST:PORT or http://HOST:PORT, got {url!r}")
    path = parts.path if parts.path not in ("", "/") else "/ws"
    return urlunsplit((scheme, parts.netloc, path, parts.query, ""))


def returning_url(url: str, session: str) -> str:
    """Return the address by which a client comes back to where its characters live.

    Args:
        url: address of the websocket.
        session: key of the session that is to be resumed, or of a character that is to be watched.
    """
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "at"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("at", session[:4])])))


def redacted_url(url: str) -> str:
    """Return an address for messages: without its query, which may hold a token.

    Args:
        url: address of a websocket.
    """
    return urlunsplit(urlsplit(url)._replace(query="", fragment=""))


def error_line(error: BaseException) -> str:
    """Return an error's text as one short line.

    Args:
        error: any exception.
    """
    return " ".join(str(error).split())[:200] or type(error).__name__


def _no_server(url: str, error: BaseException) -> ConnectionError:
    return ConnectionError(f"{redacted_url(url)}: expected a motiongen server, got {error_line(error)}")


def _silent(url: str) -> ConnectionError:
    waited = f"{HANDSHAKE_SECONDS:g} s"
    return ConnectionError(f"{redacted_url(url)}: expected a motiongen server, got no word in {waited}")


def _refusal(url: str, error: InvalidStatus, has_token: bool) -> ConnectionError:
    status = error.response.status_code
    body = " ".join((error.response.body or b"").decode(errors="replace").split())[:200]
    shown = redacted_url(url)
    match status:
        case 401:
            given = "another" if has_token or "token=" in url else "none"
            return HandshakeRefused(f"{shown}: expected the server's token, got {given}; ask who runs it")
        case 403:
            return HandshakeRefused(f"{shown}: the server refuses: {body}")
        case 503:
            return ConnectionError(f"{shown}: the server is full: {body}")
    return ConnectionError(f"{shown}: expected a motiongen server, got HTTP status {status}")
