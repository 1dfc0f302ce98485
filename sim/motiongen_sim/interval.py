"""Confidence interval of a success rate."""

import math

_Z = 1.959964
"""Two-sided 95 % of the normal distribution."""


def wilson_interval(successes: int, tries: int) -> tuple[float, float]:
    """Return the 95 % interval of a success rate (Wilson 1927, "Probable inference", the score interval).

    Unlike the normal interval it stays within 0 and 1, and is wide enough when all or none succeed.

    Args:
        successes: number of tries that succeeded.
        tries: number of tries.

    Raises:
        ValueError: no tries, or more successes than tries.
    """
    if not 0 <= successes <= tries or tries < 1:
        raise ValueError(f"successes: expected 0 to {tries} of at least one try, got {successes}")
    rate, z2 = successes / tries, _Z**2
    centre = (rate + z2 / (2 * tries)) / (1 + z2 / tries)
    half = _Z / (1 + z2 / tries) * math.sqrt(rate * (1 - rate) / tries + z2 / (4 * tries**2))
    return max(0.0, centre - half), min(1.0, centre + half)
