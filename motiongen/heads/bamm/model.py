"""BAMM: text to motion codes by one transformer that samples autoregressively, then resamples bidirectionally.

After BAMM (Pinyoanuntapong et al., ECCV 2024), with these differences: causal and masked views both predict the next
code, so that the output has one meaning; text is a context of tokens instead of one CLIP vector; positions are
relative; pass 2 re-masks by the confidence of pass 1 (the release's scores are all zero); all kinds of edits are
conditioned on the text; the length can be given; finer levels come from a residual transformer in the same head
(MoMask, Guo et al., CVPR 2024).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.conditions.text import TextCondition
from motiongen.heads.bamm.config import BAMMConfig
from motiongen.modules.attention import Transformer
from motiongen.modules.memory_input import MemoryInput, extend
from motiongen.modules.residual_transformer import CodeVectors, ResidualTransformer
from motiongen.modules.text_input import TextInput


class BAMM(nn.Module):
    """Masked and autoregressive transformer over first-level codes, with a residual transformer for finer levels."""

    model_type = "bamm"
    config_class = BAMMConfig

    def __init__(self, config: BAMMConfig) -> None:
        super().__init__()
        self.config = config
        self.vectors = CodeVectors(config.num_quantizers, config.codebook_size, config.code_dim)
        self.text = TextInput(config.text_dim, config.context_dim, config.dim)
        reads = (config.code_dim, config.context_dim, config.memory_tokens)
        self.memory = MemoryInput(*reads) if config.memory_clips else None
        self.length = nn.Embedding(config.max_tokens + 1, config.dim)  # 0: no length given
        self.special = nn.Parameter(torch.empty(3, config.dim))  # END, PAD, MASK
        self.code_in = nn.Linear(config.code_dim, config.dim)
        self.transformer = Transformer(config.transformer())
        self.code_out = nn.Linear(config.dim, config.code_dim)
        self.end_out = nn.Linear(config.dim, 1)
        self.residual = ResidualTransformer(
            config.residual_transformer(), config.num_quantizers, config.code_dim, config.dim
        )
        nn.init.normal_(self.length.weight, std=0.02)
        nn.init.normal_(self.special, std=0.5)

    @property
    def device(self) -> torch.device:
        """Device of the model."""
        return self.special.device

    def context(self, condition: TextCondition, dropped: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return context tokens (B, L, C), their padding (B, L) and sentence vectors (B, D).

        Args:
            condition: B prompts, with or without clips of a memory.
            dropped: (B,) bool, true = unconditional.
        """
        context = self.text(condition, dropped)
        return extend(context, self.memory, condition.clips, dropped, self.vectors)

    def embed(self, codes: Tensor) -> Tensor:
        """Return embeddings (B, N, D) of first-level codes (B, N), which may include END, PAD and MASK."""
        table = torch.cat([self.code_in(self.vectors.vectors[0]), self.special.to(self.code_in.weight.dtype)])
        return F.embedding(codes, table)

    def first_token(self, sentence: Tensor, lengths: Tensor) -> Tensor:
        """Return the embedding (B, 1, D) of the token before the codes.

        Args:
            sentence: (B, D) projected sentence vectors.
            lengths: (B,) tokens of the clip, 0 if not given.
        """
        first: Tensor = sentence + self.length(lengths)
        return first[:, None]

    def logits(self, features: Tensor) -> Tensor:
        """Return logits (..., K + 1) of the next first-level code, for features (..., D); the last is that of END."""
        return torch.cat(
            [self.vectors.logits(self.code_out(features), 0), self.end_out(features).float()], dim=-1
        )
