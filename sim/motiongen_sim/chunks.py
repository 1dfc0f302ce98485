"""Chunks of actions in hand: which action of which chunk is executed now."""

from collections import deque
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Chunks(Protocol):
    """What remains of the chunks that were predicted for one environment."""

    @property
    def is_due(self) -> bool:
        """Whether a chunk must be put before the next action can be taken."""
        ...

    def put(self, chunk: NDArray[np.float32]) -> None:
        """Take a chunk (H', A) whose first action is for now."""
        ...

    def take(self) -> NDArray[np.float32]:
        """Return the action (A,) for now, and go on by one."""
        ...


class Receding:
    """Executes the first `steps` actions of a chunk, then asks for the next (Diffusion Policy, Chi et al. 2023)."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._left: deque[NDArray[np.float32]] = deque()

    @property
    def is_due(self) -> bool:
        """Whether all has been executed."""
        return not self._left

    def put(self, chunk: NDArray[np.float32]) -> None:
        """Take a chunk (H', A)."""
        self._left = deque(chunk[: self._steps])

    def take(self) -> NDArray[np.float32]:
        """Return the next action (A,)."""
        return self._left.popleft()


class Ensemble:
    """Asks for a chunk at every step, and averages what all chunks say of it (ACT, Zhao et al., RSS 2023, algorithm 2).

    Args:
        decay: m of the weights exp(-m i), i = 0 for the oldest chunk: the smaller, the sooner a new one counts.
    """

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self._chunks: deque[NDArray[np.float32]] = deque()

    @property
    def is_due(self) -> bool:
        """Always: every step has a chunk of its own."""
        return True

    def put(self, chunk: NDArray[np.float32]) -> None:
        """Take a chunk (H', A); the first of all that says nothing of now is dropped."""
        self._chunks.append(chunk)
        if len(self._chunks) > len(chunk):
            self._chunks.popleft()

    def take(self) -> NDArray[np.float32]:
        """Return the weighted mean (A,) of what each chunk says of now."""
        newest = len(self._chunks) - 1
        said = np.stack([chunk[newest - i] for i, chunk in enumerate(self._chunks)])  # (n, A)
        weights = np.exp(-self._decay * np.arange(len(said)))
        return ((weights / weights.sum()) @ said).astype(np.float32)
