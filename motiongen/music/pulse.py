"""Which pulse some seconds of music have: every tempo and phase is tried, and judged by what falls on its beats.

As in the tempo-and-phase banks of Scheirer (1998), but what speaks for a pulse was learned from synthesised music whose
beats are known (`benchmarks/fit_pulse.py`): where in a beat low, middle and high sounds begin, what every other beat
does, and how alike beats are one, two, three and four apart. So an off-beat hi-hat is not taken for the beat.
"""

import itertools
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiongen.music.audio import HOP, SAMPLE_RATE, Samples
from motiongen.music.features import mel_filters, power_spectra

Array = NDArray[np.float64]

STEP = HOP // 2
RATE = SAMPLE_RATE / STEP
"""Levels and envelopes have 60 values a second."""
WINDOW = 2 * HOP
"""Samples that a level is made of, half of them before its time and half after."""
BANDS = 40
SLOWEST, FASTEST = 68.0, 165.0
TEMPI = SLOWEST * (FASTEST / SLOWEST) ** np.linspace(0, 1, 148)
"""Beats a minute that are tried, 0.6 % apart: over ten seconds the nearest one drifts by 15 ms."""
PLACES = 12
"""Places in a beat; halves, thirds and quarters of it fall on them."""
WEIGHTS = Path(__file__).with_name("pulse.safetensors")

_EMPTY = 1e-10  # power
_RANGE = 50.0  # dB below the mean loudness that are heard
_EDGES = (0, 4, 15, 26, BANDS)  # of bass, low middle, high middle, treble
_NEAR = 12  # values before and after that are compared for a change of sound
_LAGS = (1, 2, 3, 4)  # beats
_BLOCK = 2048
_SMOOTH = np.hanning(7)[1:-1] / np.hanning(7).sum()
_TURNS = (np.arange(PLACES)[:, None] + np.arange(PLACES)) % PLACES  # (12, 12): row p begins at place p


@dataclass(frozen=True)
class Pulse:
    """Even beats.

    Attributes:
        period: seconds from beat to beat.
        beat: one of them, seconds.
    """

    period: float
    beat: float

    def nearest(self, time: float) -> float:
        """Return the beat nearest to a time, seconds."""
        return self.beat + round((time - self.beat) / self.period) * self.period


@dataclass(frozen=True)
class Verdict:
    """What some seconds of music say about their pulse, as log-odds against there being none.

    Attributes:
        scores: (148, 12) of each tempo, with a beat at each place.
        envelope: (n, 5) what was judged.
    """

    scores: Array
    envelope: Array


def mel_levels(samples: Samples) -> Array:
    """Return levels (n, 40), dB, of samples (S,) at SAMPLE_RATE: n = (S - WINDOW) / STEP + 1, one each STEP."""
    count = (len(samples) - WINDOW) // STEP + 1
    if count < 1:
        return np.zeros((0, BANDS))
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::STEP]
    mel = mel_filters(WINDOW, BANDS).T
    power = [power_spectra(windows[i : i + _BLOCK]) @ mel for i in range(0, count, _BLOCK)]
    return np.asarray(10 * np.log10(np.concatenate(power) + _EMPTY))


def envelopes(levels: Array) -> Array:
    """Return (n, 5) of levels (n, 40): rises in four bands and the change of sound, each with mean 1 or all but 0."""
    loudness = 10 * np.log10(np.mean(np.sum(10 ** (levels / 10), axis=1)))
    heard = np.maximum(levels - loudness, -_RANGE)
    rise = np.zeros_like(heard)
    rise[1:-1] = np.maximum(heard[2:] - heard[:-2], 0)
    rises = [rise[:, low:high].mean(axis=1) for low, high in itertools.pairwise(_EDGES)]
    made = [np.convolve(each, _SMOOTH, mode="same") for each in (*rises, _change(heard))]
    envelope = np.stack(made, axis=1)  # (n, 5)
    return np.asarray(envelope / (envelope.mean(axis=0) + 0.05))


def _change(heard: Array) -> Array:
    """Return (n,), how much the next fifth of a second differs from the last: chords, whose notes may begin softly."""
    count = len(heard)
    sums = np.concatenate([np.zeros((1, BANDS)), np.cumsum(heard, axis=0)])
    now = np.arange(count)
    first, last = np.maximum(now - _NEAR, 0), np.minimum(now + _NEAR, count)
    after = (sums[last] - sums[now]) / (last - now)[:, None]
    before = (sums[now] - sums[first]) / np.maximum(now - first, 1)[:, None]
    change = np.abs(after - before).mean(axis=1)
    change[:2] = change[-2:] = 0  # too little on one side
    return np.asarray(change)


