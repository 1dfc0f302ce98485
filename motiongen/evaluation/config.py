"""Sample sizes and seeds of evaluations."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """Sample sizes of the evaluation of a text-to-motion model."""

    prompts: int = 256
    """Number of held-out captions, each of another held-out clip."""
    variant_prompts: int = 10
    """Number of prompts with several motions, for multimodality."""
    variants: int = 8
    """Motions of each of them."""
    own_seeds: int = 0
    """Tries of each content's own sentence, its commonest caption; 0 for none."""
    batch_size: int = 32
    """Prompts that are generated together."""
    max_frames: int = 300
    """Longest motion, frames; longer ones are cropped."""
    seed: int = 0
    """Seed of the choice of captions and of the sampling."""

    def __post_init__(self) -> None:
        for name, least in (
            ("prompts", 4),
            ("variant_prompts", 0),
            ("variants", 2),
            ("own_seeds", 0),
            ("batch_size", 1),
            ("max_frames", 8),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: expected >= {least}, got {getattr(self, name)}; ask for more")


@dataclass(frozen=True, kw_only=True)
class DanceEvaluateConfig:
    """Sample sizes of the evaluation of dances."""

    seconds: float = 15.0
    """Length of an excerpt; longer songs are split."""
    pieces: int = 48
    """Largest number of excerpts of held-out dances with their songs."""
    window: float = 5.0
    """Seconds of a window, which is one sample of FID and diversity."""
    reference_windows: int = 800
    """Largest number of windows of real dances as the reference of FID."""
    split: Literal["test", "train"] = "test"
    """Split of the clips; train is for tuning options such as the guidance scale."""
    seed: int = 0
    """Seed of the choice of excerpts and of the sampling."""

    def __post_init__(self) -> None:
        if self.seconds < self.window or self.window < 1 or self.pieces < 2 or self.reference_windows < 8:
            raise ValueError(
                f"seconds, window, pieces: expected seconds >= window >= 1 and 2 pieces, got {self.seconds}, "
                f"{self.window}, {self.pieces}; see the defaults"
            )
