"""A bounded, thread-safe queue of mono sound: the client fills it, the model's thread drains it."""

import threading
from collections import deque

import numpy as np

from motiongen.streaming.verbs import VerbError

SAMPLE_RATES = (8000, 96000)
"""Samples a second, least and most."""
MAX_QUEUED_SECONDS = 10.0
"""Seconds of sound that may wait. A client that has a whole song sends it as it is danced."""


class AudioQueue:
    """The sound of one piece of music. One thread adds to it, another takes from it.

    Attributes:
        number: number of the command that began the piece.
        is_live: whether the sound comes as it is played.
        sample_rate: samples a second; 0 before any sound.
        received: samples that came.
        skipped: samples of them that were left out.
        largest_part: samples of the largest part that came at once.
        start_frame: the character's next frame when the first sound came; None before.
        is_over: whether no more sound will come.
    """

    def __init__(self, number: int, is_live: bool) -> None:
        """Make an empty queue.

        Args:
            number: number of the command that began the piece.
            is_live: whether the sound comes as it is played.
        """
        self.number, self.is_live = number, is_live
        self.sample_rate = self.received = self.skipped = self.largest_part = 0
        self.start_frame: int | None = None
        self.is_over = False
        self._parts: deque[np.ndarray] = deque()
        self._queued = 0
        self._lock = threading.Lock()

    @property
    def queued(self) -> int:
        """Samples that wait."""
        return self._queued

    def add(self, samples: np.ndarray, sample_rate: int, first: int, frame: int) -> None:
        """Queue the next samples. Where too much live sound waits, the oldest is left out: it does not come again.

        Args:
            samples: (n,) mono sound, int16 or float32.
            sample_rate: samples a second.
            first: number of the first sample in the piece.
            frame: the character's next frame.

        Raises:
            VerbError: the samples are not the next, the rate is another, or too much sound that is not live waits.
        """
        low, high = SAMPLE_RATES
        if not low <= sample_rate <= high:
            raise VerbError("bad_value", f"audio: expected {low}..{high} samples a second, got {sample_rate}")
        if self.sample_rate not in (0, sample_rate):
            raise VerbError(
                "bad_value",
                f"audio: expected {self.sample_rate} samples a second as before, got {sample_rate}",
            )
        if first != self.received:
            raise VerbError(
                "bad_value", f"audio: expected sample {self.received} to be the next, got {first}"
            )
        excess = self._queued + len(samples) - round(MAX_QUEUED_SECONDS * sample_rate)
        if excess > 0 and self.is_live:
            self.skip(excess)
        elif excess > 0:
            raise VerbError(
                "busy", f"audio: expected at most {MAX_QUEUED_SECONDS:g} s of sound to wait; send it later"
            )
        with self._lock:
            self._parts.append(samples)
            self._queued += len(samples)
        self.sample_rate, self.received = sample_rate, self.received + len(samples)
        self.largest_part = max(self.largest_part, len(samples))
        if self.start_frame is None:
            self.start_frame = frame

    def end(self, *, now: bool) -> None:
        """Accept no more sound.

        Args:
            now: remove sound that waits, too.
        """
        if now:
            self.skip(self._queued)
        self.is_over = True

    def take(self, max_samples: int) -> np.ndarray | None:
        """Remove and return the next samples as float32 of -1..1, or None where nothing waits.

        Args:
            max_samples: samples at most.
        """
        with self._lock:
            if not self._parts:
                return None
            part = self._parts.popleft()
            if len(part) > max_samples:
                self._parts.appendleft(part[max_samples:])
                part = part[:max_samples]
            self._queued -= len(part)
        return (part / 32768).astype(np.float32) if part.dtype == np.int16 else part.astype(np.float32)

    def skip(self, count: int) -> None:
        """Remove samples that wait, the oldest first.

        Args:
            count: samples to remove.
        """
        with self._lock:
            while self._parts and count > 0:
                part = self._parts.popleft()
                cut = min(len(part), count)
                if cut < len(part):
                    self._parts.appendleft(part[cut:])
                count -= cut
                self.skipped += cut
                self._queued -= cut
