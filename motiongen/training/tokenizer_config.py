"""How the tokenizer is trained."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from motiongen.features import FEATURE_DIM
from motiongen.tokenizers.rvq_vae_config import PRESETS
from motiongen.training.run import CacheTraining

if TYPE_CHECKING:
    from motiongen.training.loop import Recipe


@dataclass(frozen=True, kw_only=True)
class TokenizerTrainConfig:
    """Batches and loss weights."""

    batch_size: int = 128
    window: int = 64
    """Frames of a training window."""
    position_weight: float = 4.0
    """Of the mean distance of joints, metres."""
    velocity_weight: float = 0.5
    """Of the mean difference of joint velocities, m/s."""
    acceleration_weight: float = 0.02
    """Of the mean difference of joint accelerations, m/s²: without it the frames of a token jitter."""
    foot_weight: float = 1.0
    """Of the same at feet that stand, so that they do not slide."""
    commitment_weight: float = 0.02
    source_power: float = 0.5
    """A source with n frames is drawn as n**power: 1 as much as is there, 0 all sources alike."""
    kinematic_items: int = 48
    """Windows of a batch that the position and velocity terms see: they cost as much as the network."""

    def __post_init__(self) -> None:
        if self.window < 8 or self.batch_size < 1:
            raise ValueError(f"window: expected >= 8 frames, got {self.window}; and a batch_size >= 1")


@dataclass(frozen=True, kw_only=True)
class TokenizerTraining(CacheTraining):
    """Train the RVQ-VAE that turns motion into codes and back."""

    preset: Literal["small", "open", "paper"] = "small"
    """small and open are the sizes that ship; paper has the published ones and looks ahead, so it does not stream."""
    recipe: TokenizerTrainConfig = field(default_factory=TokenizerTrainConfig)
    """Batches and loss weights."""

    def build(self) -> "Recipe":
        """Return the recipe for the data."""
        from motiongen.training.tokenizer import TokenizerRecipe

        model = replace(PRESETS[self.preset], feature_dim=FEATURE_DIM)
        return TokenizerRecipe.from_cache(self.cache(), model, self.recipe)
