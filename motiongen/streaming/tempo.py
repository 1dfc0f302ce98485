"""Plays the frames of a driven character faster and slower: who goes faster steps more often, and not only further."""

from collections import deque
from dataclasses import replace

import numpy as np

from motiongen.streaming.pending_frame import PendingFrame
from motiongen.streaming.spring import Spring

SHARE = 0.6
"""Exponent of the tempo in the speed: the rest is the length of steps."""
SLOWEST, FASTEST = 0.65, 1.4
"""Least and greatest tempo."""
CHANGING = 9.0
"""Stiffness with which the tempo changes, radians a second."""


class Tempo:
    """Where between two frames a character is."""

    def __init__(self) -> None:
        """Begin at the frames' own tempo."""
        self._rate, self._ahead = (
            Spring(1.0),
            0.0,
        )  # frames from the first that waits to the next that is shown

    def follow(self, stride: float) -> None:
        """Go on by a frame.

        Args:
            stride: speed of the character as a multiple of its gait's own.
        """
        rate = min(max(stride**SHARE, SLOWEST), FASTEST)
        self._rate.follow(rate, CHANGING)
        if rate == 1.0 and abs(self._rate.at - 1.0) < 0.01:
            self._rate.at, self._rate.rate = 1.0, 0.0
            self._ahead = 0.0 if self._ahead < 0.02 else 0.8 * self._ahead

    def next(self, frames: deque[PendingFrame]) -> PendingFrame:
        """Return the next frame, between two of those that wait, and remove those that are over.

        Args:
            frames: those that wait, at least one.
        """
        if self._rate.at == 1.0 and self._ahead == 0.0:
            return frames.popleft()
        if frames[0].cuts:
            self._ahead = 0.0
        shown = frames[0]
        if self._ahead > 0.01 and len(frames) > 1 and not frames[1].cuts:
            shown = between(frames[0], frames[1], self._ahead)
        self._ahead += self._rate.at
        while self._ahead >= 1.0 and frames and not (shown is not frames[0] and frames[0].cuts):
            frames.popleft()
            self._ahead -= 1.0
        self._ahead %= 1.0
        return shown


def between(first: PendingFrame, second: PendingFrame, share: float) -> PendingFrame:
    """Return a frame between two, with the contacts and the number of the nearer.

    Args:
        first: a frame.
        second: the one after it.
        share: of the second.
    """
    nearer = first if share < 0.5 else second
    signs = np.sign((first.rotations * second.rotations).sum(axis=-1, keepdims=True))
    mixed = (1 - share) * first.rotations + share * np.where(signs < 0, -second.rotations, second.rotations)
    rotations = (mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)).astype(np.float32)
    root = ((1 - share) * first.root + share * second.root).astype(np.float32)
    return replace(first, rotations=rotations, root=root, contacts=nearer.contacts, obeys=nearer.obeys)
