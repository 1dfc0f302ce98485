"""The rate of an animation, by the times of its keys."""

import numpy as np
from numpy.typing import NDArray

DEFAULT_FPS = 30.0
_USUAL = (24, 25, 48, 50, 60, 72, 90, 100, 120, 144, 240, 24e3 / 1001, 30e3 / 1001, 60e3 / 1001, 120e3 / 1001)
"""Rates of cameras, capture and games, frames a second."""
_TOLERANCE = 6e-4
"""Seconds by which a key may lie off its frame: some writers round times to a thousandth."""
_LOWEST_BAKED = 5.0


def rate_of(tracks: list[NDArray[np.float64]]) -> tuple[float, bool]:
    """Return the rate of an animation, frames a second, and whether its keys tell it.

    Keys on every frame tell it. Where most were left out, as exporters do, it is the lowest usual rate on whose frames
    all of them lie; 30 is taken where they lie on its frames, or on none.

    Args:
        tracks: key times of each track, seconds, rising.
    """
    tracks = [times for times in tracks if len(times) > 1]
    if not tracks:
        return DEFAULT_FPS, True
    dense = max(tracks, key=len)
    steps = np.diff(dense)
    step = float(np.median(steps))
    start = min(float(times[0]) for times in tracks)
    times = np.unique(np.concatenate(tracks)) - start
    if step > 0:
        frames = round((dense[-1] - dense[0]) / step)
        rate = _whole(frames / (dense[-1] - dense[0])) if frames > 0 else 0.0
        baked = float((steps < 1.5 * step).mean()) > 0.8
        if baked and rate >= _LOWEST_BAKED and _lie_on(times, rate):
            return rate, True
    usual = next((rate for rate in (DEFAULT_FPS, *_USUAL) if _lie_on(times, rate)), None)
    return (DEFAULT_FPS, False) if usual is None else (float(usual), True)


def _whole(rate: float) -> float:
    """Return the whole rate near a measured one: 30 for 30.0001, while 59.94 stays."""
    return float(round(rate)) if abs(rate - round(rate)) < 3e-4 * rate else rate


def _lie_on(times: NDArray[np.float64], rate: float) -> bool:
    """Return whether all times, seconds, are on frames of a rate; rounding of large times is allowed for."""
    off = np.abs(times * rate - np.round(times * rate)) / rate
    return bool((off <= np.minimum(_TOLERANCE, 0.1 / rate) + 1e-6 * times).all())
