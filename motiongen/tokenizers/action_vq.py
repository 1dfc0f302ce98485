"""Multi-scale action VQ-VAE: each action dimension of a chunk becomes 1 + 2 + 3 + 4 codes, coarse to fine.

CARP (Gong et al., ICCV 2025, section 3.1): one small VQ-VAE for each of the A action dimensions, here in parallel as
grouped convolutions; residual quantization across scales as in VAR (Tian et al., NeurIPS 2024, algorithms 1 and 2).
"""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.tokenizers.action_vq_config import ActionVQConfig

PHI_RATIO = 0.5
"""Weight of the convolved part of the contribution of a scale, against the interpolated part (as in VAR)."""
REVIVE_BELOW = 0.03
"""A code is dead if it is used less than this share of the average code."""


class ActionVQ(nn.Module):
    """Action tokenizer: chunks of normalised actions (B, H, A) to codes (B, N, A), coarse scales first, and back."""

    model_type = "action_vq"
    config_class = ActionVQConfig
    uses: Tensor
    _down: Tensor
    _up: Tensor

    def __init__(self, config: ActionVQConfig) -> None:
        super().__init__()
        self.config = config
        dims, widths, latent = config.action_dim, config.widths, config.latent_dim
        self.encoder_in = _conv(dims, 1, widths[0])
        self.encoder = nn.ModuleList(
            nn.Conv1d(dims * narrow, dims * wide, 4, stride=2, padding=1, groups=dims)
            for narrow, wide in itertools.pairwise(widths)
        )
        self.encoder_out = _conv(dims, widths[-1], latent)
        self.decoder_in = _conv(dims, latent, widths[-1])
        self.decoder = nn.ModuleList(
            _conv(dims, wide, narrow) for narrow, wide in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.decoder_out = _conv(dims, widths[0], 1)
        self.phi = nn.ModuleList(_conv(dims, latent, latent) for _ in config.scales)
        self.codebooks = nn.Parameter(torch.randn(dims, config.codebook_size, latent) * 0.1)
        self.register_buffer("uses", torch.zeros(dims, config.codebook_size), persistent=False)
        self.register_buffer(
            "_down", torch.cat([_down(scale, config.scales[-1]) for scale in config.scales]), False
        )
        self.register_buffer(
            "_up", torch.cat([_up(scale, config.scales[-1]) for scale in config.scales]), False
        )

    def positions(self, scale: int) -> slice:
        """Return the slice of the N code positions that belongs to a scale."""
        start = sum(self.config.scales[:scale])
        return slice(start, start + self.config.scales[scale])

    def encode(self, actions: Tensor) -> Tensor:
        """Return int64 codes (B, N, A), coarse scales first, of normalised actions (B, H, A)."""
        with torch.no_grad():
            return self._quantize(self._latents(actions))[0]

    def decode(self, codes: Tensor) -> Tensor:
        """Return normalised actions (B, H, A) decoded from codes (B, N, A)."""
        total = self.zero_latents(len(codes))
        for scale in range(len(self.config.scales)):
            total = self.add(total, scale, codes[:, self.positions(scale)])
        return self.decode_latents(total)

    def zero_latents(self, batch: int) -> Tensor:
        """Return zero latents (B, A, L, D), which the scales are added to."""
        config = self.config
        return self.codebooks.new_zeros(batch, config.action_dim, config.scales[-1], config.latent_dim)

    def add(self, total: Tensor, scale: int, codes: Tensor) -> Tensor:
        """Return latents plus the contribution of one scale.

        Args:
            total: (B, A, L, D) latents of the coarser scales.
            scale: index of the scale.
            codes: (B, n, A) codes of that scale.
        """
        return total + self.upsample(self.vectors(codes).transpose(1, 2), scale)

    def upsample(self, vectors: Tensor, scale: int) -> Tensor:
        """Return the vectors (B, A, n, D) of a scale, interpolated to the full length (B, A, L, D) and convolved."""
        wide = (vectors.transpose(2, 3) @ self._up[self.positions(scale)]).flatten(1, 2)  # (B, A * D, L)
        smooth = (1 - PHI_RATIO) * wide + PHI_RATIO * self.phi[scale](wide)
        return smooth.unflatten(1, (self.config.action_dim, -1)).transpose(2, 3)

    def vectors(self, codes: Tensor) -> Tensor:
        """Return codebook vectors (B, n, A, D) of codes (B, n, A)."""
        return self.codebooks[torch.arange(self.config.action_dim, device=codes.device), codes]

    def downsample(self, total: Tensor, scale: int) -> Tensor:
        """Return latents (B, A, L, D) averaged by area to the length of a scale: (B, n, A, D)."""
        return (self._down[self.positions(scale)] @ total).transpose(1, 2)

    def inputs(self, codes: Tensor) -> Tensor:
        """Return transformer inputs (B, N, A, D) for codes (B, N, A).

        The input at a position is the sum of the coarser scales, downsampled to its own; zeros at the coarsest scale.
        """
        total, inputs = self.zero_latents(len(codes)), []
        for scale in range(len(self.config.scales)):
            inputs.append(self.downsample(total, scale))
            total = self.add(total, scale, codes[:, self.positions(scale)])
        return torch.cat(inputs, dim=1)

    def decode_latents(self, latents: Tensor) -> Tensor:
        """Return normalised actions (B, H, A) decoded from latents (B, A, L, D)."""
        x = self.decoder_in(latents.transpose(2, 3).flatten(1, 2))  # (B, A * D, L)
        for layer in self.decoder:
            x = layer(F.silu(x).repeat_interleave(2, dim=-1))
        return self.decoder_out(F.silu(x)).transpose(1, 2)

    def training_pass(
        self, actions: Tensor, generator: torch.Generator
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the losses of a batch, and what `learn` takes of it; the first batch initialises the codes.

        Args:
            actions: (B, H, A) normalised.
            generator: draws the first codes.
        """
        latents = self._latents(actions)
        if not self.uses.any():
            self._revive(self._quantize(latents)[2], generator)
        codes, total, residuals = self._quantize(latents)
        reconstruction = F.mse_loss(self.decode_latents(latents + (total - latents).detach()), actions)
        losses = {
            "reconstruction": reconstruction,
            "codebook": F.mse_loss(total, latents.detach()),
            "commitment": F.mse_loss(latents, total.detach()),
        }
        losses["loss"] = losses["reconstruction"] + losses["codebook"] + 0.25 * losses["commitment"]
        return losses, {"codes": codes, "residuals": residuals}

    def learn(self, codes: Tensor, residuals: Tensor, generator: torch.Generator) -> None:
        """Count which codes are in use, and revive dead ones.

        Args:
            codes: (B, N, A) of a batch.
            residuals: (B, N, A, D) vectors that were quantized.
            generator: draws the replacements of dead codes.
        """
        self._count(codes)
        self._revive(residuals, generator)

    def _latents(self, actions: Tensor) -> Tensor:
        x = self.encoder_in(actions.transpose(1, 2))  # (B, A * D, H)
        for layer in self.encoder:
            x = layer(F.silu(x))
        x = self.encoder_out(F.silu(x))
        return x.unflatten(1, (self.config.action_dim, -1)).transpose(2, 3)  # (B, A, L, D)

    def _quantize(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return codes (B, N, A), their latents (B, A, L, D), and the vectors (B, N, A, D) that were quantized.

        Gradients reach the codebooks only.
        """
        total, codes, residuals = torch.zeros_like(latents), [], []
        for scale in range(len(self.config.scales)):
            residuals.append(self.downsample((latents - total).detach(), scale))  # (B, n, A, D)
            codes.append(self._nearest(residuals[-1]))
            total = self.add(total, scale, codes[-1])
        return torch.cat(codes, dim=1), total, torch.cat(residuals, dim=1)

    def _nearest(self, rows: Tensor) -> Tensor:
        """Return codes (B, n, A) nearest to rows (B, n, A, D), each action dimension in its own codebook."""
        flat = rows.flatten(0, 1).transpose(0, 1)  # (A, B * n, D)
        half_squares = self.codebooks.square().sum(-1)[:, None] / 2
        codes = (half_squares - flat @ self.codebooks.transpose(1, 2)).argmin(-1)  # (A, B * n)
        return codes.T.unflatten(0, rows.shape[:2])

    @torch.no_grad()
    def _count(self, codes: Tensor) -> None:
        flat = codes.flatten(0, 1).T  # (A, B * N)
        counts = torch.zeros_like(self.uses).scatter_add_(
            1, flat, torch.ones_like(flat, dtype=self.uses.dtype)
        )
        self.uses.lerp_(counts, 1 - self.config.decay)

    @torch.no_grad()
    def _revive(self, rows: Tensor, generator: torch.Generator) -> None:
        """Replace dead codes, at first all codes, by random rows (B, N, A, D) of the batch's quantizer inputs."""
        average = self.uses.mean(1, keepdim=True)
        dead = self.uses <= REVIVE_BELOW * average  # (A, K)
        rows = rows.flatten(0, 1)
        picks = torch.randint(len(rows), dead.shape, generator=generator).to(rows.device)  # (A, K)
        dims = torch.arange(len(dead), device=rows.device)[:, None]
        self.codebooks.copy_(torch.where(dead[..., None], rows[picks, dims], self.codebooks))
        self.uses.copy_(torch.where(dead, average.clamp_min(1e-3), self.uses))


def _conv(dims: int, channels: int, out_channels: int) -> nn.Conv1d:
    return nn.Conv1d(dims * channels, dims * out_channels, 3, padding=1, groups=dims)


def _down(scale: int, length: int) -> Tensor:
    """Return the matrix (scale, length) of averaging by area."""
    return F.adaptive_avg_pool1d(torch.eye(length)[None], scale)[0].T.contiguous()


def _up(scale: int, length: int) -> Tensor:
    """Return the matrix (scale, length) of cubic interpolation."""
    rows = torch.eye(scale)[:, None, None]  # (scale, 1, 1, scale)
    return F.interpolate(rows, size=(1, length), mode="bicubic", align_corners=False)[:, 0, 0]
