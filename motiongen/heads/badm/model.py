"""BADM: music-to-dance diffusion, slice by slice, each slice conditioned on the one before and the one after it.

After "Bidirectional Autoregressive Diffusion Model for Dance Generation" (Zhang et al., arXiv 2402.04356), which builds
on EDGE (Tseng et al., CVPR 2023). A window has K slices. At each denoising step, from the first slice to the last,
slice k attends to its music, to the prediction of slice k - 1, and to the noisy slice k + 1; the diffusion step, the
music and the beat modulate every position (FiLM). A local information decoder, 1-D convolutions over the joined slices,
predicts the window. The diffused representation is that of a `Space`: feature frames, or tokenizer latents.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.heads.badm.config import BADMConfig
from motiongen.modules.diffusion import CosineSchedule, timestep_embedding
from motiongen.modules.film import FiLMBlock


@dataclass(frozen=True)
class MusicConditioning:
    """Encoded music and style of windows, computed once for all denoising steps.

    Attributes:
        tokens: (B, N, D) music tokens, one for each position.
        style: (B, 1, D) style embedding.
    """

    tokens: Tensor
    style: Tensor


BEAT_DIM = 3
"""Channels of the beat input: see `beat_phase`."""


def beat_phase(beats: Tensor) -> Tensor:
    """Return beat inputs (B, T, 3) of each frame: the beat indicator, and cosine and sine of the beat phase.

    The phase is an angle, 0 on a beat and 2 pi on the next. Before the first beat and after the last it is extrapolated
    with the nearest beat period; with fewer than two beats its cosine and sine are 0. The paper has the indicator only,
    which is zero on fourteen of fifteen frames.

    Args:
        beats: (B, T), 1 at frames with a beat, else 0.
    """
    frames = torch.arange(beats.shape[1], device=beats.device).expand_as(beats)
    on = beats > 0.5
    last = torch.where(on, frames, -1).cummax(dim=1).values  # -1 before the first
    end = beats.shape[1]
    coming = torch.where(on, frames, end).flip(1).cummin(dim=1).values.flip(1)  # this frame, or after it
    after = torch.cat([coming[:, 1:], torch.full_like(coming[:, :1], end)], dim=1)
    between = (last >= 0) & (after < end)
    first = between.int().argmax(dim=1, keepdim=True)  # of the frames between two beats
    source = torch.where(between, frames, -1).cummax(dim=1).values
    source = torch.where(source < 0, first, source)  # the frame whose beats are the nearest two
    start, stop = last.gather(1, source), after.gather(1, source)
    angle = 2 * torch.pi * (frames - start) / (stop - start).clamp_min(1)
    known = between.any(dim=1, keepdim=True)
    return torch.stack([on.float(), angle.cos() * known, angle.sin() * known], dim=-1)


class MusicEncoder(nn.Module):
    """Encodes music features and beats at frame rate, one token a position; sees a third of a second to both sides."""

    def __init__(self, config: BADMConfig) -> None:
        super().__init__()
        width, inputs = config.music_width, config.music_dim + BEAT_DIM * config.beat
        self.spread = nn.Conv1d(inputs, width, 9, padding=4)
        self.widen = nn.Conv1d(width, width, 9, padding=8, dilation=2)
        self.fold = nn.Conv1d(width, config.dim, config.frames_per_step, stride=config.frames_per_step)

    def forward(self, music: Tensor) -> Tensor:
        """Return tokens (B, N, D) of normalised music (B, N * frames_per_step, music_dim + BEAT_DIM)."""
        hidden = F.silu(self.spread(music.transpose(1, 2)))
        hidden = hidden + F.silu(self.widen(hidden))
        return self.fold(hidden).transpose(1, 2)


class LocalDecoder(nn.Module):
    """Local information decoder: convolutions over the joined slices that correct the slice-wise prediction."""

    def __init__(self, dim: int, channels: int, kernel_size: int = 3) -> None:
        super().__init__()
        self.mix = nn.Conv1d(dim, dim, kernel_size, padding=kernel_size // 2)
        self.mix_again = nn.Conv1d(dim, dim, kernel_size, padding=kernel_size // 2)
        self.out = nn.Conv1d(dim, channels, kernel_size, padding=kernel_size // 2)
        nn.init.zeros_(self.out.weight)
        assert self.out.bias is not None
        nn.init.zeros_(self.out.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the correction (B, N, C) of the prediction, for hidden features (B, N, D)."""
        x = hidden.transpose(1, 2)
        x = x + F.gelu(self.mix(x))
        x = x + F.gelu(self.mix_again(x))
        return self.out(x).transpose(1, 2)


