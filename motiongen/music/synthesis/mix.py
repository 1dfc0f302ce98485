"""Mixing and mastering of tracks: reverb, echo, ducking by the kick, compression, limiting.

All of it is causal, so that a longer song begins with the shorter one.
"""

from collections.abc import Sequence

import numpy as np

from motiongen.music.synthesis.waves import Samples, decay, noise, times

_BLOCK = 4096


def add(track: Samples, shot: Samples, start: int, gain: float) -> None:
    """Add a one-shot (N,) to a track (S,) from a sample on, in place; samples outside the track are cut off."""
    begin, end = max(start, 0), min(start + len(shot), len(track))
    if begin < end:
        track[begin:end] += np.float32(gain) * shot[begin - start : end - start]


def convolve(track: Samples, kernel: Samples) -> Samples:
    """Return a track (S,) convolved with a kernel (K,), cut to the track's length.

    Overlap-add in blocks: the cost stays linear, and no sample depends on a later block.
    """
    block = max(_BLOCK, 1 << (len(kernel) - 1).bit_length())
    count = -(-len(track) // block)
    padded = np.zeros(count * block, dtype=np.float32)
    padded[: len(track)] = track
    spectrum = np.fft.rfft(padded.reshape(count, block), n=2 * block)  # (blocks, block + 1)
    pieces = np.fft.irfft(spectrum * np.fft.rfft(kernel, n=2 * block), n=2 * block).astype(np.float32)
    out = pieces[:, :block]
    out[1:] += pieces[:-1, block:]
    return out.reshape(-1)[: len(track)]


def room(rng: np.random.Generator, sample_rate: int) -> Samples:
    """Return the impulse response (K,) of a room of unit energy, without the direct sound."""
    seconds = rng.uniform(0.4, 1.4)
    t = times(seconds, sample_rate)
    tail = noise(rng, len(t), 200, rng.uniform(3000, 7000), sample_rate) * decay(t, seconds)
    tail *= t > rng.uniform(0.005, 0.02)
    return (tail / np.sqrt(np.sum(tail**2))).astype(np.float32)


def echoed(track: Samples, delay: int, feedback: float) -> Samples:
    """Return a track (S,) with three echoes, each `delay` samples after the last and weaker by the feedback."""
    out = track.copy()
    for number in (1, 2, 3):
        add(out, track, number * delay, feedback**number)
    return out


def ducking(hits: Sequence[float], count: int, depth: float, sample_rate: int) -> Samples:
    """Return a gain (count,) that drops by `depth` at each hit (seconds, ascending) and recovers in a tenth."""
    t = np.arange(count) / sample_rate
    past = np.array([-10.0, *hits])  # the first one only stands for "long ago"
    since = t - past[np.searchsorted(past, t, side="right") - 1]
    return (1 - depth * np.exp(since / -0.09)).astype(np.float32)


def dulled(track: Samples, amount: float) -> Samples:
    """Return a track (S,) whose highs are turned down, as by tape: 0 leaves it, 1 is a first-order low-pass."""
    kernel = np.float32(0.45) * np.float32(0.55) ** np.arange(32, dtype=np.float32)
    return (1 - np.float32(amount)) * track + np.float32(amount) * convolve(track, kernel)


def hum(rng: np.random.Generator, count: int) -> Samples:
    """Return the noise (count,) of rooms and amplifiers, which falls towards the highs."""
    white = rng.standard_normal(count, dtype=np.float32)
    return white + convolve(white, np.float32(0.9) ** np.arange(64, dtype=np.float32))


def compressed(track: Samples, amount: float, sample_rate: int) -> Samples:
    """Return a track (S,) whose loud moments are turned down: 0 leaves it, 1 levels everything."""
    t = times(0.15, sample_rate)
    kernel = np.exp(t / np.float32(-0.04))
    level = convolve(np.abs(track), (kernel / kernel.sum()).astype(np.float32))
    gain = (np.maximum(level, 0) / np.float32(0.15) + np.float32(0.3)) ** np.float32(-amount)
    return track * gain.astype(np.float32)


def limited(track: Samples, drive: float, ceiling: float = 0.9) -> Samples:
    """Return a track (S,) that bends towards the ceiling and never passes it."""
    return np.float32(ceiling) * np.tanh(track * np.float32(drive / ceiling))
