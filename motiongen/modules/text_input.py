"""Projection of text conditions into a model, with learned null embeddings for classifier-free guidance."""

import torch
from torch import Tensor, nn

from motiongen.conditions.text import TextCondition


class TextInput(nn.Module):
    """Projects a text condition, or replaces it by learned null embeddings for classifier-free guidance.

    Args:
        text_dim: channels of the text encoder.
        context_dim: channels of the projected tokens.
        dim: channels of the projected sentence vector.
    """

    def __init__(self, text_dim: int, context_dim: int, dim: int) -> None:
        super().__init__()
        self.text_dim = text_dim
        self.tokens = nn.Sequential(
            nn.LayerNorm(text_dim), nn.Linear(text_dim, context_dim), nn.LayerNorm(context_dim)
        )
        self.pooled = nn.Sequential(nn.LayerNorm(text_dim), nn.Linear(text_dim, dim))
        self.no_tokens = nn.Parameter(torch.randn(context_dim, generator=torch.Generator().manual_seed(0)))
        self.no_pooled = nn.Parameter(torch.zeros(dim))

    def forward(self, condition: TextCondition, dropped: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return context tokens (B, L, C), their padding (B, L) and sentence vectors (B, D).

        Args:
            condition: B prompts.
            dropped: (B,) bool, true = unconditional.

        Raises:
            ValueError: the condition is from another text encoder than the model was trained with.
        """
        if condition.tokens.shape[-1] != self.text_dim:
            raise ValueError(
                f"condition: expected {self.text_dim} channels, got {condition.tokens.shape[-1]}; use the text encoder "
                "named in the model's config.json"
            )
        tokens = torch.where(
            dropped[:, None, None], self.no_tokens, self.tokens(condition.tokens)
        )  # (B, L, C)
        first = torch.arange(tokens.shape[1], device=tokens.device) == 0
        padding = torch.where(dropped[:, None], ~first, condition.padding_mask)  # "no text" is one token long
        pooled = torch.where(dropped[:, None], self.no_pooled, self.pooled(condition.pooled))  # (B, D)
        return tokens, padding, pooled
