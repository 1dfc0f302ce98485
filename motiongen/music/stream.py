"""Music that is still playing: its features and beats, a few frames after they were heard."""

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
from motiongen.music.follow import Belief, advance, begin
from motiongen.music.pulse import BANDS, STEP, WINDOW, Pulse, judge, mel_levels, settle

_EVERY = 15 * HOP
"""Samples after which the beat is looked for again: half a second."""
_MEMORY, _LEAST = (seconds * SAMPLE_RATE // STEP for seconds in (8, 2))
"""Levels that are looked at for it, at most and at least: eight seconds and two."""
_LATE = 2.5
"""Frames after a beat at which it is still worth giving."""
_TRUST = 8.0
"""Verdicts, of eight seconds each, that a belief about the beat weighs at most; a shorter one counts less."""


class MusicStream:
    """Hears samples as they come; gives frames of `music_features` and beats that continue the last seconds' pulse.

    Features are those of the whole piece. Beats are foretold: by a pulse that is found anew every half second, so that
    the first come after about three seconds and a new tempo is followed after some.
    """

    def __init__(self, sample_rate: int) -> None:
        """Begin in silence.

        Args:
            sample_rate: of the samples to come.

        Raises:
            ImportError: librosa is not installed.
        """
        self.sample_rate = sample_rate
        self._resampler = _resampler(sample_rate)
        self._state = init_state()
        self._came = 0  # samples, at their own rate
        self._heard = 0  # samples, at SAMPLE_RATE
        self._made = 0  # frames
        self._is_over = False
        self._features: list[Tensor] = []
        self._beats: list[Tensor] = []
        self._tail = np.zeros(WINDOW // 2, np.float32)
        self._levels = np.zeros((0, BANDS))
        self._belief: Belief | None = None
        self._trust = 0.0
        self._pulse: Pulse | None = None
        self._last = -np.inf  # seconds, of the beat that was given last
        self._delay = LOOK_AHEAD + _lag(sample_rate)

    @property
    def delay(self) -> int:
        """Frames between the last sample that came and the last frame that is final, at most."""
        return self._delay

    def push(self, samples: Samples) -> None:
        """Hear the next samples (S,), -1..1.

        Raises:
            ValueError: the stream is finished.
        """
        if self._is_over:
            raise ValueError("samples: expected none after finish(), got more; begin another stream")
        self._came += len(samples)
        self._hear(self._resampler.resample_chunk(np.ascontiguousarray(samples, dtype=np.float32)))

    def finish(self) -> None:
        """Hear that no more comes; the rest is ready to be taken."""
        if self._is_over:
            return
        self._is_over = True
        self._hear(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        self._give(finish(self._state)[: max(0, count_frames(self._came, self.sample_rate) - self._made)])

    def take(self) -> tuple[Tensor, Tensor]:
        """Return the features (n, 34) and beats (n,), 1 or 0, of the frames that became final since the last time."""
        features = torch.cat([torch.zeros(0, MUSIC_DIM), *self._features])
        beats = torch.cat([torch.zeros(0), *self._beats])
        self._features, self._beats = [], []
        return features, beats

    def _hear(self, samples: Samples) -> None:
        """Hear samples at SAMPLE_RATE, cut where the beat is looked for: the parts they came in must not matter."""
        while len(samples):
            part = samples[: _EVERY - self._heard % _EVERY]
            samples = samples[len(part) :]
            self._heard += len(part)
            self._give(step(part, self._state))
            self._tail = np.concatenate([self._tail, part])
            levels = mel_levels(self._tail)
            self._tail = self._tail[len(levels) * STEP :]
            self._levels = np.concatenate([self._levels, levels])[-_MEMORY:]
            if self._heard % _EVERY == 0 and len(self._levels) >= _LEAST:
                self._find_pulse()

    def _find_pulse(self) -> None:
        end = (self._heard - WINDOW // 2) / SAMPLE_RATE  # the last level's window ends with the last sample
        verdict = judge(self._levels)
        weight = (len(self._levels) / _MEMORY) ** 2
        fresh = weight / (self._trust + weight)
        self._trust = min(self._trust + weight, _TRUST)
        if self._belief is None:
            self._belief = begin(verdict, end)
        else:  # a running mean: the verdicts have most of their music in common, and must not add up
            faded = Belief(
                (1 - fresh) * self._belief.scores, (1 - fresh) * self._belief.none, self._belief.end
            )
            self._belief, _ = advance(faded, verdict, end, fresh)
        best = self._belief.best
        self._pulse = None if best is None else settle(verdict.envelope, *best, end)

    def _give(self, features: Tensor) -> None:
        beats = torch.zeros(len(features))
        for index in range(len(features)):
            if self._pulse is not None and self._is_beat((self._made + index) / FPS):
                beats[index] = 1.0
        self._made += len(features)
        self._features.append(features)
        self._beats.append(beats)

    def _is_beat(self, time: float) -> bool:
        """Whether the frame at a time is the nearest to a beat that was not given yet, or comes just after it."""
        assert self._pulse is not None, "without a pulse there is no beat"
        nearest = self._pulse.nearest(time)
        # A pulse found anew may have moved its next beat behind the frames that are out: it is given late, not lost.
        if not -_LATE / FPS < nearest - time < 0.5 / FPS or nearest - self._last < 0.5 * self._pulse.period:
            return False
        self._last = nearest
        return True


def _resampler(sample_rate: int) -> Any:
    """Return soxr's stream, which gives the samples that `features.resample` gives, bit for bit."""
    try:
        import soxr
    except ImportError as error:
        raise ImportError(MISSING) from error
    return soxr.ResampleStream(sample_rate, SAMPLE_RATE, 1, dtype="float32", quality=RESAMPLING)


@lru_cache(maxsize=16)
def _lag(sample_rate: int) -> int:
    """Return the frames by which the resampler is late, measured: it depends on how the rates divide."""
    resampler, part = _resampler(sample_rate), np.zeros(max(1, sample_rate // 1000), np.float32)
    came, worst = 0, 0.0
    for index in range(1, 1001):
        came += len(resampler.resample_chunk(part))
        worst = max(worst, index * len(part) * SAMPLE_RATE / sample_rate - came)
    return math.ceil(worst / HOP)
