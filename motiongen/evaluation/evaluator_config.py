"""Sizes and training options of the evaluator."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from motiongen.checks import check_batch
from motiongen.feature_layout import FEATURE_DIM
from motiongen.training.run import CacheTraining

if TYPE_CHECKING:
    from motiongen.training.loop import Recipe


@dataclass(frozen=True, kw_only=True)
class EvaluatorConfig:
    """Sizes of the two encoders.

    Attributes:
        text_encoder: the frozen text encoder.
        text_dim: its channels.
        feature_dim: channels of a feature frame.
        dim: hidden channels.
        embedding_dim: channels of the joint embedding; few, so that a few hundred clips suffice for a covariance.
        max_frames: longer clips are cropped.
        dropout: in training.
    """

    text_encoder: str = "sentence-transformers/all-MiniLM-L6-v2"
    text_dim: int = 384
    feature_dim: int = FEATURE_DIM
    dim: int = 160
    embedding_dim: int = 64
    max_frames: int = 240
    dropout: float = 0.1

    def __post_init__(self) -> None:
        for name in ("text_dim", "feature_dim", "dim", "embedding_dim", "max_frames"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected >= 1, got {getattr(self, name)}; fix config.json")


@dataclass(frozen=True, kw_only=True)
class EvaluatorTrainConfig:
    """Training batches of the evaluator."""

    batch_size: int = 96
    """Pairs of a clip and a caption of a training step."""
    min_part: float = 0.6
    """Training clips are cropped at random to between this share and all of their length."""
    validation_clips: int = 512
    """Held-out clips on which it is validated."""

    def __post_init__(self) -> None:
        check_batch(self, least=2)  # the other captions of a batch are the wrong answers
        if not 0 < self.min_part <= 1:
            raise ValueError(f"min_part: expected 0..1, got {self.min_part}; 0.6 is the default")


@dataclass(frozen=True, kw_only=True)
class EvaluatorTraining(CacheTraining):
    """Train the evaluator, which measures how well motion and text match."""

    recipe: EvaluatorTrainConfig = field(default_factory=EvaluatorTrainConfig)
    """Training batches."""

    def build(self) -> "Recipe":
        """Return the training recipe for the data."""
        from motiongen.evaluation.evaluator_recipe import EvaluatorRecipe

        return EvaluatorRecipe.from_cache(self.cache(), self.recipe)
