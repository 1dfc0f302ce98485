"""Who may connect to a server, and what those are told who may not or want only a page."""

import hmac
import ipaddress
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.http11 import Request, Response

from motiongen_bridge.limits import ServerLimits
from motiongen_bridge.pages import Pages, respond

log = logging.getLogger(__name__)

SHORTEST_TOKEN = 8


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """Where a server listens, and to whom.

    Attributes:
        host: address to bind; anything but this machine needs a token.
        port: TCP port; 0 for any that is free.
        token: secret that clients must know; none when empty.
        origins: web origins that may connect, beside the server's own page.
        speed: times real time, for tests.
        limits: how much a client may ask.
    """

    host: str = "127.0.0.1"
    port: int = 8787
    token: str = ""
    origins: tuple[str, ...] = ()
    speed: float = 1.0
    limits: ServerLimits = field(default_factory=ServerLimits)

    def __post_init__(self) -> None:
        if not 0 <= self.port < 65536:
            raise ValueError(f"port: expected 0..65535, got {self.port}")
        if not self.speed > 0:
            raise ValueError(f"speed: expected more than 0, got {self.speed}")
        if not self.token and not is_loopback(self.host):
            raise ValueError(
                f"token: expected one, because {self.host or 'every address'} can be reached from other machines; "
                "pass --token"
            )
        if self.token and len(self.token) < SHORTEST_TOKEN:
            raise ValueError(f"token: expected {SHORTEST_TOKEN} characters or more, got {len(self.token)}")


class HandshakePolicy:
    """Answers requests before they become connections.

    What proxies say of a client (X-Forwarded-For and the like) is not read: anyone can say it.
    """

    def __init__(self, config: ServerConfig, pages: Pages, make_room: Callable[[], bool]) -> None:
        """Take what may come in, what is shown to the others, and whether there is room for one more."""
        self._config, self._pages, self._make_room = config, pages, make_room

    def answer(self, request: Request) -> Response | None:
        """Answer plain requests, and refuse sockets that may not be opened; None lets the handshake go on."""
        try:
            return self._answer(request)
        except ValueError:  # an address that is none
            return respond(HTTPStatus.BAD_REQUEST, b"This request makes no sense.\n")
        except Exception:
            log.exception("event=failed at=door")
            return respond(HTTPStatus.INTERNAL_SERVER_ERROR, b"Something went wrong here.\n")

    def _answer(self, request: Request) -> Response | None:
        path, hosts = urlsplit(request.path).path, request.headers.get_all("Host")
        if len(hosts) != 1:
            return respond(HTTPStatus.BAD_REQUEST, b"Expected one Host header.\n")
        if not self._config.token and not is_loopback(_name(hosts[0])):
            # A page elsewhere whose name was pointed here would have its own origin as Host.
            return respond(HTTPStatus.FORBIDDEN, b"Use the address that motiongen serve printed.\n")
        if path != "/ws":
            if path == "/metrics" and not self._knows_token(request):
                return respond(HTTPStatus.UNAUTHORIZED, b"A token is needed.\n")
            return self._pages.answer(request.path)
        if not all(self._may_come_from(origin, hosts[0]) for origin in request.headers.get_all("Origin")):
            return respond(HTTPStatus.FORBIDDEN, b"This origin may not connect; see --allow-origin.\n")
        if not self._knows_token(request):
            return respond(HTTPStatus.UNAUTHORIZED, b"A token is needed: ?token= or Authorization: Bearer.\n")
        if not self._make_room():
            return respond(HTTPStatus.SERVICE_UNAVAILABLE, b"Too many connections; try again later.\n")
        return None

    def _knows_token(self, request: Request) -> bool:
        if not self._config.token:
            return True
        given = parse_qs(urlsplit(request.path).query).get("token", [""])[0]
        bearer = request.headers.get_all("Authorization")
        if bearer and bearer[0].startswith("Bearer "):
            given = bearer[0].removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(errors="surrogateescape"), self._config.token.encode())

    def _may_come_from(self, origin: str, host: str) -> bool:
        """Pages of this server and of allowed origins may connect; what is no page has no origin."""
        return origin in self._config.origins or (host != "" and urlsplit(origin).netloc == host)


def is_loopback(host: str) -> bool:
    """Return whether a name or address is this machine for those on it only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """Return the name in a Host header, without its port."""
    return urlsplit(f"//{host}").hostname or ""
