"""Tempo and phase of the pulse of a few seconds of music: every pair is scored by a small learned network.

A bank of tempi and phases as in Scheirer (1998), with scores that were learned from synthesised music whose beats are
known (`benchmarks/fit_pulse.py`). Its inputs are where in a beat low, middle and high sounds begin, how odd and even
beats differ, and how alike beats are one, two, three and four apart. So an off-beat hi-hat is not taken for the beat.
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
"""Levels and envelopes a second: 60."""
WINDOW = 2 * HOP
"""Samples that a level is computed from, half of them before its time and half after."""
BANDS = 40
SLOWEST, FASTEST = 56.0, 200.0
TEMPI = SLOWEST * (FASTEST / SLOWEST) ** np.linspace(0, 1, 192)
"""Tempi that are scored, beats a minute, 0.7 % apart: over eight seconds the nearest one drifts by 13 ms."""
PHASES = 12
"""Phases that are scored, as parts of a beat; halves, thirds and quarters of a beat fall on them."""
WEIGHTS = Path(__file__).with_name("pulse.safetensors")

_EMPTY = 1e-10  # power
_RANGE = 50.0  # dB below the mean loudness that are kept
_SUB = ((30, 60), (60, 90), (90, 130), (130, 190))  # Hz: finer than mel, to tell the kick from the bass
_EDGES = (0, 2, 5, 16, 27, BANDS)  # of kick, bass, low middle, high middle, treble
ENVELOPES = len(_EDGES)
_STANDS_OUT = 2.0  # times the median
_NEAR = 12  # values before and after that are compared for a change of sound
_LAGS = (1, 2, 3, 4)  # beats
_BLOCK = 2048
_SMOOTH = np.hanning(7)[1:-1] / np.hanning(7).sum()
_ROTATED = (np.arange(PHASES)[:, None] + np.arange(PHASES)) % PHASES  # (12, 12): row p begins at phase p


@dataclass(frozen=True)
class Pulse:
    """A pulse: evenly spaced beats.

    Attributes:
        period: seconds from beat to beat.
        beat: time of one of the beats, seconds.
    """

    period: float
    beat: float

    def nearest(self, time: float) -> float:
        """Return the beat nearest to a time, seconds."""
        return self.beat + round((time - self.beat) / self.period) * self.period


@dataclass(frozen=True)
class PulseScores:
    """Scores of every tempo and phase for a few seconds of music, as log-odds against no pulse.

    Attributes:
        scores: (192, 12) by tempo and by phase of the beat.
        envelope: (n, 6) the envelopes that were scored.
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
    """Return envelopes (n, 6) of levels (n, 40): rises in five bands and change of sound, of mean 1 or near 0."""
    loudness = 10 * np.log10(np.mean(np.sum(10 ** (levels / 10), axis=1)))
    relative = np.maximum(levels - loudness, -_RANGE)
    rise = np.zeros_like(relative)
    # Looking back only makes up for the window, in whose first half an onset shows early.
    rise[2:] = np.maximum(relative[2:] - relative[:-2], 0)
    rises = np.stack([rise[:, low:high].mean(axis=1) for low, high in itertools.pairwise(_EDGES)], axis=1)
    # Noise rises everywhere, a little: what stands out of that are the onsets.
    rises = np.maximum(rises - _STANDS_OUT * np.median(rises, axis=0), 0)
    return normalised(np.concatenate([rises, _change(relative)[:, None]], axis=1))


def normalised(envelope: Array) -> Array:
    """Return an envelope (n, 6) of decibels, smoothed, each column divided by its mean; columns near 0 stay near 0."""
    smooth = np.stack([np.convolve(column, _SMOOTH, mode="same") for column in envelope.T], axis=1)
    return np.asarray(smooth / (smooth.mean(axis=0) + 0.05))


def _change(levels: Array) -> Array:
    """Return (n,) how much the next fifth of a second differs from the last, for chords whose notes begin softly."""
    count = len(levels)
    sums = np.concatenate([np.zeros((1, BANDS)), np.cumsum(levels, axis=0)])
    now = np.arange(count)
    first, last = np.maximum(now - _NEAR, 0), np.minimum(now + _NEAR, count)
    after = (sums[last] - sums[now]) / (last - now)[:, None]
    before = (sums[now] - sums[first]) / np.maximum(now - first, 1)[:, None]
    change = np.abs(after - before).mean(axis=1)
    change[:2] = change[-2:] = 0  # too little on one side
    return np.asarray(change)


