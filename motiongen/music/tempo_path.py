"""The likeliest course of tempo and phase through a whole piece, by Viterbi over overlapping windows."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from motiongen.music.pulse import PHASES, RATE, TEMPI, Array, fit_pulse, score_pulses

Indices = NDArray[np.int64]

_LENGTH, _SHORT, _HOP = (
    6.0,
    4.0,
    2.0,
)  # seconds: windows, those at the ends, and the time from one to the next
_LEAP = 6.0  # cost, as log-odds, of a pulse that does not continue the last one
_BENDS = 9  # tempi, 0.7 % apart, by which the tempo may bend from window to window: 3 % a second
_BEND, _SLIP = 0.12, 0.25  # cost of each of them, and of a slip by a twelfth of a beat


class Knot(NamedTuple):
    """The pulse about a moment.

    Attributes:
        time: the moment, seconds.
        beat: a beat, seconds.
        period: seconds from beat to beat.
    """

    time: float
    beat: float
    period: float


def tempo_path(levels: Array) -> list[list[Knot]]:
    """Return the stretches of levels (n, 40), `RATE` a second, that have one pulse each, as knots in their order."""
    spans = _spans(len(levels))
    windows = [score_pulses(levels[first:last]) for first, last in spans]
    middles = [(first + last - 1) / 2 / RATE for first, last in spans]
    halves = [(last - 1 - first) / 2 / RATE for first, last in spans]
    scores = [_centred(window.scores, half) for window, half in zip(windows, halves, strict=True)]
    stretches: list[list[Knot]] = []
    before = None
    for state, goes_on, window, middle, half in zip(
        *_viterbi(scores, middles), windows, middles, halves, strict=True
    ):
        if state is not None:
            tempo, phase = state
            pulse = fit_pulse(window.envelope, tempo, _at_end(phase, tempo, half), middle + half)
            if before is None or not goes_on:
                stretches.append([])
            stretches[-1].append(Knot(middle, pulse.nearest(middle), pulse.period))
        before = state
    return stretches


def _spans(count: int) -> list[tuple[int, int]]:
    """Return the spans [first, last) of the windows over `count` levels, those at the ends shorter."""
    length, short, hop = (int(seconds * RATE) for seconds in (_LENGTH, _SHORT, _HOP))
    if count <= length:
        return [(0, count)]
    starts = [*range(0, count - length, hop), count - length]
    return [(0, short), *((start, start + length) for start in starts), (count - short, count)]


def _turns(half: float) -> Indices:
    """Return (192,) how many twelfths of a beat lie between the middle of a window and its end."""
    return np.round(half * TEMPI / 60 * PHASES).astype(np.int64)


def _at_end(phase: int, tempo: int, half: float) -> int:
    """Return the phase as `PulseScores` counts it, for the twelfths since a beat at the middle of a window."""
    return int((PHASES - 1 - phase - _turns(half)[tempo]) % PHASES)


def _centred(scores: Array, half: float) -> Array:
    """Return scores (192, 12) by the twelfths of a beat that have gone by at the middle of the window."""
    phases = (PHASES - 1 - np.arange(PHASES) - _turns(half)[:, None]) % PHASES  # (192, 12)
    return np.take_along_axis(scores, phases, axis=1)


@lru_cache(maxsize=8)
def _origins(seconds: float) -> tuple[Indices, Array]:
    """Return the hypotheses (M, 192, 12) from which each may continue after a time, and the costs (M, 192, 1)."""
    tempo = np.arange(len(TEMPI))[:, None]
    options, costs = [], []
    for bend in range(-_BENDS, _BENDS + 1):
        origin = np.clip(tempo - bend, 0, len(TEMPI) - 1)  # (192, 1)
        # A tempo that changes evenly turns as far as the mean of both.
        turns = np.round(seconds * (TEMPI[origin] + TEMPI[tempo]) / 120 * PHASES).astype(np.int64)
        for slip in (-1, 0, 1):
            options.append(origin * PHASES + (np.arange(PHASES) - turns - slip) % PHASES)
            costs.append(np.full((len(TEMPI), 1), _BEND * abs(bend) + _SLIP * abs(slip)))
    return np.stack(options), np.stack(costs)


def _viterbi(scores: list[Array], middles: list[float]) -> tuple[list[tuple[int, int] | None], list[bool]]:
    """Return the (tempo, phase) of each window, None without a pulse, and whether it continues the one before."""
    none = scores[0].size
    belief = np.append(scores[0].ravel(), 0.0)
    origins: list[Indices] = []
    leaps: list[NDArray[np.bool_]] = []
    for window, seconds in zip(scores[1:], np.diff(middles), strict=True):
        options, costs = _origins(round(float(seconds), 6))
        values = belief[options] - costs  # (M, 192, 12)
        choice = values.argmax(axis=0)[None]
        origin = np.take_along_axis(options, choice, axis=0).ravel()
        value = np.take_along_axis(values, choice, axis=0).ravel()
        leader = int(belief.argmax())
        leapt = belief[leader] - _LEAP
        leaps.append(np.append(value < leapt, True))
        stays = belief[none] >= leapt
        origins.append(np.append(np.where(value < leapt, leader, origin), none if stays else leader))
        # Windows share most of their music, whose evidence counts once.
        belief = np.append(
            np.maximum(value, leapt) + seconds / _LENGTH * window.ravel(), max(belief[none], leapt)
        )
    path, goes_on = [int(belief.argmax())], []
    for origin, leapt_here in zip(reversed(origins), reversed(leaps), strict=True):
        goes_on.append(not leapt_here[path[-1]])
        path.append(int(origin[path[-1]]))
    states = [None if index == none else divmod(index, PHASES) for index in reversed(path)]
    return states, [False, *reversed(goes_on)]
