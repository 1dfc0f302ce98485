"""Music condition: audio features and beats of each frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.music.audio import Audio
from motiongen.music.beats import BeatGrid, beat_one_hot, track_beats
from motiongen.music.features import music_features


@dataclass(frozen=True)
class MusicCondition:
    """Audio features and beats of a batch of songs, at 30 fps.

    Attributes:
        features: (B, T, 34), see `motiongen.music.features`.
        beats: (B, T), 1 at frames with a beat, else 0.
    """

    features: Tensor
    beats: Tensor

    def __post_init__(self) -> None:
        if self.features.ndim != 3 or self.beats.shape != self.features.shape[:2]:
            raise ValueError(
                f"music: expected features (B, T, D) and beats (B, T), got {tuple(self.features.shape)} and "
                f"{tuple(self.beats.shape)}; give both of the same frames"
            )

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, items: slice | Sequence[int] | Tensor) -> "MusicCondition":
        """Return the condition of some items; an index may be repeated."""
        return MusicCondition(self.features[items], self.beats[items])

    @classmethod
    def from_audio(cls, audio: Audio, grid: BeatGrid | None = None) -> "MusicCondition":
        """Return the condition (1, T, ...) of audio, T = round(30 * seconds).

        Args:
            audio: the music.
            grid: its beats if they are known; None to track them.

        Raises:
            ImportError: librosa is not installed.
        """
        features = music_features(audio)
        beats = track_beats(audio).beats if grid is None else grid.beats
        return cls(features[None], beat_one_hot(beats, len(features))[None])

    @property
    def num_frames(self) -> int:
        """Frames T."""
        return self.features.shape[1]

    def frames(self, start: int, end: int) -> "MusicCondition":
        """Return frames [start, end)."""
        return MusicCondition(self.features[:, start:end], self.beats[:, start:end])

    def followed_by(self, other: "MusicCondition") -> "MusicCondition":
        """Return this music and then another."""
        features = torch.cat([self.features, other.features.to(self.features)], dim=1)
        return MusicCondition(features, torch.cat([self.beats, other.beats.to(self.beats)], dim=1))

    def to(self, device: torch.device | str) -> "MusicCondition":
        """Return the condition moved to a device."""
        return MusicCondition(self.features.to(device), self.beats.to(device))
