"""Sizes of CARP."""

import math
from dataclasses import dataclass, replace

from motiongen.modules.observation import PolicyConfig
from motiongen.tokenizers.action_vq import ActionVQConfig


@dataclass(frozen=True, kw_only=True)
class CARPConfig(PolicyConfig):
    """Sizes of the transformer and of its action tokenizer."""

    dim: int = 64
    num_layers: int = 8
    num_heads: int = 4
    feedforward: int = 4
    """Width of the feed-forward layers, as a multiple of dim."""
    shared_modulation: bool = False
    """One layer makes the scales and shifts of all blocks, and a block only adds to them: a third of the weights."""
    dropout: float = 0.0
    widths: tuple[int, ...] = (2, 4, 8)
    """Channels of the action tokenizer's stages."""
    latent_dim: int = 8
    codebook_size: int = 512
    scales: tuple[int, ...] = (1, 2, 3, 4)
    chained: bool = False
    """Write the numbers of the coarsest scale one after another, each told those before it."""
    offset_dim: int = 0
    """Width of the layer that adds what codes are too coarse to say; 0 leaves it out, as published."""
    temperature: float = 0.0
    """At which codes are drawn; 0 takes the likeliest, as published."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.temperature < math.inf:
            raise ValueError(
                f"temperature: expected 0 or more, got {self.temperature}; 0 takes the likeliest code"
            )
        if self.chained and self.scales[0] != 1:
            raise ValueError(
                f"scales: expected to begin with 1 for a chain, got {self.scales}; fix config.json"
            )
        if self.dim % self.num_heads:
            raise ValueError(
                f"dim: expected a multiple of {self.num_heads} heads, got {self.dim}; fix config.json"
            )

    @property
    def tokenizer(self) -> ActionVQConfig:
        """Sizes of the action tokenizer."""
        return ActionVQConfig(
            action_dim=self.action_dim,
            horizon=self.horizon,
            widths=self.widths,
            latent_dim=self.latent_dim,
            codebook_size=self.codebook_size,
            scales=self.scales,
        )


_SMALL = CARPConfig(
    obs_steps=1,
    action_steps=4,
    pairs=True,
    obs_layers=3,
    cond_dim=256,
    num_layers=2,
    shared_modulation=True,
    widths=(8, 16, 32),
    codebook_size=128,
    scales=(1, 2, 4),
    chained=True,
    offset_dim=128,
)
PRESETS = {
    "paper": CARPConfig(obs_layers=1, cond_dim=64),
    "small": _SMALL,
    "body": replace(_SMALL, cond_dim=128, widths=(2, 4, 8, 8), scales=(1, 2), offset_dim=64),
}
"""paper is the published size for states. small is what ships, and learns in an hour on two cores: its weights look at
what is observed, which is encoded once a chunk, rather than at the tokens. body is for robots of many joints, whose
codes are many: it has fewer scales, and less of all else."""
