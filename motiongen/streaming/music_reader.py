"""How a dancer follows a piece of music: frame by frame of its features, and which sample each frame shows."""

from collections import deque
from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.features import FPS
from motiongen.music.stream import MusicStream
from motiongen.streaming.audio_queue import AudioQueue

PREROLL = 2.0
"""Seconds of a piece that must be there before it begins, unless it is live: so that it does not stall at once."""
PARTS = 5
"""Sound is listened to in this part of a second: what was listened to cannot be forgotten."""
LATE = 6
"""Frames by which live sound may be danced later than was promised; beyond, what is too old is left out."""


@dataclass(frozen=True)
class MusicChunk:
    """Frames of music: features (n, music_dim), beats (n,), and the sample at which the first of them begins."""

    features: Tensor
    beats: Tensor
    sample: int


class MusicReader:
    """Listens to one audio.

    Attributes:
        audio: the sound.
        is_over: whether all of it has been listened to.
    """

    def __init__(self, audio: AudioQueue) -> None:
        """Take a piece of which some sound has come."""
        self.audio, self.is_over = audio, False
        self._music = MusicStream(audio.rate)
        self._frames = 0  # that were heard
        self._pushed = 0  # samples
        self._cuts: deque[tuple[float, int]] = deque(
            [(0.0, 0)]
        )  # (frame from which, samples left out before it)

    @property
    def unheard(self) -> float:
        """Frames of sound that came and were not heard: those that wait, and those whose future is not known."""
        return self._in_frames(self._pushed + self.audio.waiting) - self._frames

    @property
    def longest(self) -> float:
        """Frames of the longest part that came at once: as late as it is long when it has just come."""
        return self._in_frames(self.audio.longest)

    def hear(self) -> MusicChunk | None:
        """Return the next frames of music that are known, or None when more sound must come first."""
        while not self.is_over:
            sound = self.audio.take(self.audio.rate // PARTS)
            if sound is None and not self.audio.is_over:
                return None
            if sound is None:
                self._music.finish()
                self.is_over = True
            else:
                if self.audio.skipped != self._cuts[-1][1]:
                    self._cuts.append((self._in_frames(self._pushed), self.audio.skipped))
                self._music.push(sound)
                self._pushed += len(sound)
            features, beats = self._music.take()
            if len(features):
                return self._note(torch.as_tensor(features), torch.as_tensor(beats))
        return None

    def catch_up(self, late: float) -> None:
        """Leave the oldest sound out, where live sound would be shown so many frames later than was promised."""
        if late > LATE:
            self.audio.skip(round(late * self.audio.rate / FPS))

    def _note(self, features: Tensor, beats: Tensor) -> MusicChunk:
        while len(self._cuts) > 1 and self._cuts[1][0] <= self._frames:
            self._cuts.popleft()
        sample = round(self._frames * self.audio.rate / FPS) + self._cuts[0][1]
        self._frames += len(features)
        return MusicChunk(features, beats, sample)

    def _in_frames(self, samples: int) -> float:
        return samples * FPS / self.audio.rate
