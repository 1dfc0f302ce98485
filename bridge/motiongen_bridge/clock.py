"""Clock synchronisation: estimates the server's clock from pings and pongs."""

import time
from collections import deque

KEPT = 8
"""Last pongs of which the quickest sets the clock."""


class ServerClock:
    """Estimate of the server's clock: the quicker a pong, the less can its two ways differ (Cristian, 1989).

    Attributes:
        offset: seconds to add to `time.monotonic()` for the server's clock.
        round_trip: round trip of the quickest of the last pongs, seconds; 0 before any.
    """

    def __init__(self) -> None:
        self.offset = self.round_trip = 0.0
        self._answers: deque[tuple[float, float]] = deque(maxlen=KEPT)

    @property
    def is_settled(self) -> bool:
        """Whether enough pongs have come."""
        return len(self._answers) == KEPT

    def add(self, sent: float, received: float, server_time: float) -> None:
        """Record a pong.

        Args:
            sent: when its ping was sent, seconds of `time.monotonic()`.
            received: when it came.
            server_time: seconds of the server's clock that it carries.
        """
        self._answers.append((received - sent, server_time - (sent + received) / 2))
        self.round_trip, self.offset = min(self._answers)

    def now(self) -> float:
        """Return the server's time, seconds. A frame is to be shown at its `time / 1e6`."""
        return time.monotonic() + self.offset
