"""Sizes of the RVQ-VAE."""

import math
from dataclasses import dataclass

ACTIVATIONS = ("relu", "silu")


@dataclass(frozen=True, kw_only=True)
class RVQVAEConfig:
    """Sizes of an RVQ-VAE; the defaults are those of the shipped preset `small`."""

    feature_dim: int = 140
    """Channels of a feature frame."""
    width: int = 256
    """Channels at token rate."""
    frame_width: int = 128
    """Channels at frame rate, before the first downsampling and after the last upsampling."""
    latent_dim: int = 128
    """Channels of a codebook entry."""
    strides: tuple[int, ...] = (4,)
    """Temporal stride of each stage; their product is the frames of a token."""
    depth: int = 4
    """Residual blocks of a stage."""
    dilation_growth: int = 2
    """Block i has dilation growth**i; the largest comes first."""
    activation: str = "silu"
    num_quantizers: int = 6
    codebook_size: int = 512
    causal: bool = True
    quantizer_dropout: float = 0.2
    """Share of training clips that are decoded from fewer levels."""
    ema_decay: float = 0.99
    linear_path: bool = False
    """A linear map of a token's frames beside each network, initialised at the principal components."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "strides", tuple(self.strides))  # JSON has lists
        for name in (
            "feature_dim",
            "width",
            "frame_width",
            "latent_dim",
            "depth",
            "num_quantizers",
            "codebook_size",
        ):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"{name}: expected >= 1, got {getattr(self, name)}; fix the tokenizer's config"
                )
        if not self.strides or min(self.strides) < 1:
            raise ValueError(
                f"strides: expected one or more sizes >= 1, got {self.strides}; use (4,) or (2, 2)"
            )
        if self.activation not in ACTIVATIONS:
            raise ValueError(
                f"activation: expected one of {list(ACTIVATIONS)}, got {self.activation!r}; pick one"
            )
        if not 0 <= self.quantizer_dropout <= 1:
            raise ValueError(f"quantizer_dropout: expected 0..1, got {self.quantizer_dropout}; use 0.2")

    @property
    def frames_per_token(self) -> int:
        """Frames of a token."""
        return math.prod(self.strides)


PRESETS: dict[str, RVQVAEConfig] = {
    "small": RVQVAEConfig(),
    "open": RVQVAEConfig(width=152, frame_width=96, latent_dim=96),
    "large": RVQVAEConfig(width=288, linear_path=True),
    "paper": RVQVAEConfig(
        feature_dim=263, width=512, frame_width=512, latent_dim=512, strides=(2, 2), depth=3, dilation_growth=3,
        activation="relu", causal=False,
    ),
}  # fmt: skip
