"""Projection of retrieved clips into a model, as further tokens of its context.

Semi-parametric synthesis: a model that attends to the nearest training examples (Blattmann et al. 2022, section 3; for
text, RETRO, Borgeaud et al. 2022, whose chunked attention becomes tokens of the one context here). A token of a clip
carries its code and the one before, so that a layer can find the present code in the clip and read what follows (the
induction of Olsson et al. 2022).
"""

import torch
from torch import Tensor, nn

from motiongen.modules.residual_transformer import CodeVectors


class MemoryInput(nn.Module):
    """Projects the codes of retrieved clips to context tokens.

    Args:
        code_dim: channels of a code embedding.
        context_dim: channels of a context token.
        tokens: tokens of a clip that are read, from its start; further ones are not.
    """

    def __init__(self, code_dim: int, context_dim: int, tokens: int) -> None:
        super().__init__()
        self.codes = nn.Linear(2 * code_dim, context_dim)
        self.positions = nn.Parameter(torch.empty(tokens, context_dim))
        self.norm = nn.LayerNorm(context_dim)
        nn.init.normal_(self.positions, std=0.02)

    def forward(self, clips: Tensor, vectors: CodeVectors) -> tuple[Tensor, Tensor]:
        """Return context tokens (B, R * M, C) and their padding (B, R * M), true = padding.

        Args:
            clips: (B, R, M', Q) codes of R clips, -1 where there is none; tokens past M are not read.
            vectors: the embedding table of the codes.
        """
        clips = clips[:, :, : len(self.positions)]
        batch, count, tokens, levels = clips.shape
        flat = clips.reshape(batch * count, tokens, levels).long()
        every_level = torch.full((len(flat),), levels, device=flat.device)
        embedded = vectors.sum_below(flat.clamp_min(0), every_level)  # (B R, M, C')
        before = torch.cat([torch.zeros_like(embedded[:, :1]), embedded[:, :-1]], dim=1)
        projected = self.codes(torch.cat([embedded, before], dim=-1)) + self.positions[:tokens]
        return self.norm(projected).view(batch, count * tokens, -1), (flat[..., 0] < 0).view(batch, -1)


def extend(
    context: tuple[Tensor, Tensor, Tensor],
    memory: MemoryInput | None,
    clips: Tensor | None,
    dropped: Tensor,
    vectors: CodeVectors,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return context tokens (B, L + R * M, C), their padding and sentence vectors, with the retrieved clips at the end.

    Args:
        context: tokens (B, L, C), padding (B, L) and sentence vectors (B, D) from `TextInput`.
        memory: of the model; None if it has none.
        clips: (B, R, M, Q) codes, see `MemoryInput`; None for no clips.
        dropped: (B,) bool, true = unconditional, without clips too.
        vectors: the embedding table of the codes.
    """
    if memory is None or clips is None:
        return context
    tokens, padding, sentence = context
    more, empty = memory(clips, vectors)
    tokens = torch.cat([tokens, more.to(tokens.dtype)], dim=1)
    return tokens, torch.cat([padding, empty | dropped[:, None]], dim=1), sentence
