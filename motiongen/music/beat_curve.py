"""Beats as the whole numbers of a smooth curve, beats over time, drawn through knots of a pulse."""

import itertools
from collections.abc import Sequence

import numpy as np

from motiongen.music.pulse import Array
from motiongen.music.tempo_path import Knot

_GRID = 100.0  # points a second
_BEND = (
    0.03  # largest relative change of tempo a second that goes on before the first knot and after the last
)
_OFF = 0.25  # beats by which a knot may lie beside what the knot before foretells


def unbroken(knots: Sequence[Knot]) -> list[list[Knot]]:
    """Return knots cut where the pulse of one does not lead to the next."""
    parts = [[knots[0]]]
    for knot in knots[1:]:
        if abs(_turns(parts[-1][-1], knot)[1]) > _OFF:
            parts.append([])
        parts[-1].append(knot)
    return parts


def beats_along(knots: Sequence[Knot], low: float, high: float) -> Array:
    """Return the beats (K,) in [low, high), seconds, of knots that lead to one another."""
    times = np.array([knot.time for knot in knots])
    speeds = np.array([1 / knot.period for knot in knots])
    counts = [(knots[0].time - knots[0].beat) / knots[0].period]
    for before, knot in itertools.pairwise(knots):
        counts.append(counts[-1] + sum(_turns(before, knot)))
    begin, end = min(low, times[0]), max(high, times[-1])
    t = np.linspace(begin, end, max(int((end - begin) * _GRID), 2))
    curve = _hermite(t, times, np.array(counts), speeds)
    whole = np.arange(np.ceil(curve[0] - 1e-9), curve[-1])
    beats = np.interp(whole, curve, t)
    return beats[(beats >= low) & (beats < high)]


def _turns(before: Knot, knot: Knot) -> tuple[float, float]:
    """Return the beats from knot to knot at the mean of both tempi, and by how much they miss it, -0.5..0.5."""
    foretold = (knot.time - before.time) * (1 / before.period + 1 / knot.period) / 2
    phases = (knot.time - knot.beat) / knot.period - (before.time - before.beat) / before.period
    off = phases - foretold
    return foretold, off - round(off)


def _hermite(t: Array, times: Array, values: Array, slopes: Array) -> Array:
    """Return the cubic Hermite curve through the values and slopes at times (K,); beyond, tempo bends on evenly."""
    if len(times) == 1:
        return np.asarray(values[0] + (t - times[0]) * slopes[0])
    index = np.clip(np.searchsorted(times, t, side="right") - 1, 0, len(times) - 2)
    step = np.diff(times)[index]
    u = (t - times[index]) / step
    inside = (
        (1 + 2 * u) * (1 - u) ** 2 * values[index]
        + u * (1 - u) ** 2 * step * slopes[index]
        + u**2 * (3 - 2 * u) * values[index + 1]
        + u**2 * (u - 1) * step * slopes[index + 1]
    )
    curve = np.asarray(inside)
    for edge, beyond in ((0, t < times[0]), (-1, t > times[-1])):
        first = 0 if edge == 0 else -2
        bend = (slopes[first + 1] - slopes[first]) / (times[first + 1] - times[first])
        bend = np.clip(bend, -_BEND * slopes[edge], _BEND * slopes[edge])
        since = t[beyond] - times[edge]
        curve[beyond] = values[edge] + since * slopes[edge] + bend * since**2 / 2
    return curve
