"""Rate limits and size limits of a server."""

import sys
from dataclasses import asdict, dataclass

SPARE_FILES = 64
"""Files that the rest of the process has open: weights, logs, the listening sockets."""
UNLIMITED = 2**31


@dataclass(frozen=True, kw_only=True)
class ServerLimits:
    """Limits that `hello` tells clients. Messages beyond them are refused; clients that go on are disconnected.

    Attributes:
        message_bytes: bytes of a message.
        text_length: characters of a text.
        messages_per_second: rate of messages.
        message_burst: messages at once.
        model_messages: messages that one counts as which costs the model time: `open` with a prompt, and HEAVY verbs.
        flood_seconds: time of being too fast, without a pause, after which a connection is closed.
        characters_per_connection: characters that a connection owns or watches.
        connections: open websockets.
        handshakes: connections in their handshake, or that are sent a page; beyond, the oldest is aborted.
        watchers_per_character: subscriptions to a character.
        unsent_bytes: unsent bytes from which a client misses frames rather than have them late.
        stalled_seconds: time of missing all frames after which a connection is closed.
    """

    message_bytes: int = 16384
    text_length: int = 500
    messages_per_second: float = 60.0
    message_burst: int = 120
    model_messages: int = 10
    flood_seconds: float = 10.0
    characters_per_connection: int = 8
    connections: int = 4096
    handshakes: int = 256
    watchers_per_character: int = 1000
    unsent_bytes: int = 32768
    stalled_seconds: float = 20.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not value > 0:
                raise ValueError(f"{name}: expected more than 0, got {value}; leave it out for the default")


HEAVY = frozenset({"prompt", "then", "pose", "loop"})
"""Verbs that cost the model time: they encode a sentence, or make it look back."""


class TokenBucket:
    """Token bucket: a rate limit that allows bursts."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        """Make a full bucket.

        Args:
            rate: tokens that are added a second.
            burst: tokens that it holds.
            now: seconds of a monotonic clock.
        """
        self._rate, self._burst, self._level, self._then = rate, burst, float(burst), now

    def take(self, now: float, count: int = 1) -> bool:
        """Take tokens, and return True; or return False where there are too few, and take none.

        Args:
            now: seconds of the same clock.
            count: tokens to take.
        """
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
