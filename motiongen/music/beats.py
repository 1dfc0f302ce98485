"""Beat tracking of whole pieces, and its measures: F-measure and recall."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiongen.music.audio import Audio
from motiongen.music.features import resample
from motiongen.music.follow import Indices, advance, begin
from motiongen.music.pulse import (
    PHASES,
    RATE,
    WINDOW,
    Pulse,
    PulseScores,
    fit_pulse,
    mel_levels,
    score_pulses,
)

Array = NDArray[np.float64]

_LENGTH, _HOP = 10.0, 4.0  # length of a window, and the time from one to the next, seconds
_SHORTEST = 1.9  # seconds: less holds no two beats of a slow song
_EARLY = 0.04  # seconds before the beginning at which a beat counts as its first
_SILENCE = -75.0  # dB of full scale in a band


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
    """Return the beats of music of 68 to 165 beats a minute, whose tempo may drift or change.

    Windows of ten seconds are scored and joined by the likeliest path through them (Viterbi); on that path each tempo
    is fitted to the onsets. Sounds without a pulse (silence, noise, speech) have no beats: that is one of the
    hypotheses, learned from such sounds.

    Raises:
        ImportError: librosa is not installed.
    """
    samples = np.pad(resample(audio.samples, audio.sample_rate), WINDOW // 2)
    levels = mel_levels(samples)  # (n, 40), one at each 60th of a second
    if len(levels) < _SHORTEST * RATE:
        return BeatGrid(0.0, np.zeros(0))
    windows = _windows(len(levels))
    scores = [score_pulses(levels[first:last]) for first, last in windows]
    ends = [(last - 1) / RATE for _, last in windows]
    beats: list[float] = []
    for (first, last), window, end, best in zip(windows, scores, ends, _path(scores, ends), strict=True):
        if best is None:
            continue
        pulse = fit_pulse(window.envelope, *best, end)
        # A window gives the beats that are nearer to its middle than to another's; the first and the last the rest.
        margin = (_LENGTH - _HOP) / 2
        low = -_EARLY if first == 0 else first / RATE + margin
        high = audio.seconds if last == len(levels) else end - margin
        beats += _between(pulse, low, high, beats[-1] if beats else -np.inf)
    kept = np.array([max(beat, 0.0) for beat in beats if _is_audible(levels, beat)])
    return BeatGrid(60 / float(np.median(np.diff(kept))) if len(kept) > 1 else 0.0, kept)


def _windows(count: int) -> list[tuple[int, int]]:
    """Return the spans [first, last) of the windows over `count` levels; the last one is moved back to be whole."""
    length, hop = int(_LENGTH * RATE), int(_HOP * RATE)
    starts = range(0, max(count - length, 0) + hop, hop) if count > length else range(1)
    return [(max(min(start, count - length), 0), min(start + length, count)) for start in starts]


def _path(scores: list[PulseScores], ends: list[float]) -> list[tuple[int, int] | None]:
    """Return the likeliest (tempo, phase) of each window; None where there is no pulse."""
    belief = begin(scores[0], ends[0])
    origins: list[Indices] = []
    for window, end in zip(scores[1:], ends[1:], strict=True):
        belief, origin = advance(belief, window, end, (end - belief.end) / _LENGTH)
        origins.append(origin)
    path = [int(np.append(belief.scores.ravel(), belief.none).argmax())]
    path.extend(int(origin[path[-1]]) for origin in reversed(origins))
    none = belief.scores.size
    return [None if index == none else divmod(index, PHASES) for index in reversed(path)]


def _between(pulse: Pulse, low: float, high: float, last: float) -> list[float]:
    """Return a pulse's beats in [low, high), without one that repeats the last beat before them."""
    beat = pulse.nearest(max(low, last + pulse.period))
    if beat < low or beat < last + 0.6 * pulse.period:
        beat += pulse.period
    return list(np.arange(beat, high, pulse.period))


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
