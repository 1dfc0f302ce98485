"""The method of an HTTP request, read before websockets sees the request: that knows GET alone."""

import re
from enum import Enum
from http import HTTPStatus

from motiongen_bridge.pages import respond

METHOD = re.compile(rb"[A-Z]{1,16} ")
MAX_METHOD_BYTES = 17
"""Bytes of the longest method that is told from noise, with the space after it."""
NOT_ALLOWED = respond(
    HTTPStatus.METHOD_NOT_ALLOWED,
    b"Expected GET or HEAD.\n",
    more={"Allow": "GET, HEAD", "Server": "motiongen"},
).serialize()
"""The response to a request of any other method."""


class HTTPMethod(Enum):
    """What a request asks for: content, its headers only, or something that no path here does."""

    GET = "GET"
    HEAD = "HEAD"
    OTHER = "other"


def first_method(data: bytes) -> tuple[HTTPMethod | None, bytes]:
    """Return the method of a request, or None while its end has not come, and the request as if it were a GET.

    What is no HTTP at all is left to websockets, as a GET.

    Args:
        data: the first bytes of a connection.
    """
    found = METHOD.match(data)
    if found is None:
        is_complete = len(data) >= MAX_METHOD_BYTES or b" " in data or b"\n" in data
        return (HTTPMethod.GET if is_complete else None), data
    match found.group():
        case b"GET ":
            return HTTPMethod.GET, data
        case b"HEAD ":
            return HTTPMethod.HEAD, b"GET " + data[found.end() :]
    return HTTPMethod.OTHER, b""
