"""Features and beats of music that is still playing, a few frames late."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongen.music.audio import HOP, SAMPLE_RATE, Samples
from motiongen.music.features import (
    FPS,
    LOOK_AHEAD,
    MISSING,
    MUSIC_DIM,
    RESAMPLING,
    count_frames,
    finish,
    init_state,
    step,
)
from motiongen.music.follow import PulseBelief, advance, begin
from motiongen.music.pulse import BANDS, STEP, WINDOW, Pulse, fit_pulse, mel_levels, score_pulses

_EVERY = 15 * HOP
"""Samples between two searches for the pulse: half a second."""
_MEMORY, _SHORTEST = (seconds * SAMPLE_RATE // STEP for seconds in (8, 2))
"""Levels that a search looks at, at most and at least: eight seconds and two."""
_LATE = 2.5
"""Frames by which a beat may be given too late; later, it is left out."""
_TRUST = 8.0
"""Largest weight of the belief about the pulse, in windows of eight seconds."""


class MusicStream:
    """Computes features and beats of samples as they arrive.

    Features are those that `music_features` gives for the whole piece. Beats are predicted from a pulse that is
    searched for every half second: the first come after about three seconds, and a new tempo is followed after some.
    """

    def __init__(self, sample_rate: int) -> None:
        """Begin a stream.

        Args:
            sample_rate: samples a second of the samples to come.

        Raises:
            ImportError: librosa is not installed.
        """
        self.sample_rate = sample_rate
        self._resampler = _resampler(sample_rate)
        self._state = init_state()
        self._num_pushed = 0  # samples, at their own rate
        self._num_samples = 0  # at SAMPLE_RATE
        self._num_frames = 0
        self._is_over = False
        self._features: list[Tensor] = []
        self._beats: list[Tensor] = []
        self._tail = np.zeros(WINDOW // 2, np.float32)
        self._levels = np.zeros((0, BANDS))
        self._belief: PulseBelief | None = None
        self._trust = 0.0
        self._pulse: Pulse | None = None
        self._last_beat = -np.inf  # seconds
        self._delay = LOOK_AHEAD + _lag(sample_rate)

    @property
    def delay(self) -> int:
        """Largest number of frames between the last sample pushed and the last final frame."""
        return self._delay

    def push(self, samples: Samples) -> None:
        """Take the next samples (S,), -1..1.

        Raises:
            ValueError: the stream is finished.
        """
        if self._is_over:
            raise ValueError("samples: expected none after finish(), got more; begin another stream")
        self._num_pushed += len(samples)
        self._process(self._resampler.resample_chunk(np.ascontiguousarray(samples, dtype=np.float32)))

    def finish(self) -> None:
        """End the stream: the frames that were held back become final."""
        if self._is_over:
            return
        self._is_over = True
        self._process(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        self._append(
            finish(self._state)[: max(0, count_frames(self._num_pushed, self.sample_rate) - self._num_frames)]
        )

    def take(self) -> tuple[Tensor, Tensor]:
        """Return features (n, 34) and beats (n,), 1 or 0, of the frames that became final since the last call."""
        features = torch.cat([torch.zeros(0, MUSIC_DIM), *self._features])
        beats = torch.cat([torch.zeros(0), *self._beats])
        self._features, self._beats = [], []
        return features, beats

    def _process(self, samples: Samples) -> None:
        """Process samples at SAMPLE_RATE, cut where the pulse is searched for: how they were pushed must not matter."""
        while len(samples):
            part = samples[: _EVERY - self._num_samples % _EVERY]
            samples = samples[len(part) :]
            self._num_samples += len(part)
            self._append(step(part, self._state))
            self._tail = np.concatenate([self._tail, part])
            levels = mel_levels(self._tail)
            self._tail = self._tail[len(levels) * STEP :]
            self._levels = np.concatenate([self._levels, levels])[-_MEMORY:]
            if self._num_samples % _EVERY == 0 and len(self._levels) >= _SHORTEST:
                self._find_pulse()

    def _find_pulse(self) -> None:
        # The last level's window ends with the last sample.
        end = (self._num_samples - WINDOW // 2) / SAMPLE_RATE
        window = score_pulses(self._levels)
        weight = (len(self._levels) / _MEMORY) ** 2
        fresh = weight / (self._trust + weight)
        self._trust = min(self._trust + weight, _TRUST)
        if self._belief is None:
            self._belief = begin(window, end)
        else:  # a running mean: successive windows share most of their music, so their scores must not add up
            faded = PulseBelief(
                (1 - fresh) * self._belief.scores, (1 - fresh) * self._belief.none, self._belief.end
            )
            self._belief, _ = advance(faded, window, end, fresh)
        best = self._belief.best
        self._pulse = None if best is None else fit_pulse(window.envelope, *best, end)

    def _append(self, features: Tensor) -> None:
        beats = torch.zeros(len(features))
        for index in range(len(features)):
            if self._pulse is not None and self._is_beat((self._num_frames + index) / FPS):
                beats[index] = 1.0
        self._num_frames += len(features)
        self._features.append(features)
        self._beats.append(beats)

    def _is_beat(self, time: float) -> bool:
        """Return whether the frame at a time is the nearest to a beat not given yet, or comes just after it."""
        assert self._pulse is not None, "without a pulse there is no beat"
        nearest = self._pulse.nearest(time)
        # A new pulse may place its next beat before frames that are already final: it is given late, not lost.
        if (
            not -_LATE / FPS < nearest - time < 0.5 / FPS
            or nearest - self._last_beat < 0.5 * self._pulse.period
        ):
            return False
        self._last_beat = nearest
        return True


def _resampler(sample_rate: int) -> Any:
    """Return soxr's streaming resampler, whose samples are those of `features.resample`, bit for bit."""
    try:
        import soxr
    except ImportError as error:
        raise ImportError(MISSING) from error
    return soxr.ResampleStream(sample_rate, SAMPLE_RATE, 1, dtype="float32", quality=RESAMPLING)


@lru_cache(maxsize=16)
def _lag(sample_rate: int) -> int:
    """Return the delay of the resampler in frames, measured: it depends on how the rates divide."""
    resampler, part = _resampler(sample_rate), np.zeros(max(1, sample_rate // 1000), np.float32)
    received, worst = 0, 0.0
    for index in range(1, 1001):
        received += len(resampler.resample_chunk(part))
        worst = max(worst, index * len(part) * SAMPLE_RATE / sample_rate - received)
    return math.ceil(worst / HOP)
