"""Transformer sizes."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Sizes of a pre-norm transformer.

    Attributes:
        dim: channels of the sequence.
        num_layers: blocks.
        num_heads: attention heads; the head size `dim / num_heads` must be a multiple of 4.
        feedforward_dim: hidden channels of each block's feed-forward part.
        context_dim: channels of the context tokens; 0 for a transformer without context.
        dropout: probability of zeroing a channel of a block's output in training.
        window: tokens that a causal position sees, itself included; None for all.
    """

    dim: int = 192
    num_layers: int = 6
    num_heads: int = 6
    feedforward_dim: int = 512
    context_dim: int = 128
    dropout: float = 0.0
    window: int | None = None

    def __post_init__(self) -> None:
        for name in ("dim", "num_layers", "num_heads", "feedforward_dim"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected >= 1, got {getattr(self, name)}; fix config.json")
        if self.dim % self.num_heads or (self.dim // self.num_heads) % 4:
            raise ValueError(
                f"dim: expected num_heads ({self.num_heads}) times a multiple of 4, got {self.dim}; fix config.json"
            )
        if self.context_dim < 0 or not 0 <= self.dropout < 1 or (self.window is not None and self.window < 1):
            raise ValueError(
                f"context_dim, dropout, window: expected >= 0, 0..1, >= 1, got {self.context_dim}, {self.dropout}, "
                f"{self.window}; fix config.json"
            )

    @property
    def head_dim(self) -> int:
        """Channels of one head."""
        return self.dim // self.num_heads
