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
_SUB = ((30, 60), (60, 90), (90, 130), (130, 190))  # Hz: finer than mel, to tell the kick from the bass
_EDGES = (0, 2, 5, 16, 27, BANDS)  # of kick, bass, low middle, high middle, treble
ENVELOPES = len(_EDGES)
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
        envelope: (n, 6) what was judged.
    """

    scores: Array
    envelope: Array


def mel_levels(samples: Samples) -> Array:
    """Return levels (n, 40), dB, of samples (S,) at SAMPLE_RATE: n = (S - WINDOW) / STEP + 1, one each STEP."""
    count = (len(samples) - WINDOW) // STEP + 1
    if count < 1:
        return np.zeros((0, BANDS))
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::STEP]
    filters = _filters().T
    power = [power_spectra(windows[i : i + _BLOCK]) @ filters for i in range(0, count, _BLOCK)]
    return np.asarray(10 * np.log10(np.concatenate(power) + _EMPTY))


@lru_cache(maxsize=1)
def _filters() -> Array:
    """Return filters (40, bins): four narrow ones below 190 Hz, then mel bands."""
    hertz = np.arange(WINDOW // 2 + 1) * SAMPLE_RATE / WINDOW
    narrow = [(low <= hertz) & (hertz < high) for low, high in _SUB]
    return np.concatenate([np.array(narrow, dtype=np.float64), mel_filters(WINDOW, BANDS - len(_SUB))])


def envelopes(levels: Array) -> Array:
    """Return (n, 6) of levels (n, 40): rises in five bands and the change of sound, each with mean 1 or all but 0."""
    loudness = 10 * np.log10(np.mean(np.sum(10 ** (levels / 10), axis=1)))
    heard = np.maximum(levels - loudness, -_RANGE)
    rise = np.zeros_like(heard)
    # Looking back only makes up for the window, in whose first half an onset is heard early.
    rise[2:] = np.maximum(heard[2:] - heard[:-2], 0)
    rises = [rise[:, low:high].mean(axis=1) for low, high in itertools.pairwise(_EDGES)]
    return normalised(np.stack([*rises, _change(heard)], axis=1))


def normalised(envelope: Array) -> Array:
    """Return an envelope (n, 6) of decibels, smoothed, each column divided by its mean; what is all but 0 stays it."""
    smooth = np.stack([np.convolve(column, _SMOOTH, mode="same") for column in envelope.T], axis=1)
    return np.asarray(smooth / (smooth.mean(axis=0) + 0.05))


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


def describe(envelope: Array) -> Array:
    """Return (148, 12, F): what there is to say for each tempo with a beat at each twelfth of its period.

    Place 11 lies at the end of the envelope (n, 6), place 0 eleven twelfths before. What is said: the mean envelopes at
    the twelve places from the beat on, how much odd and even beats differ on the beat and half a beat later, how alike
    beats are at four lags, and the tempo.
    """
    folded, counts = _fold(envelope)  # (148, K, 12, 6), the last beats first, and how many of them are there
    beats = counts[:, None, None]
    profile = folded.sum(axis=1) / beats  # (148, 12, 6)
    odd = folded[:, 1::2].sum(axis=1) / np.maximum(beats // 2, 1)
    even = folded[:, ::2].sum(axis=1) / ((beats + 1) // 2)
    uneven = np.where(beats > 3, np.abs(odd - even), 0)
    there = (np.arange(folded.shape[1]) < counts[:, None])[..., None, None]
    spread = np.where(there, folded - profile.mean(axis=1)[:, None, None], 0)
    power = np.square(spread).sum(axis=(1, 2)) / (counts * PLACES)[:, None] + 1e-3  # (148, 6)
    alike = [
        np.einsum("tkpe,tkpe->te", spread[:, lag:], spread[:, :-lag])
        / (np.maximum(counts - lag, 1) * PLACES)[:, None]
        / power
        for lag in _LAGS
    ]
    octave = np.log2(TEMPI / 110)[:, None]
    common = np.concatenate([*alike, octave, octave**2], axis=1)[:, None]  # (148, 1, 26)
    parts = [
        profile[:, _TURNS].reshape(len(TEMPI), PLACES, -1),
        uneven,
        np.roll(uneven, -PLACES // 2, axis=1),
        np.broadcast_to(common, (len(TEMPI), PLACES, common.shape[-1])),
    ]
    return np.concatenate(parts, axis=2)


def _fold(envelope: Array) -> tuple[Array, NDArray[np.int64]]:
    """Return an envelope's beats (148, K, 12, 6) at each tempo, zeros where there are fewer, and how many (148,)."""
    periods = RATE * 60 / TEMPI  # values
    counts = np.maximum(((len(envelope) - 1) / periods).astype(np.int64), 1)
    back = (
        np.arange(counts.max())[:, None] * PLACES + np.arange(PLACES)[::-1]
    )  # (K, 12) twelfths before the end
    times = len(envelope) - 1 - back * (periods / PLACES)[:, None, None]  # (148, K, 12)
    low = np.clip(times.astype(np.int64), 0, len(envelope) - 2)
    part = (times - low)[..., None]
    folded = envelope[low] * (1 - part) + envelope[low + 1] * part
    folded[np.arange(folded.shape[1]) >= counts[:, None]] = 0
    return folded, counts


def judge(levels: Array) -> Verdict:
    """Return what levels (n, 40) of two seconds or more say about their pulse."""
    envelope = envelopes(levels)
    first, first_bias, last, last_bias = _weights()
    hidden = np.tanh(describe(envelope) @ first + first_bias)  # (148, 12, hidden)
    return Verdict(hidden @ last + last_bias, envelope)


def settle(envelope: Array, tempo: int, place: int, end: float) -> Pulse:
    """Return the pulse near a tempo and place of `judge` that fits the onsets best.

    Args:
        envelope: (n, 6) what was judged.
        tempo: index into TEMPI.
        place: 0..11, of the beat in its fold.
        end: seconds at which the last value of the envelope lies.
    """
    onsets = envelope[:, :-1].sum(axis=1)
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
    """Return the two layers that weigh what `describe` says: (F, hidden), (hidden,), (hidden,) and (1,)."""
    from safetensors.numpy import load_file

    held = load_file(WEIGHTS)
    first, first_bias, last, last_bias = (held[name].astype(np.float64) for name in LAYERS)
    return first, first_bias, last, last_bias


LAYERS = ("first.weight", "first.bias", "last.weight", "last.bias")
"""Names of the tensors in WEIGHTS."""
