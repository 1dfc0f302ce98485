"""Residual vector quantizer with EMA codebooks."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

KMEANS_ITERATIONS = 10
KMEANS_CHUNK = 8192  # rows per distance matrix: 8192 x 512 floats are 16 MB
DEAD_BELOW = 0.1  # a code is dead if it is used less than this share of the average code
REVIVED_COUNT = 0.3  # initial count of a revived code, of the average: about 100 batches at a decay of 0.99


@dataclass(frozen=True)
class Quantized:
    """Result of quantizing latents (B, N, D)."""

    latents: Tensor  # (B, N, D), gradients pass straight through to the input
    codes: Tensor  # (B, N, Q) int64, coarse first
    commitment: Tensor  # scalar: mean squared distance of each level's input to its code (commitment loss)


def nearest_codes(rows: Tensor, codebook: Tensor) -> Tensor:
    """Return indices (M,) of the codes nearest to rows (M, D), in a codebook (K, D)."""
    half_squares = codebook.square().sum(-1) / 2  # |row|^2 does not change the order
    return torch.cat([(half_squares - part @ codebook.T).argmin(-1) for part in rows.split(KMEANS_CHUNK)])


class ResidualVQ(nn.Module):
    """Residual vector quantizer (SoundStream, Zeghidour et al. 2021, Algorithm 1) with EMA codebooks.

    EMA update of van den Oord et al. 2017 (appendix A.1). The decayed sums are the product of codes and decayed counts,
    so that two buffers hold the whole training state. Only `initialise` and `update` change them.

    Args:
        num_quantizers: levels Q.
        codebook_size: codes K of a level.
        dim: channels D.
        decay: of the moving averages.
    """

    codebooks: Tensor
    counts: Tensor

    def __init__(self, num_quantizers: int, codebook_size: int, dim: int, decay: float = 0.99) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("codebooks", torch.zeros(num_quantizers, codebook_size, dim))
        self.register_buffer(
            "counts", torch.zeros(num_quantizers, codebook_size)
        )  # all zero: not initialised

    @property
    def num_quantizers(self) -> int:
        """Levels Q."""
        return self.codebooks.shape[0]

    @property
    def codebook_size(self) -> int:
        """Codes K of a level."""
        return self.codebooks.shape[1]

    @torch.no_grad()
    def encode(self, latents: Tensor) -> Tensor:
        """Return int64 codes (B, N, Q), coarse first, for latents (B, N, D)."""
        residual = latents.detach().to(self.codebooks.dtype).reshape(-1, latents.shape[-1])  # (B * N, D)
        codes = []
        with torch.autocast(latents.device.type, enabled=False):
            for codebook in self.codebooks:  # (K, D)
                codes.append(nearest_codes(residual, codebook))  # (B * N,)
                residual = residual - codebook[codes[-1]]
        return torch.stack(codes, dim=-1).view(*latents.shape[:-1], -1)  # (B, N, Q)

    def decode(self, codes: Tensor) -> Tensor:
        """Return quantized latents (B, N, D), the sum over the levels of codes (B, N, Q'), Q' <= Q."""
        return self.level_vectors(codes).sum(dim=-2)

    def level_vectors(self, codes: Tensor) -> Tensor:
        """Return codebook vectors (B, N, Q', D) of codes (B, N, Q').

        Raises:
            ValueError: more levels than Q, or none.
        """
        levels = codes.shape[-1]
        if not 1 <= levels <= self.num_quantizers:
            raise ValueError(
                f"codes: expected 1..{self.num_quantizers} levels last, got {levels}; shape is (B, N, Q)"
            )
        return self.codebooks[torch.arange(levels, device=codes.device), codes]  # (B, N, Q', D)

    def forward(self, latents: Tensor, num_levels: Tensor | None = None) -> Quantized:
        """Return quantized latents with straight-through gradients.

        Args:
            latents: (B, N, D).
            num_levels: (B,) levels that each item uses (quantizer dropout); None for all.
        """
        latents = latents.to(self.codebooks.dtype)
        codes = self.encode(latents)
        vectors = self.level_vectors(codes)  # (B, N, Q, D)
        used = torch.ones(codes.shape[0], self.num_quantizers, dtype=latents.dtype, device=latents.device)
        if num_levels is not None:
            used = (torch.arange(self.num_quantizers, device=latents.device) < num_levels[:, None]).to(
                latents.dtype
            )
        sums = vectors.cumsum(dim=-2)  # (B, N, Q, D): reconstruction after each level
        distances = (latents[:, :, None] - sums).square().mean(dim=(1, 3))  # (B, Q)
        commitment = (distances * used).sum() / used.sum()
        chosen = (vectors * used[:, None, :, None]).sum(dim=-2)  # (B, N, D)
        return Quantized(latents + (chosen - latents).detach(), codes, commitment)

    @torch.no_grad()
    def update(self, latents: Tensor, codes: Tensor, generator: torch.Generator) -> None:
        """Update the codebooks by EMA and replace dead codes by random inputs.

        Args:
            latents: (B, N, D) of the batch.
            codes: (B, N, Q) that `encode` gave for them.
            generator: draws the replacements of dead codes.
        """
        residual = latents.detach().to(self.codebooks.dtype).reshape(-1, latents.shape[-1])  # (M, D)
        for level, level_codes in enumerate(codes.flatten(0, -2).unbind(-1)):
            codebook, counts = self.codebooks[level], self.counts[level]
            chosen = codebook[level_codes]  # before the codebook moves
            self._move(codebook, counts, residual, level_codes)
            self._revive(codebook, counts, residual, generator)
            residual = residual - chosen

    def _move(self, codebook: Tensor, counts: Tensor, rows: Tensor, codes: Tensor) -> None:
        batch_counts = torch.zeros_like(counts).index_add_(0, codes, torch.ones_like(rows[:, 0]))
        sums = torch.zeros_like(codebook).index_add_(0, codes, rows)
        new_counts = self.decay * counts + (1 - self.decay) * batch_counts
        moved = self.decay * counts[:, None] * codebook + (1 - self.decay) * sums
        used = (new_counts > 0)[:, None]
        codebook.copy_(torch.where(used, moved / new_counts.clamp_min(1e-12)[:, None], codebook))
        counts.copy_(new_counts)

    def _revive(self, codebook: Tensor, counts: Tensor, rows: Tensor, generator: torch.Generator) -> None:
        average = counts.mean()
        dead = counts < DEAD_BELOW * average
        picks = torch.randint(rows.shape[0], (codebook.shape[0],), generator=generator).to(rows.device)
        codebook.copy_(torch.where(dead[:, None], rows[picks], codebook))
        counts.copy_(torch.where(dead, REVIVED_COUNT * average, counts))

    @property
    def initialised(self) -> bool:
        """Whether the codebooks have been initialised."""
        return bool(self.counts.any())

    @torch.no_grad()
    def initialise(self, latents: Tensor, generator: torch.Generator) -> None:
        """Initialise the codebooks by k-means on latents (B, N, D), each level on the residual of those before it.

        Args:
            latents: (B, N, D).
            generator: draws the initial centres.
        """
        residual = latents.detach().to(self.codebooks.dtype).reshape(-1, latents.shape[-1])  # (M, D)
        for codebook, counts in zip(self.codebooks, self.counts, strict=True):
            picks = torch.randint(residual.shape[0], (codebook.shape[0],), generator=generator).to(
                residual.device
            )
            codebook.copy_(residual[picks])
            for _ in range(KMEANS_ITERATIONS):
                codes = nearest_codes(residual, codebook)
                sizes = torch.zeros_like(counts).index_add_(0, codes, torch.ones_like(residual[:, 0]))
                sums = torch.zeros_like(codebook).index_add_(0, codes, residual)
                codebook.copy_(
                    torch.where((sizes > 0)[:, None], sums / sizes.clamp_min(1)[:, None], codebook)
                )
            counts.copy_(sizes)
            residual = residual - codebook[nearest_codes(residual, codebook)]
