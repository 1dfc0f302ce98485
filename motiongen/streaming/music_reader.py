"""Turns the sound of an AudioQueue into music features, and maps frames of features to samples of the sound."""

from collections import deque
from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.features import FPS
from motiongen.music.stream import MusicStream
from motiongen.streaming.audio_queue import AudioQueue

PREROLL_SECONDS = 2.0
"""Seconds of sound that must have come before a piece that is not live begins, so that it does not stall at once."""
PARTS_PER_SECOND = 5
"""Sound is read in parts of this length: sound that was read cannot be left out any more."""
MAX_LATE_FRAMES = 6
"""Frames by which live sound may be danced later than was promised; beyond, the oldest is left out."""


@dataclass(frozen=True)
class MusicChunk:
    """The next frames of music.

    Attributes:
        features: (n, music_dim).
        beats: (n,).
        sample: sample of the sound at which the first frame begins.
    """

    features: Tensor
    beats: Tensor
    sample: int


class MusicReader:
    """Reads one piece of music.

    Attributes:
        audio: the sound.
        is_over: whether all of it has been read.
    """

    def __init__(self, audio: AudioQueue) -> None:
        """Begin to read.

        Args:
            audio: a queue into which some sound has come.
        """
        self.audio, self.is_over = audio, False
        self._music = MusicStream(audio.sample_rate)
        self._read_frames = 0
        self._read_samples = 0
        # (frame from which, samples left out before it)
        self._cuts: deque[tuple[float, int]] = deque([(0.0, 0)])

    @property
    def unread_frames(self) -> float:
        """Frames of sound that came and are not read yet: queued ones, and those whose look-ahead is missing."""
        return self._in_frames(self._read_samples + self.audio.queued) - self._read_frames

    @property
    def largest_part_frames(self) -> float:
        """Frames of the largest part that came at once: it is as late as it is long when it has just come."""
        return self._in_frames(self.audio.largest_part)

    def read(self) -> MusicChunk | None:
        """Return the next frames of music that are known, or None where more sound must come first."""
        while not self.is_over:
            sound = self.audio.take(self.audio.sample_rate // PARTS_PER_SECOND)
            if sound is None and not self.audio.is_over:
                return None
            if sound is None:
                self._music.finish()
                self.is_over = True
            else:
                if self.audio.skipped != self._cuts[-1][1]:
                    self._cuts.append((self._in_frames(self._read_samples), self.audio.skipped))
                self._music.push(sound)
                self._read_samples += len(sound)
            features, beats = self._music.take()
            if len(features):
                return self._chunk(torch.as_tensor(features), torch.as_tensor(beats))
        return None

    def catch_up(self, late_frames: float) -> None:
        """Leave out the oldest sound where live sound would be danced too late.

        Args:
            late_frames: frames by which it would be danced later than was promised.
        """
        if late_frames > MAX_LATE_FRAMES:
            self.audio.skip(round(late_frames * self.audio.sample_rate / FPS))

    def _chunk(self, features: Tensor, beats: Tensor) -> MusicChunk:
        while len(self._cuts) > 1 and self._cuts[1][0] <= self._read_frames:
            self._cuts.popleft()
        sample = round(self._read_frames * self.audio.sample_rate / FPS) + self._cuts[0][1]
        self._read_frames += len(features)
        return MusicChunk(features, beats, sample)

    def _in_frames(self, samples: int) -> float:
        return samples * FPS / self.audio.sample_rate
