"""Admission control: which HTTP requests become websockets, and the response to all others."""

import hmac
import logging
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.http11 import Request, Response

from motiongen_bridge.pages import Pages, respond
from motiongen_bridge.server_config import ServerConfig, is_loopback

log = logging.getLogger(__name__)


class HandshakePolicy:
    """Checks the host, the origin and the token of each request.

    What proxies say of a client (X-Forwarded-For and the like) is not read: anyone can say it.
    """

    def __init__(self, config: ServerConfig, pages: Pages, make_room: Callable[[], bool]) -> None:
        """Make a policy.

        Args:
            config: token and allowed origins.
            pages: answers requests that want no websocket.
            make_room: returns whether one more connection fits.
        """
        self._config, self._pages, self._make_room = config, pages, make_room

    def answer(self, request: Request) -> Response | None:
        """Return the response to a request, or None where its websocket handshake may go on.

        Args:
            request: as it came.
        """
        try:
            return self._answer(request)
        except ValueError:  # a malformed address
            return respond(HTTPStatus.BAD_REQUEST, b"This request makes no sense.\n")
        except Exception:
            log.exception("event=failed at=handshake")
            return respond(HTTPStatus.INTERNAL_SERVER_ERROR, b"Something went wrong here.\n")

    def _answer(self, request: Request) -> Response | None:
        path, hosts = urlsplit(request.path).path, request.headers.get_all("Host")
        if len(hosts) != 1:
            return respond(HTTPStatus.BAD_REQUEST, b"Expected one Host header.\n")
        if not self._config.token and not is_loopback(_host_name(hosts[0])):
            # A page elsewhere whose name was pointed here would have its own origin as Host.
            return respond(HTTPStatus.FORBIDDEN, b"Use the address that motiongen serve printed.\n")
        if path != "/ws":
            if path == "/metrics" and not self._has_token(request):
                return respond(HTTPStatus.UNAUTHORIZED, b"A token is needed.\n")
            return self._pages.answer(request.path)
        if not all(self._is_allowed(origin, hosts[0]) for origin in request.headers.get_all("Origin")):
            return respond(HTTPStatus.FORBIDDEN, b"This origin may not connect; see --allow-origin.\n")
        if not self._has_token(request):
            return respond(HTTPStatus.UNAUTHORIZED, b"A token is needed: ?token= or Authorization: Bearer.\n")
        if not self._make_room():
            return respond(HTTPStatus.SERVICE_UNAVAILABLE, b"Too many connections; try again later.\n")
        return None

    def _has_token(self, request: Request) -> bool:
        if not self._config.token:
            return True
        given = parse_qs(urlsplit(request.path).query).get("token", [""])[0]
        bearer = request.headers.get_all("Authorization")
        if bearer and bearer[0].startswith("Bearer "):
            given = bearer[0].removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(errors="surrogateescape"), self._config.token.encode())

    def _is_allowed(self, origin: str, host: str) -> bool:
        """Return whether a page may connect: the server's own, or of an allowed origin. Other programs send none."""
        return origin in self._config.origins or (host != "" and urlsplit(origin).netloc == host)


def _host_name(host: str) -> str:
    """Return the name in a Host header, without its port."""
    return urlsplit(f"//{host}").hostname or ""
