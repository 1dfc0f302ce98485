"""Synthesised songs: samples with an exact grid of beats."""

import math
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motiongen.music.synthesis.band import Band
from motiongen.music.synthesis.styles import STYLES
from motiongen.registry import lookup


@dataclass(frozen=True)
class Song:
    """A synthesised piece of music and the times of its beats.

    Attributes:
        samples: (S,) mono, peak at most 0.9.
        sample_rate: samples a second.
        beats: (K,) seconds of every beat within the samples.
        downbeats: (M,) seconds of the first beats of bars.
        bpm: beats a minute.
        style: name of its style.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    beats: NDArray[np.float64]
    downbeats: NDArray[np.float64]
    bpm: float
    style: str


def synthesise(
    style: str, bpm: float, seconds: float, seed: int, *, sample_rate: int = 22050, first_beat: float = 0.0
) -> Song:
    """Return a song of one of the styles, the same bits for the same seed.

    Args:
        style: name in STYLES.
        bpm: beats a minute, 40..220; the grid is exact for any number.
        seconds: length, 0.1..3600; a longer song begins with the shorter one.
        seed: 0 or more; decides whatever style and tempo leave open.
        sample_rate: samples a second, 8000..96000.
        first_beat: second of bar 0's first beat; before it, the music is already playing.

    Raises:
        ValueError: an unknown style, or a number outside its range.
    """
    kind = lookup("style", STYLES, style)
    _check("bpm", bpm, 40, 220, "double or halve it")
    _check("seconds", seconds, 0.1, 3600, "render in pieces")
    _check("sample_rate", sample_rate, 8000, 96000, "resample afterwards")
    _check("first_beat", first_beat, 0, seconds, "move it into the song")
    _check("seed", seed, 0, math.inf, "use a natural number")
    period = 60.0 / bpm
    band = Band(kind, period, round(seconds * sample_rate), sample_rate, (seed, zlib.crc32(style.encode())))
    bar_seconds = period * kind.beats_per_bar
    for bar in range(math.floor(-first_beat / bar_seconds), math.ceil((seconds - first_beat) / bar_seconds)):
        band.play(bar, first_beat + bar * bar_seconds)
    first = math.ceil(-first_beat / period - 1e-9)  # a beat at 0 is one, whatever the division rounds to
    numbers = np.arange(first, math.ceil((seconds - first_beat) / period))
    beats = np.maximum(first_beat + numbers * period, 0.0)
    downbeats = beats[numbers % kind.beats_per_bar == 0]
    return Song(band.record(), sample_rate, beats, downbeats, float(bpm), style)


def _check(name: str, value: float, low: float, high: float, hint: str) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name}: expected {low:g}..{high:g}, got {value}; {hint}")
