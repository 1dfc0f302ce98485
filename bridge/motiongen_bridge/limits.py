"""How much a client may ask of a server."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
class ServerLimits:
    """What `hello` tells clients of; beyond it messages are refused, and those who go on are hung up on."""

    message_bytes: int = 16384
    text_length: int = 500
    messages_per_second: float = 30.0
    message_burst: int = 60
    flood_seconds: float = 10.0
    """Time of being refused for haste, without a break, after which a connection is closed."""
    characters_per_connection: int = 8
    connections: int = 4096
    watchers_per_character: int = 1000
    unsent_bytes: int = 32768
    """Unsent bytes from which a client misses frames rather than have them late."""
    stalled_seconds: float = 20.0
    """Time of missing all frames after which a connection is closed."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not value > 0:
                raise ValueError(f"{name}: expected more than 0, got {value}; leave it out for the default")


class TokenBucket:
    """Allows `rate` things a second, and `burst` at once."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate, self._burst, self._level, self._then = rate, burst, float(burst), now

    def take(self, now: float) -> bool:
        """Return whether one more is allowed at this time, seconds."""
        self._level = min(self._burst, self._level + (now - self._then) * self._rate)
        self._then = now
        if self._level < 1:
            return False
        self._level -= 1
        return True