def fold(envelope: Array, period: float) -> Array:
    """Return (beats, 12, 5): an envelope at the twelfths of a period of so many values, the last one at its end."""
    count = int((len(envelope) - 1) / period)
    times = len(envelope) - 1 - np.arange(count * PLACES)[::-1] * (period / PLACES)
    low = np.minimum(times.astype(np.int64), len(envelope) - 2)
    part = (times - low)[:, None]
    return np.asarray((envelope[low] * (1 - part) + envelope[low + 1] * part).reshape(count, PLACES, -1))


def describe(envelope: Array) -> Array:
    """Return (148, 12, 92): what there is to say for each tempo with a beat at each place of its fold.

    These are the mean envelopes at the twelve places from the beat on (60), how much odd and even beats differ on the
    beat and half a beat later (10), how alike beats are at four lags (20), and the tempo (2).
    """
    return np.stack([_describe(fold(envelope, RATE * 60 / tempo), tempo) for tempo in TEMPI])


def _describe(folded: Array, tempo: float) -> Array:
    count, _, width = folded.shape
    profile = folded.mean(axis=0)  # (12, 5)
    uneven = np.zeros_like(profile)
    if count > 3:
        uneven = np.abs(folded[::2].mean(axis=0) - folded[1::2].mean(axis=0))
    spread = folded - folded.mean(axis=(0, 1))
    power = np.square(spread).mean(axis=(0, 1)) + 1e-3
    alike = np.zeros((len(_LAGS), width))
    for row, lag in enumerate(_LAGS):
        if count > lag:
            alike[row] = (spread[lag:] * spread[:-lag]).mean(axis=(0, 1)) / power
    octave = np.log2(tempo / 110)
    common = np.concatenate([alike.ravel(), [octave, octave**2]])
    later = np.roll(uneven, -PLACES // 2, axis=0)
    return np.concatenate(
        [profile[_TURNS].reshape(PLACES, -1), uneven, later, np.tile(common, (PLACES, 1))], axis=1
    )


def judge(levels: Array) -> Verdict:
    """Return what levels (n, 40) of two seconds or more say about their pulse."""
    envelope = envelopes(levels)
    first, first_bias, last, last_bias = _weights()
    hidden = np.tanh(describe(envelope) @ first + first_bias)  # (148, 12, hidden)
    return Verdict(hidden @ last + last_bias, envelope)


def settle(envelope: Array, tempo: int, place: int, end: float) -> Pulse:
    """Return the pulse near a tempo and place of `judge` that fits the onsets best.

    Args:
        envelope: (n, 5) what was judged.
        tempo: index into TEMPI.
        place: 0..11, of the beat in its fold.
        end: seconds at which the last value of the envelope lies.
    """
    onsets = envelope[:, :4].sum(axis=1)
    rough = RATE * 60 / TEMPI[tempo]  # values
    middle = (len(envelope) - 1) / 2
    # The last place of the fold lies at the end, so the last beat is so many twelfths before it.
    last = len(envelope) - 1 - (PLACES - 1 - place) * rough / PLACES
    anchor = last - round((last - middle) / rough) * rough  # turning about the middle moves the ends least
    best, found = -np.inf, (rough, anchor)
    for period in rough * (1 + np.linspace(-0.006, 0.006, 9)):
        # Sixteenths carry more onsets than beats do, and lie on the same grid.
        count = int((len(envelope) - 1) / period) * 4
        grid = (np.arange(count) - count // 2) * (period / 4)
        for shift in np.linspace(-1, 1, 9) * rough / 24:
            value = np.interp(anchor + shift + grid, np.arange(len(onsets)), onsets).mean()
            if value > best:
                best, found = value, (period, anchor + shift)
    period, beat = found
    return Pulse(period / RATE, end + (beat - (len(envelope) - 1)) / RATE)


@lru_cache(maxsize=1)
def _weights() -> tuple[Array, Array, Array, Array]:
    """Return the two layers that weigh what `describe` says: (92, hidden), (hidden,), (hidden,) and a number."""
    from safetensors.numpy import load_file

    held = load_file(WEIGHTS)
    first, first_bias, last, last_bias = (held[name].astype(np.float64) for name in LAYERS)
    return first, first_bias, last, last_bias


LAYERS = ("first.weight", "first.bias", "last.weight", "last.bias")
"""Names of the tensors in WEIGHTS."""
