"""The HTTP server of MMCP, beside that of the stream: a thread of its own, and who may ask."""

import hmac
import json
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Self
from urllib.parse import urlsplit

import uvicorn
from motionmcp import ProtocolError, build_app

from motiongen.inference.model import Model
from motiongen_bridge.listening import bind_sockets
from motiongen_bridge.mmcp import MotionBackbone
from motiongen_bridge.server_config import ServerConfig, is_loopback

PORT = 8000
"""Port on which plug-ins look for a server by default."""
START_SECONDS = 30.0

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class MmcpServer:
    """Answers MMCP requests while it is entered: `with MmcpServer(model, config): …`.

    Attributes:
        url: address for plug-ins, without a path.
    """

    def __init__(
        self, model: Model, config: ServerConfig, sockets: list[socket.socket] | None = None
    ) -> None:
        """Bind the port, unless that is done.

        Args:
            model: writes the clips.
            config: address, token and allowed origins; its limits are the stream's.
            sockets: what `bind_sockets` returned for its address; bound here if None.

        Raises:
            OSError: the port is taken.
        """
        self._sockets = bind_sockets(config.host, config.port) if sockets is None else sockets
        host = f"[{config.host}]" if ":" in config.host else config.host
        self.url = f"http://{host}:{self._sockets[0].getsockname()[1]}"
        app = Guard(build_app(MotionBackbone(model), title="motiongen"), config)
        # In a thread it takes no signals: the stream's server ends on Ctrl-C, and this one with it.
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, args=(self._sockets,), daemon=True)

    def __enter__(self) -> Self:
        for one in self._sockets:
            one.listen(128)  # who connects before the thread runs waits
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(START_SECONDS)
        for one in self._sockets:
            one.close()


class Guard:
    """Lets through whom the stream's server would: the token's owners, and no page of elsewhere."""

    def __init__(self, app: App, config: ServerConfig) -> None:
        """Make a guard.

        Args:
            app: answers those who may ask.
            config: token and allowed origins.
        """
        self._app, self._config = app, config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI request.

        Args:
            scope: the request.
            receive: gives its body.
            send: takes the answer.
        """
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
            return
        body = json.dumps(refusal.to_envelope()).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": refusal.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _refusal(self, scope: Scope) -> ProtocolError | None:
        given: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            given.setdefault(name.lower(), []).append(value)
        for origin in given.get(b"origin", []):
            if origin.decode("latin-1") not in self._config.origins:
                return ProtocolError("forbidden", "this origin may not connect; see --allow-origin")
        if self._config.token:
            bearer = given.get(b"authorization", [b""])[0]
            if not hmac.compare_digest(bearer, f"Bearer {self._config.token}".encode()):
                return ProtocolError("unauthorized", "a token is needed: Authorization: Bearer")
            return None
        hosts = given.get(b"host", [])
        if len(hosts) != 1 or not is_loopback(_name(hosts[0])):
            # A page elsewhere whose name was pointed here would have its own name as Host.
            return ProtocolError("forbidden", "use the address that motiongen serve printed")
        return None


def _name(host: bytes) -> str:
    """Return the name in a Host header, without its port; empty where it makes no sense."""
    try:
        return urlsplit(f"//{host.decode('latin-1')}").hostname or ""
    except ValueError:
        return ""
