"""A server's clock as a client knows it, from questions and answers."""

import time
from collections import deque

KEPT = 8
"""Answers of which the quickest sets the clock."""


class ServerClock:
    """Estimates the server's clock: the quicker an answer, the less can its two ways differ (Cristian, 1989).

    Attributes:
        offset: seconds to add to `time.monotonic()` for the server's clock.
        round_trip: of the quickest of the last answers, seconds; 0 before any.
    """

    def __init__(self) -> None:
        self.offset = self.round_trip = 0.0
        self._answers: deque[tuple[float, float]] = deque(maxlen=KEPT)

    @property
    def is_settled(self) -> bool:
        """Whether enough answers have come."""
        return len(self._answers) == KEPT

    def add(self, sent: float, received: float, server_time: float) -> None:
        """Take note of an answer.

        Args:
            sent: when the question was sent, seconds of `time.monotonic()`.
            received: when the answer came.
            server_time: what it said, seconds of the server's clock.
        """
        self._answers.append((received - sent, server_time - (sent + received) / 2))
        self.round_trip, self.offset = min(self._answers)

    def now(self) -> float:
        """Return the server's time, seconds; a frame is to be shown when its `time / 1e6` has come."""
        return time.monotonic() + self.offset
