"""A piece of music on its way to a dancer: sound that has come, and waits to be listened to."""

import threading
from collections import deque

import numpy as np

from motiongen.streaming.verbs import VerbError

RATES = (8000, 96000)
"""Samples a second, least and most."""
AHEAD = 10.0
"""Seconds of sound that may wait. Who has a whole song sends it as it is danced."""


class AudioQueue:
    """One thread adds sound, another takes it.

    Attributes:
        number: of the verb that began it.
        is_live: whether its sound comes as it is played.
        rate: samples a second; 0 before any sound.
        came: samples that came.
        skipped: samples of them that were left out.
        longest: samples of the longest part that came at once.
        begun_at: frame that its dancer was to show when its first sound came; None before.
        is_over: whether no more will come.
    """

    def __init__(self, number: int, is_live: bool) -> None:
        self.number, self.is_live = number, is_live
        self.rate = self.came = self.skipped = self.longest = 0
        self.begun_at: int | None = None
        self.is_over = False
        self._parts: deque[np.ndarray] = deque()
        self._waiting = 0
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """Samples that wait."""
        return self._waiting

    def add(self, samples: np.ndarray, rate: int, first: int, frame: int) -> None:
        """Take the next samples (n,), int16 or float32.

        Args:
            samples: the sound.
            rate: samples a second.
            first: number of the first of them in the audio.
            frame: that the dancer is to show next.

        Raises:
            VerbError: they are not the next, the rate is another, or too many wait; of live sound the oldest is left
                out instead, since it does not come again.
        """
        if not RATES[0] <= rate <= RATES[1]:
            raise VerbError(
                "bad_value", f"audio: expected {RATES[0]}..{RATES[1]} samples a second, got {rate}"
            )
        if self.rate not in (0, rate):
            raise VerbError(
                "bad_value", f"audio: expected {self.rate} samples a second as before, got {rate}"
            )
        if first != self.came:
            raise VerbError("bad_value", f"audio: expected sample {self.came} to be the next, got {first}")
        too_many = self._waiting + len(samples) - round(AHEAD * rate)
        if too_many > 0 and self.is_live:
            self.skip(too_many)
        elif too_many > 0:
            raise VerbError("busy", f"audio: expected at most {AHEAD:g} s of sound to wait; send it later")
        with self._lock:
            self._parts.append(samples)
            self._waiting += len(samples)
        self.rate, self.came, self.longest = rate, self.came + len(samples), max(self.longest, len(samples))
        if self.begun_at is None:
            self.begun_at = frame

    def end(self, *, now: bool) -> None:
        """Let no more come; with `now`, forget what waits."""
        if now:
            self.skip(self._waiting)
        self.is_over = True

    def take(self, most: int) -> np.ndarray | None:
        """Return the next samples, at most so many, as float32 of -1..1, or None where nothing waits."""
        with self._lock:
            if not self._parts:
                return None
            part = self._parts.popleft()
            if len(part) > most:
                self._parts.appendleft(part[most:])
                part = part[:most]
            self._waiting -= len(part)
        return (part / 32768).astype(np.float32) if part.dtype == np.int16 else part.astype(np.float32)

    def skip(self, count: int) -> None:
        """Forget so many samples that wait, the oldest first."""
        with self._lock:
            while self._parts and count > 0:
                part = self._parts.popleft()
                cut = min(len(part), count)
                if cut < len(part):
                    self._parts.appendleft(part[cut:])
                count -= cut
                self.skipped += cut
                self._waiting -= cut
