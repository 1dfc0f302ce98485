"""Transformer block with feature-wise linear modulation (FiLM, Perez et al., AAAI 2018), as in EDGE."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.modules.attention import attend


class FiLM(nn.Module):
    """Feature-wise scale and shift predicted from a condition; initialised to the identity."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.project = nn.Linear(dim, 2 * dim)
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return x (B, N, D) modulated by a condition (B, N, D), position by position."""
        scale, shift = self.project(condition).chunk(2, dim=-1)
        return x * (1 + scale) + shift


class FiLMBlock(nn.Module):
    """Pre-norm attention over sequence and contexts in one softmax, then feed-forward, with FiLM after each."""

    def __init__(self, dim: int, num_heads: int, feedforward_dim: int, dropout: float) -> None:
        super().__init__()
        self.num_heads, self.dropout = num_heads, dropout
        self.attention_norm = nn.LayerNorm(dim)
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.context_key_value = nn.Linear(dim, 2 * dim)
        self.attention_out = nn.Linear(dim, dim)
        self.attention_film = FiLM(dim)
        self.feedforward_norm = nn.LayerNorm(dim)
        self.feedforward_in = nn.Linear(dim, feedforward_dim)
        self.feedforward_out = nn.Linear(feedforward_dim, dim)
        self.feedforward_film = FiLM(dim)

    def forward(self, x: Tensor, contexts: Sequence[Tensor], condition: Tensor) -> Tensor:
        """Return x (B, N, D) after attention and feed-forward.

        Args:
            x: (B, N, D) sequence.
            contexts: (B, L_i, D) each; the sequence attends to all of them.
            condition: (B, N, D) that modulates every position.
        """
        query, memory = self._split(self.query_key_value(self.attention_norm(x)), 3)
        context = torch.cat(list(contexts), dim=1)  # (B, L, D)
        _, outside = self._split(self.context_key_value(context), 2)
        attended = attend(query, [outside, memory])  # (B, H, N, Dh)
        attended = self.attention_out(attended.transpose(1, 2).flatten(2))
        x = x + self.attention_film(F.dropout(attended, self.dropout, self.training), condition)
        hidden = F.gelu(self.feedforward_in(self.feedforward_norm(x)))
        hidden = F.dropout(self.feedforward_out(hidden), self.dropout, self.training)
        return x + self.feedforward_film(hidden, condition)

    def _split(self, packed: Tensor, parts: int) -> tuple[Tensor, Tensor]:
        """Return queries (B, H, N, Dh), to be ignored where parts is 2, and keys with values (2, B, H, N, Dh)."""
        batch, tokens, _ = packed.shape
        heads = packed.view(batch, tokens, parts, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        return heads[0], heads[-2:]
