"""How many dancers a machine has time for, by what their slices cost lately: it may be busy when a server starts."""

import statistics
from collections import deque

MAX_LOAD = 0.7
"""Share of the time that making slices may take: beyond, all dances would stutter, and more are refused."""
RECENT_STEPS = 9
"""Steps whose median says how slow the machine is now: about as many seconds of one dancer."""


class DanceRoom:
    """The number of dancers that the machine has time for."""

    def __init__(self, slice_seconds: float, alone: float, each: float) -> None:
        """Begin with costs that were measured before any dance.

        Args:
            slice_seconds: length of a slice, seconds of motion.
            alone: seconds in which a slice is made alone.
            each: seconds for each slice more that is made with it.
        """
        self._slice_seconds, self._alone, self._each = slice_seconds, alone, max(each, 1e-4)
        self._slowness: deque[float] = deque(maxlen=RECENT_STEPS)

    def add(self, stepped: int, seconds: float) -> None:
        """Take in what a step cost.

        Args:
            stepped: slices that were made together.
            seconds: the time that they took.
        """
        self._slowness.append(seconds / (self._alone + (stepped - 1) * self._each))

    @property
    def count(self) -> int:
        """Dancers that there is time for now, one at least."""
        # Until a few steps are known, one that was held up says little.
        slowness = statistics.median(self._slowness) if len(self._slowness) > RECENT_STEPS // 2 else 1.0
        spare = MAX_LOAD * self._slice_seconds - slowness * self._alone
        return 1 + max(0, int(spare / (slowness * self._each)))
