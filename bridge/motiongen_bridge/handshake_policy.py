"""Admission control: which HTTP requests become websockets, and the response to all others."""

import asyncio
import hmac
import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.http11 import Request, Response

from motiongen_bridge.avatars import AVATARS
from motiongen_bridge.downloads import PREFIX, Downloads
from motiongen_bridge.pages import Pages, respond
from motiongen_bridge.server_config import ServerConfig, is_loopback

log = logging.getLogger(__name__)

HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]*)(:[0-9]{1,5})?")
"""A Host header: a name or an address, and a port. A user, a path or a fragment in it is an attempt to mislead."""
WRONG_TOKEN_SECONDS = 1.0
"""Time after which a wrong token is answered: who tries many waits for each."""
PAGE_SCHEMES = ("http", "https")
"""Schemes of the server's own page; behind a proxy that ends TLS it is https."""


class HandshakePolicy:
    """Checks the host, the origin and the token of each request.

    What proxies say of a client (X-Forwarded-For and the like) is not read: anyone can say it.
    """

    def __init__(
        self,
        config: ServerConfig,
        pages: Pages,
        downloads: Downloads,
        on_wrong_token: Callable[[], None],
    ) -> None:
        """Make a policy.

        Args:
            config: token and allowed origins.
            pages: answers requests that want no websocket.
            downloads: answers those that want a character's motion, or an avatar, as a file.
            on_wrong_token: called for each request whose token is not the server's.
        """
        self._config, self._pages, self._downloads = config, pages, downloads
        self._on_wrong_token = on_wrong_token

    async def answer(
        self, request: Request, make_room: Callable[[], bool], *, is_head: bool = False
    ) -> Response | None:
        """Return the response to a request, or None where its websocket handshake may go on.

        Args:
            request: as it came.
            make_room: returns whether this connection fits; called where nothing else is wrong with it.
            is_head: whether the headers alone are asked for.
        """
        response = await self._answer_anything(request, make_room)
        if is_head:
            response = response or respond(HTTPStatus.METHOD_NOT_ALLOWED, b"", more={"Allow": "GET"})
            response.body = b""  # the length in the headers is that of the content
        return response

    async def _answer_anything(self, request: Request, make_room: Callable[[], bool]) -> Response | None:
        try:
            return await self._answer(request, make_room)
        except ValueError:  # a malformed address
            return respond(HTTPStatus.BAD_REQUEST, b"This request makes no sense.\n")
        except Exception:
            log.exception("event=failed at=handshake")
            return respond(HTTPStatus.INTERNAL_SERVER_ERROR, b"Something went wrong here.\n")

    async def _answer(self, request: Request, make_room: Callable[[], bool]) -> Response | None:
        path, hosts = urlsplit(request.path).path, request.headers.get_all("Host")
        if len(hosts) != 1 or not HOST.fullmatch(hosts[0]):
            return respond(HTTPStatus.BAD_REQUEST, b"Expected one Host header: a name and a port.\n")
        if not self._config.token and not is_loopback(_host_name(hosts[0])):
            # A page elsewhere whose name was pointed here would have its own origin as Host.
            return respond(HTTPStatus.FORBIDDEN, b"Use the address that motiongen serve printed.\n")
        if path != "/ws":
            is_file = path.startswith((PREFIX, AVATARS))
            is_open = path != "/metrics" and not is_file
            if not is_open and not self._has_token(request):
                return await self._refuse_token(request, b"A token is needed.\n")
            if is_file:
                return await self._downloads.answer(path, urlsplit(request.path).query)
            return self._pages.answer(request.path)
        if not all(self._is_allowed(origin, hosts[0]) for origin in request.headers.get_all("Origin")):
            return respond(HTTPStatus.FORBIDDEN, b"This origin may not connect; see --allow-origin.\n")
        if not self._has_token(request):
            return await self._refuse_token(
                request, b"A token is needed: ?token= or Authorization: Bearer.\n"
            )
        if not make_room():
            return respond(HTTPStatus.SERVICE_UNAVAILABLE, b"No room here; try again later.\n")
        return None

    def _has_token(self, request: Request) -> bool:
        given = _given_token(request).encode(errors="surrogateescape")
        return not self._config.token or hmac.compare_digest(given, self._config.token.encode())

    async def _refuse_token(self, request: Request, body: bytes) -> Response:
        """Return the refusal of a request; of one with a wrong token after a while. A page's first try has none."""
        if _given_token(request):
            self._on_wrong_token()
            await asyncio.sleep(WRONG_TOKEN_SECONDS)
        return respond(HTTPStatus.UNAUTHORIZED, body)

    def _is_allowed(self, origin: str, host: str) -> bool:
        """Return whether a page may connect: the server's own, or of an allowed origin. Other programs send none."""
        own = [f"{scheme}://{host}".lower() for scheme in PAGE_SCHEMES]
        return origin in self._config.origins or (host != "" and origin.lower() in own)


def _given_token(request: Request) -> str:
    """Return the token of a request; the header wins; empty where there is none."""
    bearer = request.headers.get_all("Authorization")
    if bearer and bearer[0].startswith("Bearer "):
        return bearer[0].removeprefix("Bearer ")
    return parse_qs(urlsplit(request.path).query).get("token", [""])[0]


def _host_name(host: str) -> str:
    """Return the name in a Host header, without its port."""
    return urlsplit(f"//{host}").hostname or ""
