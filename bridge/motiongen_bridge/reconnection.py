"""A connection that was lost is made again: attempts with growing pauses, until the server has forgotten it."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from websockets.asyncio.client import ClientConnection as WebSocket
from websockets.exceptions import ConnectionClosed

from motiongen_bridge.handshake import HandshakeRefused, error_line, handshake, redacted_url, returning_url

log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS = 0.25, 4.0
"""Time between attempts to reconnect: twice as long each time."""
MOST_RESUME_SECONDS = 600.0
"""Time for which a lost connection is tried again at most, whatever the server says."""
FINAL_CLOSE_CODES = {
    1000: "the server hung up",
    1001: "the server stopped, and its characters are gone; connect again later, and open others",
    1008: "the server hung up",
}
"""Close codes after which nothing more is to come: what they mean. This side's own close is not among them."""


async def reconnect(
    url: str,
    token: str | None,
    hello: Mapping[str, Any],
    last: Callable[[], Mapping[str, int]],
    receive: Callable[[str | bytes], None],
) -> tuple[WebSocket, dict[str, Any], list[str]]:
    """Return a new socket to a server, its first message, and the characters that it has taken over.

    Args:
        url: address of the websocket.
        token: the server's secret, if it has one.
        hello: first message of the connection that was lost.
        last: returns the number of each of its characters -> the last frame that was seen of it.
        receive: called with the messages that come before the answer.

    Raises:
        ConnectionError: it took too long, or the characters are gone.
    """
    end = time.monotonic() + min(MOST_RESUME_SECONDS, float(hello.get("resume_seconds", 30.0)))
    wait = FIRST_RETRY_SECONDS
    # A connection that drops while it is resumed may own the characters already: the newest first.
    sessions = [hello["session"]]
    while True:
        try:
            async with asyncio.timeout(end - time.monotonic()):
                # Who comes back says where its characters live; who has none may come to any server.
                back = returning_url(url, sessions[0]) if last() else url
                socket, new_hello = await handshake(back, token)
                try:
                    kept = await _resume(socket, sessions, last(), receive, redacted_url(url))
                except BaseException:
                    socket.transport.abort()
                    sessions.insert(0, new_hello["session"])
                    raise
            return socket, new_hello, kept
        except HandshakeRefused:
            raise
        except (ConnectionError, ConnectionClosed, TimeoutError) as error:
            log.info("event=lost reason=%s", error_line(error))
            if time.monotonic() + wait > end:
                raise ConnectionError(f"{redacted_url(url)}: the connection was lost for good") from None
            await asyncio.sleep(wait)
            wait = min(2 * wait, MAX_RETRY_SECONDS)


async def _resume(
    socket: WebSocket,
    sessions: Sequence[str],
    last: Mapping[str, int],
    receive: Callable[[str | bytes], None],
    shown_url: str,
) -> list[str]:
    """Take the characters over from the connection that was lost; return the numbers of those that are left."""
    if not last:
        return []  # the server keeps no connection without characters
    for session in sessions:
        await socket.send(json.dumps({"type": "resume", "id": 0, "session": session, "last": last}))
        while not isinstance(data := await socket.recv(), str) or read_message(data).get("id") != 0:
            receive(data)
        answer = read_message(data)
        if answer["type"] == "ok":
            return list(answer["characters"])
    raise HandshakeRefused(f"{shown_url}: the connection was lost, and the characters are gone; open others")


def read_message(text: str) -> dict[str, Any]:
    """Return a message of the server. Raises ValueError for anything but a JSON object."""
    message = json.loads(text)
    if not isinstance(message, dict):
        raise ValueError(f"message: expected an object, got {type(message).__name__}")
    return message
