"""Beat tracking of whole pieces, and its measures: F-measure and recall."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiongen.music.audio import Audio
from motiongen.music.beat_curve import beats_along, unbroken
from motiongen.music.features import resample
from motiongen.music.pulse import RATE, WINDOW, mel_levels
from motiongen.music.tempo_path import Knot, tempo_path

Array = NDArray[np.float64]

_SHORTEST = 1.9  # seconds: less holds no two beats of a slow song
_EARLY = 0.04  # seconds before the beginning at which a beat counts as its first
_SILENCE = -75.0  # dB of full scale in a band
_REACH = 3.0  # seconds from the middle of a window to its ends: beyond, a pulse is not known


@dataclass(frozen=True)
class BeatGrid:
    """The tempo and the beats of a piece.

    Attributes:
        bpm: tempo, beats a minute; 0 where there is no pulse.
        beats: (K,) times of the beats, seconds, rising; empty where there is no pulse.
    """

    bpm: float
    beats: Array


def track_beats(audio: Audio) -> BeatGrid:
    """Return the beats of music of 56 to 200 beats a minute, whose tempo may drift, by up to 3 % a second, or change.

    Overlapping windows are scored and joined by the likeliest course of tempo and phase through them; beats lie where
    that course, drawn through the onsets as a smooth curve, passes whole numbers. So no beat is lost or given twice
    where windows meet. Sounds without a pulse (silence, noise, speech) have no beats: that is one of the hypotheses,
    learned from such sounds.

    Raises:
        ImportError: librosa is not installed.
    """
    samples = np.pad(resample(audio.samples, audio.sample_rate), WINDOW // 2)
    levels = mel_levels(samples)  # (n, 40), one at each 60th of a second
    if len(levels) < _SHORTEST * RATE:
        return BeatGrid(0.0, np.zeros(0))
    sounds = np.flatnonzero(
        levels.max(axis=1) > _SILENCE
    )  # pauses before and after the music say nothing of it
    start, stop = (int(sounds[0]), int(sounds[-1]) + 1) if len(sounds) else (0, 0)
    if stop - start < _SHORTEST * RATE:
        return BeatGrid(0.0, np.zeros(0))
    begin = start / RATE
    stretches = [
        [Knot(knot.time + begin, knot.beat + begin, knot.period) for knot in part]
        for stretch in tempo_path(levels[start:stop])
        for part in unbroken(stretch)
    ]
    borders = [(one[-1].time + other[0].time) / 2 for one, other in itertools.pairwise(stretches)]
    beats: list[float] = []
    for knots, low, high in zip(
        stretches, [-_EARLY, *borders], [*borders, audio.seconds - _EARLY / 2], strict=False
    ):
        first, period = max(low, knots[0].time - _REACH), knots[0].period
        if (
            beats and first - beats[-1] < 1.5 * period
        ):  # it follows at once, so no beat is lost or comes twice
            first = beats[-1] + period / 2
        beats.extend(beats_along(knots, first, min(high, knots[-1].time + _REACH)))
    kept = np.array([max(beat, 0.0) for beat in beats if _is_audible(levels, beat)])
    return BeatGrid(60 / float(np.median(np.diff(kept))) if len(kept) > 1 else 0.0, kept)


def _is_audible(levels: Array, beat: float) -> bool:
    """Return whether there is sound within half a second of a beat."""
    middle, near = round(beat * RATE), int(RATE / 2)
    return bool(levels[max(middle - near, 0) : middle + near].max() > _SILENCE)


def beat_one_hot(beats: Sequence[float] | Array, num_frames: int, fps: float = 30.0) -> Tensor:
    """Return (T,) with 1 at the frames nearest to beats, given in seconds; beats outside are left out."""
    frames = np.floor(np.asarray(beats, dtype=np.float64) * fps + 0.5).astype(np.int64)
    one_hot = torch.zeros(num_frames)
    one_hot[torch.from_numpy(frames[(frames >= 0) & (frames < num_frames)])] = 1.0
    return one_hot


def beat_f_measure(
    found: Sequence[float] | Array, truth: Sequence[float] | Array, tolerance: float = 0.07
) -> float:
    """Return the F-measure, 0..1, of found beats against true ones, both rising seconds (Davies et al. 2009; mir_eval).

    A found beat is right if a true one lies within `tolerance` seconds; each true beat counts for one found beat.
    Two empty lists give 1.
    """
    total = len(found) + len(truth)
    return 2 * _matches(found, truth, tolerance) / total if total else 1.0


def beat_recall(
    found: Sequence[float] | Array, truth: Sequence[float] | Array, tolerance: float = 0.07
) -> float:
    """Return the share, 0..1, of true beats that were found; 1 where there are none."""
    return _matches(found, truth, tolerance) / len(truth) if len(truth) else 1.0


def _matches(found: Sequence[float] | Array, truth: Sequence[float] | Array, tolerance: float) -> int:
    """Return the most pairs of found and true beats within the tolerance, each used once."""
    count, index = 0, 0
    for beat in truth:
        while index < len(found) and found[index] < beat - tolerance:
            index += 1
        if index < len(found) and found[index] <= beat + tolerance:
            count, index = count + 1, index + 1
    return count
