"""How much a client may ask of a server."""

import sys
from dataclasses import asdict, dataclass

SPARE_FILES = 64
"""Files that the rest of the process has open: weights, logs, the listening sockets."""
UNLIMITED = 2**31


@dataclass(frozen=True, kw_only=True)
class ServerLimits:
    """What `hello` tells clients of; beyond it messages are refused, and those who go on are hung up on."""

    message_bytes: int = 16384
    text_length: int = 500
    messages_per_second: float = 30.0
    message_burst: int = 60
    model_messages: int = 10
    """Messages that one counts as which costs the model time: open with a prompt, and the verbs in `HEAVY`."""
    flood_seconds: float = 10.0
    """Time of being too fast, without a pause, after which a connection is closed."""
    characters_per_connection: int = 8
    connections: int = 4096
    handshakes: int = 256
    """Connections that have not said yet what they want, or are being sent a page; beyond, the oldest is cut."""
    watchers_per_character: int = 1000
    unsent_bytes: int = 32768
    """Unsent bytes from which a client misses frames rather than have them late."""
    stalled_seconds: float = 20.0
    """Time of missing all frames after which a connection is closed."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not value > 0:
                raise ValueError(f"{name}: expected more than 0, got {value}; leave it out for the default")


HEAVY = frozenset({"prompt", "then", "pose", "loop"})
"""Verbs that read a sentence, or make the model look back."""


class TokenBucket:
    """Allows `rate` things a second, and `burst` at once."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate, self._burst, self._level, self._then = rate, burst, float(burst), now

    def take(self, now: float, count: int = 1) -> bool:
        """Return whether so many more are allowed at this time, seconds."""
        self._level = min(self._burst, self._level + (now - self._then) * self._rate)
        self._then = now
        if self._level < count:
            return False
        self._level -= count
        return True

    @property
    def is_calm(self) -> bool:
        """Whether it was at least half full when last taken from."""
        return self._level >= self._burst / 2


def open_files() -> int:
    """Return how many files this process may have open."""
    if sys.platform == "win32":  # there is no such limit
        return UNLIMITED
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return UNLIMITED if soft == resource.RLIM_INFINITY else soft
