"""ChunkQueue: the actions that a robot has in hand, and how a chunk that comes late is joined to them."""

import numpy as np
from numpy.typing import NDArray

Actions = NDArray[np.float32]


class ChunkQueue:
    """Actions of coming control steps, of chunks that were asked for while the robot went on moving.

    A chunk begins at the step of its observation, and arrives steps later: what it says of steps that are over is left
    out, and where it overlaps with actions in hand, it takes over little by little, so that there is no jerk at the
    seam. (Real-time chunking, Black et al. 2025, has a diffusion policy write what is not yet fixed anew; codes of a
    chunk cannot be held in part, so here the actions are blended.)

    Args:
        blend: steps over which a new chunk takes over; 0 for at once.

    Attributes:
        step: the current control step, from 0 on.
        delay: steps that the newest chunk came late.
        repeated: steps for which no action was in hand, and the last one was repeated.
        dropped: chunks that came too late to be of use, or after a newer one.
    """

    def __init__(self, blend: int = 4) -> None:
        if blend < 0:
            raise ValueError(f"blend: expected 0 or more steps, got {blend}")
        self.step, self.delay, self.repeated, self.dropped = 0, 0, 0, 0
        self._blend = blend
        self._left: Actions | None = None  # (n, A), from the current step on
        self._last: Actions | None = None  # (A,), of the step before
        self._newest = -1  # step at which the newest chunk began

    @property
    def left(self) -> int:
        """Actions in hand."""
        return 0 if self._left is None else len(self._left)

    def add(self, chunk: Actions, number: int) -> bool:
        """Join a chunk to the actions in hand. Returns whether it was of use.

        Args:
            chunk: (H', A).
            number: control step of its first action.
        """
        delay = self.step - number
        if number <= self._newest or not 0 <= delay < len(chunk):
            self.dropped += 1
            return False
        fresh = chunk[delay:].copy()
        shared = min(self._blend, self.left, len(fresh))
        if self._left is not None and shared:
            share = (np.arange(shared, dtype=np.float32)[:, None] + 1) / (shared + 1)
            fresh[:shared] = share * fresh[:shared] + (1 - share) * self._left[:shared]
        self._left, self._newest, self.delay = fresh, number, delay
        return True

    def pop(self) -> Actions:
        """Return the action (A,) of the current step, and advance by one; the last one again where none is in hand.

        Raises:
            LookupError: no chunk has come yet.
        """
        if self._left is not None and len(self._left):
            self._last, self._left = self._left[0], self._left[1:]
        elif self._last is None:
            raise LookupError("actions: expected a chunk, got none yet; wait for the first one")
        else:
            self.repeated += 1
        self.step += 1
        return self._last
