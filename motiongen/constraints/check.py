"""Checks of the numbers of constraints."""

import math
from collections.abc import Sequence

LONGEST = 600.0
"""Latest time of a constraint, seconds: that of the longest motion."""
FARTHEST = 1000.0
"""Largest coordinate, metres."""


def finite(kind: str, name: str, values: Sequence[float] | float, count: int | None = None) -> None:
    """Raise ValueError unless values are finite numbers within FARTHEST, and as many as expected.

    Args:
        kind: of constraint, with which the message begins.
        name: of the field.
        values: numbers, or one.
        count: how many there must be; None for any number.
    """
    listed = list(values) if isinstance(values, Sequence) else [values]
    if count is not None and len(listed) != count:
        raise ValueError(f"{kind}: expected {name} of {count} numbers, got {len(listed)}; give each one")
    for value in listed:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{kind}: expected numbers in {name}, got {value!r}; write it as a number")
        if not math.isfinite(value) or abs(value) > FARTHEST:
            raise ValueError(
                f"{kind}: expected finite {name} within {FARTHEST:g}, got {value}; write metres, seconds, radians"
            )


def times(kind: str, first: float, last: float | None = None) -> None:
    """Raise ValueError unless a time, or a span of times, lies within 0 and LONGEST, seconds."""
    finite(kind, "time", first)
    if not 0 <= first <= LONGEST:
        raise ValueError(
            f"{kind}: expected a time from 0 to {LONGEST:g} s, got {first:g}; count from the start"
        )
    if last is not None:
        finite(kind, "until", last)
        if not first <= last <= LONGEST:
            raise ValueError(
                f"{kind}: expected until from {first:g} to {LONGEST:g} s, got {last:g}; it ends what begins at its time"
            )


def unit(kind: str, name: str, quaternion: Sequence[float]) -> None:
    """Raise ValueError unless four numbers are a unit quaternion."""
    finite(kind, name, quaternion, 4)
    length = math.sqrt(sum(number * number for number in quaternion))
    if abs(length - 1) > 1e-3:
        raise ValueError(
            f"{kind}: expected {name} of length 1, got {length:.4g}; give a unit quaternion x, y, z, w"
        )
