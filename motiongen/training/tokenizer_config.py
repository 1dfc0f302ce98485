"""Training options of the tokenizer."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from motiongen.checks import check_batch
from motiongen.feature_layout import FEATURE_DIM
from motiongen.tokenizers.rvq_vae_config import PRESETS
from motiongen.training.run import CacheTraining

if TYPE_CHECKING:
    from motiongen.training.loop import Recipe


@dataclass(frozen=True, kw_only=True)
class TokenizerTrainConfig:
    """Training batches and loss weights of the tokenizer."""

    batch_size: int = 128
    """Windows of a training step."""
    window: int = 64
    """Frames of a training window."""
    position_weight: float = 4.0
    """Loss weight of the mean joint distance above the floor, metres."""
    height_weight: float = 10.0
    """Loss weight of the mean squared error of joint heights, m²."""
    gap_weight: float = 2.0
    """Loss weight of the error of the gap between the floor and the body's lowest part, metres."""
    path_weight: float = 0.2
    """Loss weight of the root's mean distance from its path in the window, metres."""
    velocity_weight: float = 0.5
    """Loss weight of the mean difference of joint velocities, m/s."""
    acceleration_weight: float = 0.02
    """Loss weight of the mean difference of joint accelerations, m/s²: without it the frames of a token jitter."""
    foot_weight: float = 1.0
    """Loss weight of the velocity difference of feet in contact, against foot sliding."""
    hand_weight: float = 0.0
    """Loss weight of the wrists' distances and velocities: in the other losses they are two joints of 22, and a wave is
    lost."""
    commitment_weight: float = 0.02
    """Weight of the loss that keeps latents near their codes."""
    plain_share: float = 0.25
    """Share of windows that are decoded from unquantized latents (Défossez et al. 2024, Moshi, section 3.3.1)."""
    quantize: bool = True
    """Off for a first stretch, the autoencoder learns alone; resumed with on, the codebooks start from its latents."""
    decoder_only: bool = False
    """Train the decoder alone, of a tokenizer to start from: its codes stay, and so do the heads that write them."""
    source_power: float = 0.5
    """A source with n frames has weight n**power: 1 for proportional to n, 0 for uniform."""
    kinematic_items: int = 48
    """Windows of a batch for the position and velocity losses, which cost as much as the network."""

    def __post_init__(self) -> None:
        check_batch(self)
        if not 8 <= self.window <= 4096:
            raise ValueError(f"window: expected 8 to 4096 frames, got {self.window}; 64 is the default")


@dataclass(frozen=True, kw_only=True)
class TokenizerTraining(CacheTraining):
    """Train the tokenizer, an RVQ-VAE that turns motion into codes and back."""

    preset: Literal["small", "open", "large", "paper"] = "small"
    """Model size: small and open are shipped, large is for all free data; paper is not causal and cannot stream."""
    recipe: TokenizerTrainConfig = field(default_factory=TokenizerTrainConfig)
    """Training batches and loss weights."""

    def build(self) -> "Recipe":
        """Return the training recipe for the data."""
        from motiongen.training.tokenizer import TokenizerRecipe

        if self.recipe.decoder_only and self.start_from is None:
            raise ValueError(
                "decoder_only: expected a tokenizer to train on; name its folder with --start-from"
            )
        model = replace(PRESETS[self.preset], feature_dim=FEATURE_DIM)
        return TokenizerRecipe.from_cache(self.cache(), model, self.recipe)
