"""ActionQueue: which action of the predicted chunks is executed next."""

from collections import deque
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class ActionQueue(Protocol):
    """The chunks of actions that were predicted for one environment."""

    @property
    def needs_chunk(self) -> bool:
        """Whether a chunk must be added before the next action can be taken."""
        ...

    def add(self, chunk: NDArray[np.float32]) -> None:
        """Add a chunk (H', A) that begins at the current step."""
        ...

    def pop(self) -> NDArray[np.float32]:
        """Return the action (A,) of the current step, and advance by one step."""
        ...


class RecedingHorizon:
    """Executes the first actions of a chunk, then asks for the next one (Diffusion Policy, Chi et al. 2023).

    Args:
        steps: actions of a chunk that are executed.
    """

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._left: deque[NDArray[np.float32]] = deque()

    @property
    def needs_chunk(self) -> bool:
        """Whether all actions have been executed."""
        return not self._left

    def add(self, chunk: NDArray[np.float32]) -> None:
        """Replace the actions by the first ones of a chunk (H', A)."""
        self._left = deque(chunk[: self._steps])

    def pop(self) -> NDArray[np.float32]:
        """Return the action (A,) of the current step, and advance by one step."""
        return self._left.popleft()


class TemporalEnsemble:
    """Asks for a chunk at every step and averages all chunks' actions for it (ACT, Zhao et al., RSS 2023, algorithm 2).

    Args:
        decay: m of the weights exp(-m i), i = 0 for the oldest chunk: the smaller, the sooner a new one counts.
    """

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self._chunks: deque[NDArray[np.float32]] = deque()

    @property
    def needs_chunk(self) -> bool:
        """Always true: every step has a chunk of its own."""
        return True

    def add(self, chunk: NDArray[np.float32]) -> None:
        """Add a chunk (H', A), and drop the oldest one once it has no action for the current step."""
        self._chunks.append(chunk)
        if len(self._chunks) > len(chunk):
            self._chunks.popleft()

    def pop(self) -> NDArray[np.float32]:
        """Return the weighted mean (A,) of the chunks' actions for the current step, and advance by one step."""
        newest = len(self._chunks) - 1
        actions = np.stack([chunk[newest - i] for i, chunk in enumerate(self._chunks)])  # (n, A)
        weights = np.exp(-self._decay * np.arange(len(actions)))
        return ((weights / weights.sum()) @ actions).astype(np.float32)
