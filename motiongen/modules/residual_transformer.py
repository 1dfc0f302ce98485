"""Residual transformer: predicts the finer quantizer levels of all tokens, level by level (MoMask)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.modules.attention import Transformer
from motiongen.modules.kv_cache import Context
from motiongen.modules.transformer_config import TransformerConfig


class CodeVectors(nn.Module):
    """Embedding table of the codes of all levels, tied between input embeddings and output logits."""

    def __init__(self, num_quantizers: int, codebook_size: int, dim: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.vectors = nn.Parameter(torch.randn(num_quantizers, codebook_size, dim, generator=generator))
        self.log_scale = nn.Parameter(torch.zeros(num_quantizers))
        self.bias = nn.Parameter(torch.zeros(num_quantizers, codebook_size))

    @torch.no_grad()
    def start_from(self, codebooks: Tensor) -> None:
        """Initialise from a tokenizer's codebooks (Q, K, C), projected on their principal directions if C is larger.

        Similar motions then start with similar embeddings, and each residual level with the correction that it adds.

        Raises:
            ValueError: codebooks of another size.
        """
        levels, size, dim = self.vectors.shape
        if codebooks.shape[:2] != (levels, size) or codebooks.shape[2] < dim:
            raise ValueError(
                f"codebooks: expected {levels} x {size} x at least {dim}, got {tuple(codebooks.shape)}; "
                "take the tokenizer this head is made for"
            )
        codebooks = codebooks.detach().float().clone()
        codebooks[0] -= codebooks[0].mean(dim=0)  # the mean pose carries no information
        normalised = codebooks / codebooks.std(dim=(1, 2), keepdim=True).clamp_min(1e-6)
        directions = torch.linalg.svd(normalised.flatten(0, 1), full_matrices=False).Vh[:dim]  # (dim, C)
        vectors = codebooks @ directions.T
        scales = vectors.std(dim=(1, 2)).clamp_min(
            1e-6
        )  # level 1 has scale 1, finer ones keep their relative scale
        self.vectors.copy_(vectors / scales[0])
        self.log_scale.copy_((scales[0] / scales).log())

    def sum_below(self, codes: Tensor, level: Tensor) -> Tensor:
        """Return summed embeddings (B, N, C) of codes (B, N, Q) over the levels below `level` (B,)."""
        batch, tokens, levels = codes.shape
        size = self.vectors.shape[1]
        index = torch.arange(levels, device=codes.device)
        weights = (index < level[:, None, None]).to(self.vectors.dtype).expand(batch, tokens, levels)
        summed = F.embedding_bag(
            (codes + index * size).reshape(-1, levels),
            self.vectors[:levels].flatten(0, 1),
            mode="sum",
            per_sample_weights=weights.reshape(-1, levels),
        )
        return summed.view(batch, tokens, -1)

    def logits(self, features: Tensor, level: Tensor | int) -> Tensor:
        """Return logits (..., K) of features (..., C).

        Args:
            features: (..., C).
            level: the level, or (B,) levels, one for each item.
        """
        scale = self.log_scale[level].exp() * features.shape[-1] ** -0.5
        bias, vectors = self.bias[level], self.vectors[level]
        if isinstance(level, Tensor):
            scale, bias = scale[:, None, None], bias[:, None]  # (B, 1, K)
        products: Tensor = features @ vectors.transpose(-2, -1).to(features.dtype)  # (..., K)
        logits: Tensor = products.float() * scale + bias
        return logits


class ResidualTransformer(nn.Module):
    """Predicts level q of all tokens at once from the sum of the levels below (MoMask, Guo et al. 2024)."""

    def __init__(
        self, config: TransformerConfig, num_quantizers: int, code_dim: int, sentence_dim: int
    ) -> None:
        super().__init__()
        self.code_in = nn.Linear(code_dim, config.dim)
        self.sentence_in = nn.Linear(sentence_dim, config.dim)
        self.level_embedding = nn.Embedding(num_quantizers, config.dim)
        self.transformer = Transformer(config)
        self.code_out = nn.Linear(config.dim, code_dim)
        nn.init.normal_(self.level_embedding.weight, std=0.02)

    def make_context(self, tokens: Tensor, padding: Tensor) -> Context:
        """Return the context of projected text tokens (B, L, C) with padding (B, L) (true = padding)."""
        return self.transformer.make_context(tokens, padding)

    def forward(
        self,
        codes: Tensor,
        level: Tensor,
        padding: Tensor,
        context: Context,
        sentence: Tensor,
        vectors: CodeVectors,
    ) -> Tensor:
        """Return logits (B, N, K) of one level for each item.

        Args:
            codes: (B, N, Q); only the levels below `level` are read.
            level: (B,) in 1 .. Q - 1.
            padding: (B, N) bool, true = padding.
            context: from `make_context`.
            sentence: (B, sentence_dim) projected sentence vectors.
            vectors: the embedding table of the codes.
        """
        first = self.sentence_in(sentence) + self.level_embedding(level)
        x = torch.cat([first[:, None], self.code_in(vectors.sum_below(codes, level))], dim=1)  # (B, 1 + N, D)
        features = self.transformer(x, context, F.pad(padding, (1, 0)), causal=False)[:, 1:]
        return vectors.logits(self.code_out(features), level)
