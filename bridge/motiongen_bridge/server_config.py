"""Configuration of a server: its address, its token, its allowed origins and its limits."""

import ipaddress
from dataclasses import dataclass, field

from motiongen_bridge.limits import ServerLimits
from motiongen_bridge.places import MOST

MIN_TOKEN_LENGTH = 8


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """Configuration of a server.

    Attributes:
        host: address to bind; anything but this machine needs a token.
        port: TCP port; 0 for any that is free.
        token: secret that clients must know; none when empty.
        origins: web origins that may connect, beside the server's own page.
        place: number of the server among those behind one proxy, which the keys of its characters begin with.
        speed: times real time, for tests.
        limits: how much a client may ask for.
    """

    host: str = "127.0.0.1"
    port: int = 8787
    token: str = ""
    origins: tuple[str, ...] = ()
    place: int = 0
    speed: float = 1.0
    limits: ServerLimits = field(default_factory=ServerLimits)

    def __post_init__(self) -> None:
        if not 0 <= self.port < 65536:
            raise ValueError(f"port: expected 0..65535, got {self.port}")
        if not 0 <= self.place < MOST:
            raise ValueError(f"place: expected 0..{MOST - 1}, got {self.place}")
        if not self.speed > 0:
            raise ValueError(f"speed: expected more than 0, got {self.speed}")
        if not self.token and not is_loopback(self.host):
            raise ValueError(
                f"token: expected one, because {self.host or 'every address'} can be reached from other machines; "
                "pass --token"
            )
        if self.token and len(self.token) < MIN_TOKEN_LENGTH:
            raise ValueError(f"token: expected {MIN_TOKEN_LENGTH} characters or more, got {len(self.token)}")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address.

    Args:
        host: name or address.
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
