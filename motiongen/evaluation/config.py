"""How much an evaluation asks of a model."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """How much to ask."""

    prompts: int = 256
    """Held-out captions, each of another held-out clip."""
    variant_prompts: int = 10
    """Prompts that are answered several times, for multimodality."""
    variants: int = 8
    """Answers to each of them."""
    batch_size: int = 32
    max_frames: int = 300
    """Longer real clips are cut: a model is not asked for minutes."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (
            ("prompts", 4),
            ("variant_prompts", 0),
            ("variants", 2),
            ("batch_size", 1),
            ("max_frames", 8),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: expected >= {least}, got {getattr(self, name)}; ask for more")


@dataclass(frozen=True, kw_only=True)
class DanceEvaluateConfig:
    """How much to ask."""

    seconds: float = 15.0
    """Length of a song; longer ones are cut into pieces."""
    pieces: int = 48
    """Pieces of held-out clips with their songs, at most."""
    window: float = 5.0
    """Seconds of a dance that become one sample of the features behind FID and diversity."""
    reference_windows: int = 800
    """Windows of real dances, at most, that FID measures against."""
    split: Literal["test", "train"] = "test"
    """Whose songs: to choose options such as the guidance by, take those of the training clips."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.seconds < self.window or self.window < 1 or self.pieces < 2 or self.reference_windows < 8:
            raise ValueError(
                f"seconds, window, pieces: expected seconds >= window >= 1 and 2 pieces, got {self.seconds}, "
                f"{self.window}, {self.pieces}; see the defaults"
            )
