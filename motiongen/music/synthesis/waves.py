"""Building blocks of instruments: envelopes, wavetables and shaped noise."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

TABLE_SIZE = 2048  # a power of two, so that a phase wraps by a mask


def times(seconds: float, sample_rate: int) -> Samples:
    """Return the time of every sample, (S,) in seconds."""
    return np.arange(max(1, round(seconds * sample_rate)), dtype=np.float32) / np.float32(sample_rate)


def decay(t: Samples, seconds: float) -> Samples:
    """Return an envelope (S,) that falls from 1 by 60 dB in the seconds given."""
    return np.exp(t * np.float32(-6.9 / seconds))


def normalised(samples: Samples) -> Samples:
    """Return samples (S,) whose peak is 1, the last 5% faded so that no one-shot ends in a click."""
    fade = max(1, len(samples) // 20)
    out = samples / np.float32(np.abs(samples).max() + 1e-9)
    out[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return out


def adsr(t: Samples, held: float, attack: float, fall: float, sustain: float, release: float) -> Samples:
    """Return the envelope (S,) of a note held for some seconds: up, down to the sustained level, and away."""
    up = np.minimum(t / np.float32(attack), 1)
    down = sustain + (1 - sustain) * np.exp(np.maximum(t - attack, 0) * np.float32(-3 / fall))
    away = np.exp(np.maximum(t - held, 0) * np.float32(-5 / release))
    return (up * down * away).astype(np.float32)


def wavetable(partials: NDArray[np.float64]) -> Samples:
    """Return one cycle (TABLE_SIZE,) with the amplitudes of partials 1, 2, ... given, (P,)."""
    spectrum = np.zeros(TABLE_SIZE // 2 + 1, dtype=np.complex128)
    spectrum[1 : len(partials) + 1] = -1j * partials * (TABLE_SIZE / 2)
    return np.fft.irfft(spectrum).astype(np.float32)


def lookup_indices(phase: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the indices into a wavetable of phases (S,) in cycles."""
    return (phase * TABLE_SIZE).astype(np.int64) & (TABLE_SIZE - 1)


def noise(rng: np.random.Generator, count: int, low: float, high: float, sample_rate: int) -> Samples:
    """Return noise (S,) between two frequencies in Hz, with slopes of 12 dB an octave."""
    spectrum = np.fft.rfft(rng.standard_normal(count, dtype=np.float32))
    hz = np.fft.rfftfreq(count, 1 / sample_rate) + 1e-3
    gain = 1 / ((1 + (low / hz) ** 2) * (1 + (hz / high) ** 2))
    return np.fft.irfft(spectrum * gain, n=count).astype(np.float32)


def swept_sine(t: Samples, start: float, end: float, fall: float) -> Samples:
    """Return a sine (S,) whose frequency falls from start to end in Hz, by e in every `fall` seconds."""
    cycles = end * t + (start - end) * fall * (1 - np.exp(-t / np.float32(fall)))
    return np.sin(2 * np.pi * cycles).astype(np.float32)
