"""Where sessions and characters live: their keys begin with the numbers of their server and its process."""

import re
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

DIGITS = re.compile(r"[0-9a-f]{4}")
MOTION = "/motion/"
"""Beginning of the path of a character's file, which a key follows."""
MOST = 256
"""Servers behind one proxy, and processes of a server, at most: two digits each."""


@dataclass(frozen=True)
class Place:
    """A process of a server; four hexadecimal digits as text.

    Attributes:
        server: number of the server among those behind one proxy.
        worker: number of the process.
    """

    server: int = 0
    worker: int = 0

    def __str__(self) -> str:
        return f"{self.server:02x}{self.worker:02x}"

    def new_key(self) -> str:
        """Return a new secret key, 32 hexadecimal digits, of something that lives here."""
        return f"{self}{secrets.token_hex(14)}"


def place_of(key: str) -> Place | None:
    """Return the place where a key's owner was made; None where it is no key.

    Args:
        key: a session's or a character's, or its first four digits.
    """
    found = DIGITS.match(key)
    return None if found is None else Place(int(key[:2], 16), int(key[2:4], 16))


def wanted_place(target: str) -> Place | None:
    """Return the place that a request wants to come to; None where any will do.

    Args:
        target: path and query of the request: `?at=` the first digits of a key, or a character's file.
    """
    try:
        parts = urlsplit(target)
        key = parse_qs(parts.query).get("at", [""])[0]
    except ValueError:  # a malformed address, which whoever answers it refuses
        return None
    return place_of(parts.path.removeprefix(MOTION) if parts.path.startswith(MOTION) else key)
