"""Plain HTTP responses of a server: the viewer's files, health and metrics."""

import json
import mimetypes
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

from websockets.datastructures import Headers
from websockets.http11 import Response

VIEWER = Path(__file__).parent / "viewer"
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "connect-src 'self' ws: wss: data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
NOT_BUILT = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>motiongen</title>
<body style="font: 16px/1.6 system-ui; max-width: 40em; margin: 10vh auto; padding: 0 1em">
<h1>motiongen is streaming</h1>
<p>The viewer was not built, because Node was not there when motiongen was installed.
The stream is at <code>/ws</code>.</p>
<p>To have the viewer, install Node 20 or newer and install motiongen again, or in a checkout run
<code>npm ci &amp;&amp; npm run build</code> in <code>bridge/web</code>. Or watch in the terminal:
<code>motiongen watch "a person walks"</code>.</p></body></html>
"""


class Pages:
    """Responses by path. The viewer's files are read once, so that no path leads out of their folder."""

    def __init__(
        self,
        health: Callable[[], tuple[HTTPStatus, dict[str, object]]],
        metrics: Callable[[], bytes],
        home: bytes | None = None,
    ) -> None:
        """Read the viewer's files.

        Args:
            health: returns the status and the JSON object of /healthz.
            metrics: returns the text of /metrics.
            home: what / says in place of the viewer, whose files are then left out.
        """
        self._health, self._metrics = health, metrics
        if home is not None:
            self._files = {"/": home}
            return
        self._files = {
            f"/{path.relative_to(VIEWER).as_posix()}": path.read_bytes()
            for path in sorted(VIEWER.rglob("*"))
            if path.is_file()
        }
        self._files["/"] = self._files.get("/index.html", NOT_BUILT)

    def answer(self, target: str) -> Response:
        """Return the response to a GET request.

        Args:
            target: path and query of the request.
        """
        path = unquote(urlsplit(target).path)
        if path == "/healthz":
            status, health = self._health()
            return respond(status, json.dumps(health).encode(), "application/json")
        if path == "/metrics":
            return respond(HTTPStatus.OK, self._metrics(), "text/plain; version=0.0.4; charset=utf-8")
        if path not in self._files:
            return respond(HTTPStatus.NOT_FOUND, b"There is nothing here.\n")
        name = "index.html" if path == "/" else path
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        if name.endswith(".glb"):
            kind = "model/gltf-binary"
        elif name.endswith((".js", ".mjs")):
            kind = "text/javascript"
        # A build names its files by their content, but for the page.
        keeps = "public, max-age=31536000, immutable" if path.startswith("/assets/") else "no-cache"
        return respond(HTTPStatus.OK, self._files[path], kind, {"Cache-Control": keeps})


def respond(
    status: HTTPStatus,
    body: bytes,
    kind: str = "text/plain; charset=utf-8",
    more: dict[str, str] | None = None,
) -> Response:
    """Return a response that closes its connection.

    Args:
        status: status code.
        body: content.
        kind: its media type.
        more: further headers.
    """
    headers = {"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close", **SECURITY}
    return Response(status.value, status.phrase, Headers(headers | (more or {})), body)