class BADM(nn.Module):
    """Denoiser: predicts the clean window from a noisy one, the music and the diffusion step."""

    model_type = "badm"
    config_class = BADMConfig
    mean: Tensor
    std: Tensor
    music_mean: Tensor
    music_std: Tensor

    def __init__(self, config: BADMConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.dim
        self.schedule = CosineSchedule(config.noise_steps)
        self.music = MusicEncoder(config)
        self.no_music = nn.Parameter(torch.randn(dim) * 0.02)
        self.style = nn.Embedding(len(config.styles) + 1, dim)  # the last one is "any"
        self.time = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.modulate = nn.Sequential(nn.SiLU(), nn.Linear(dim, dim))
        self.noisy = nn.Linear(config.channels, dim)
        self.past = nn.Linear(config.channels, dim)
        self.future = nn.Linear(config.channels, dim) if config.bidirectional else None
        self.position = nn.Parameter(torch.randn(config.slice_length, dim) * 0.02)
        self.role = nn.Parameter(torch.randn(3, dim) * 0.02)  # music, past, future
        self.edge = nn.Parameter(torch.randn(2, dim) * 0.02)  # no past, no future
        self.blocks = nn.ModuleList(
            FiLMBlock(dim, config.num_heads, config.feedforward_dim, config.dropout)
            for _ in range(config.num_layers)
        )
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, config.channels)
        self.local = LocalDecoder(dim, config.channels) if config.local_decoder else None
        nn.init.normal_(self.style.weight, std=0.02)
        for name, size in (("", config.channels), ("music_", config.music_dim)):
            self.register_buffer(f"{name}mean", torch.zeros(size))
            self.register_buffer(f"{name}std", torch.ones(size))

    @property
    def device(self) -> torch.device:
        """Device of the model."""
        return self.mean.device

    @torch.no_grad()
    def set_normaliser(self, mean: Tensor, std: Tensor, music_mean: Tensor, music_std: Tensor) -> None:
        """Set mean and std of the diffused representation, (C,) each, and of the music features, (music_dim,) each."""
        for name, value in (
            ("mean", mean),
            ("std", std),
            ("music_mean", music_mean),
            ("music_std", music_std),
        ):
            getattr(self, name).copy_(value)

    def normalise(self, x: Tensor) -> Tensor:
        """Return normalised x (..., C)."""
        return (x - self.mean) / self.std

    def denormalise(self, x: Tensor) -> Tensor:
        """Return normalised x (..., C) in the units of the space."""
        return x.float() * self.std + self.mean

    def style_index(self, style: str | None) -> int:
        """Return the index of a style, or that of "any" for None. Raises ValueError that lists the styles."""
        if style is None:
            return len(self.config.styles)
        if style not in self.config.styles:
            known = ", ".join(self.config.styles) or "none"
            raise ValueError(f"style: expected one of {known}, got {style!r}; leave it out for any")
        return self.config.styles.index(style)

    def encode_music(
        self,
        music: Tensor,
        beats: Tensor,
        style: Tensor,
        drop_music: Tensor | None = None,
        beat_only: Tensor | None = None,
    ) -> MusicConditioning:
        """Return the conditioning of windows.

        Args:
            music: (B, T, music_dim) features of its frames.
            beats: (B, T), 1 at frames with a beat, else 0.
            style: (B,) style indices.
            drop_music: (B,) bool, true = without music and beat.
            beat_only: (B,) bool, true = with the beat but without music features.
        """
        inputs = (music - self.music_mean) / self.music_std
        if beat_only is not None:
            inputs = inputs * ~beat_only[:, None, None]
        if self.config.beat:
            inputs = torch.cat([inputs, beat_phase(beats).to(inputs)], dim=-1)
        tokens = self.music(inputs)  # (B, N, D)
        if drop_music is not None:
            tokens = torch.where(drop_music[:, None, None], self.no_music.to(tokens.dtype), tokens)
        return MusicConditioning(tokens, self.style(style)[:, None])

    def forward(self, noisy: Tensor, step: Tensor, conditioning: MusicConditioning) -> tuple[Tensor, Tensor]:
        """Return the predicted clean windows (B, N, C), and the prediction before the local decoder (B, N, C).

        Args:
            noisy: (B, N, C) noisy windows.
            step: (B,) their diffusion steps.
            conditioning: from `encode_music`.
        """
        config, length = self.config, self.config.slice_length
        time = self.time(timestep_embedding(step, config.dim).to(self.position.dtype))[:, None]  # (B, 1, D)
        condition = self.modulate(conditioning.tokens + time + conditioning.style)  # (B, N, D)
        slices = noisy.split(length, dim=1)
        past = self._missing(0, noisy)
        hidden, coarse = [], []
        for k, noisy_slice in enumerate(slices):
            own = slice(k * length, (k + 1) * length)
            contexts = [conditioning.tokens[:, own] + self.role[0] + self.position, past]
            if self.future is not None:
                last = k + 1 == len(slices)
                future = self._missing(1, noisy) if last else self._as_context(self.future(slices[k + 1]), 2)
                contexts.append(future)
            x = self.noisy(noisy_slice) + self.position
            for block in self.blocks:
                x = block(x, contexts, condition[:, own])
            x = self.norm(x)
            predicted = self.out(x)
            hidden.append(x)
            coarse.append(predicted)
            past = self._as_context(self.past(predicted), 1)
        joined = torch.cat(coarse, dim=1)
        if self.local is None:
            return joined, joined
        return joined + self.local(torch.cat(hidden, dim=1)), joined

    def _as_context(self, x: Tensor, role: int) -> Tensor:
        return x + self.role[role] + self.position

    def _missing(self, edge: int, like: Tensor) -> Tensor:
        """Return the token (B, 1, D) for a missing neighbour slice."""
        return self.edge[edge].expand(like.shape[0], 1, -1)