def pulse_features(envelope: Array) -> Array:
    """Return the network's inputs (192, 12, F) for each tempo and phase of the beat.

    They are the mean envelopes at the twelve phases from the beat on, the difference of odd and even beats on the beat
    and half a beat later, the likeness of beats at four lags, and the tempo. Phase 11 lies at the end of the envelope
    (n, 6), phase 0 eleven twelfths of a beat before.
    """
    folded, counts = _fold(envelope)  # (192, K, 12, 6), the last beats first; (192,) their number
    beats = counts[:, None, None]
    profile = folded.sum(axis=1) / beats  # (192, 12, 6)
    odd = folded[:, 1::2].sum(axis=1) / np.maximum(beats // 2, 1)
    even = folded[:, ::2].sum(axis=1) / ((beats + 1) // 2)
    uneven = np.where(beats > 3, np.abs(odd - even), 0)
    exists = (np.arange(folded.shape[1]) < counts[:, None])[..., None, None]
    spread = np.where(exists, folded - profile.mean(axis=1)[:, None, None], 0)
    power = np.square(spread).sum(axis=(1, 2)) / (counts * PHASES)[:, None] + 1e-3  # (192, 6)
    alike = [
        np.einsum("tkpe,tkpe->te", spread[:, lag:], spread[:, :-lag])
        / (np.maximum(counts - lag, 1) * PHASES)[:, None]
        / power
        for lag in _LAGS
    ]
    octave = np.log2(TEMPI / 110)[:, None]
    common = np.concatenate([*alike, octave, octave**2], axis=1)[:, None]  # (192, 1, 26)
    parts = [
        profile[:, _ROTATED].reshape(len(TEMPI), PHASES, -1),
        uneven,
        np.roll(uneven, -PHASES // 2, axis=1),
        np.broadcast_to(common, (len(TEMPI), PHASES, common.shape[-1])),
    ]
    return np.concatenate(parts, axis=2)


def _fold(envelope: Array) -> tuple[Array, NDArray[np.int64]]:
    """Return the beats (192, K, 12, 6) of an envelope at each tempo, then zeros, and their number (192,)."""
    periods = RATE * 60 / TEMPI  # values
    counts = np.maximum(((len(envelope) - 1) / periods).astype(np.int64), 1)
    back = (
        np.arange(counts.max())[:, None] * PHASES + np.arange(PHASES)[::-1]
    )  # (K, 12) twelfths before the end
    times = len(envelope) - 1 - back * (periods / PHASES)[:, None, None]  # (192, K, 12)
    low = np.clip(times.astype(np.int64), 0, len(envelope) - 2)
    part = (times - low)[..., None]
    folded = envelope[low] * (1 - part) + envelope[low + 1] * part
    folded[np.arange(folded.shape[1]) >= counts[:, None]] = 0
    return folded, counts


def score_pulses(levels: Array) -> PulseScores:
    """Return the scores of every tempo and phase for levels (n, 40) of two seconds or more."""
    envelope = envelopes(levels)
    first, first_bias, last, last_bias = _weights()
    hidden = np.tanh(pulse_features(envelope) @ first + first_bias)  # (192, 12, hidden)
    return PulseScores(hidden @ last + last_bias, envelope)


def fit_pulse(envelope: Array, tempo: int, phase: int, end: float) -> Pulse:
    """Return the pulse near a tempo and phase that fits the onsets best.

    Args:
        envelope: (n, 6) the envelopes that were scored.
        tempo: index into TEMPI.
        phase: phase of the beat, 0..11.
        end: time of the last value of the envelope, seconds.
    """
    onsets = envelope[:, :-1].sum(axis=1)
    rough = RATE * 60 / TEMPI[tempo]  # values
    middle = (len(envelope) - 1) / 2
    # The last phase lies at the end of the envelope, so the last beat is so many twelfths before it.
    last = len(envelope) - 1 - (PHASES - 1 - phase) * rough / PHASES
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
    """Return the network's two layers: weights (F, hidden), bias (hidden,), weights (hidden,) and bias (1,)."""
    from safetensors.numpy import load_file

    tensors = load_file(WEIGHTS)
    first, first_bias, last, last_bias = (tensors[name].astype(np.float64) for name in LAYERS)
    return first, first_bias, last, last_bias


LAYERS = ("first.weight", "first.bias", "last.weight", "last.bias")
"""Names of the tensors in WEIGHTS."""
