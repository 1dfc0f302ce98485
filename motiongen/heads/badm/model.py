"""BADM: music into dance by diffusion, slice by slice, each slice conditioned on its past and its future neighbour.

After "Bidirectional Autoregressive Diffusion Model for Dance Generation" (Zhang et al., arXiv 2402.04356), which builds
on EDGE (Tseng et al., CVPR 2023). A window is K slices. At each step of denoising, from the first slice to the last,
slice k looks at its music, at what was just predicted for slice k - 1, and at the noisy slice k + 1; the step, the
music and the beat modulate every place (FiLM). A local information decoder, 1-D convolutions over the joined slices,
gives the window. What is diffused is what a `Space` makes of motion: feature frames, or the tokenizer's latents.
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
    """The conditioning of windows, encoded once for all steps of denoising.

    Attributes:
        tokens: (B, N, D) the music at each position.
        style: (B, 1, D).
    """

    tokens: Tensor
    style: Tensor


BEAT_DIM = 3
"""Numbers that say the beat of a frame."""


def beat_phase(beats: Tensor) -> Tensor:
    """Return (B, T, 3) for beats (B, T), 1 on the frames of beats: the beats, and where between two a frame lies.

    That place is an angle, 0 on a beat, as its cosine and sine; behind the last beat and before the first it goes on at
    the nearest distance of two, and it is (0, 0) where there are not two. The paper has the first number alone, which
    says nothing on all frames but one in fifteen.
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


class MusicReader(nn.Module):
    """Music features and beats at frame rate into one token a place; sees a third of a second to both sides."""

    def __init__(self, config: BADMConfig) -> None:
        super().__init__()
        width, inputs = config.music_width, config.music_dim + BEAT_DIM * config.beat
        self.spread = nn.Conv1d(inputs, width, 9, padding=4)
        self.widen = nn.Conv1d(width, width, 9, padding=8, dilation=2)
        self.fold = nn.Conv1d(width, config.dim, config.frames_per_step, stride=config.frames_per_step)

    def forward(self, music: Tensor) -> Tensor:
        """Return tokens (B, N, D) of normalised music (B, N * frames_per_step, music_dim + beat)."""
        hidden = F.silu(self.spread(music.transpose(1, 2)))
        hidden = hidden + F.silu(self.widen(hidden))
        return self.fold(hidden).transpose(1, 2)


class LocalDecoder(nn.Module):
    """The local information decoder: convolutions over the joined slices refine what was predicted slice by slice."""

    def __init__(self, dim: int, channels: int, kernel_size: int = 3) -> None:
        super().__init__()
        self.mix = nn.Conv1d(dim, dim, kernel_size, padding=kernel_size // 2)
        self.mix_again = nn.Conv1d(dim, dim, kernel_size, padding=kernel_size // 2)
        self.out = nn.Conv1d(dim, channels, kernel_size, padding=kernel_size // 2)
        nn.init.zeros_(self.out.weight)
        assert self.out.bias is not None
        nn.init.zeros_(self.out.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return what is to be added (B, N, C), for hidden (B, N, D)."""
        x = hidden.transpose(1, 2)
        x = x + F.gelu(self.mix(x))
        x = x + F.gelu(self.mix_again(x))
        return self.out(x).transpose(1, 2)


class BADM(nn.Module):
    """Predicts the clean window from a noisy one, the music and the step."""

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
        self.music = MusicReader(config)
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
        """Where the model is."""
        return self.mean.device

    @torch.no_grad()
    def set_normaliser(self, mean: Tensor, std: Tensor, music_mean: Tensor, music_std: Tensor) -> None:
        """Set what is subtracted from, and divides, what is diffused (C,) and the music (music_dim,)."""
        for name, value in (
            ("mean", mean),
            ("std", std),
            ("music_mean", music_mean),
            ("music_std", music_std),
        ):
            getattr(self, name).copy_(value)

    def normalise(self, x: Tensor) -> Tensor:
        """Return x (..., C) as the network sees it."""
        return (x - self.mean) / self.std

    def denormalise(self, x: Tensor) -> Tensor:
        """Return network values (..., C) as they are in the space."""
        return x.float() * self.std + self.mean

    def style_index(self, style: str | None) -> int:
        """Return the number of a style, or of "any" for None. Raises ValueError that lists the styles."""
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
            music: features (B, T, music_dim) of its frames.
            beats: (B, T), 1 on the frames of beats.
            style: (B,) numbers of styles.
            drop_music: (B,) bool, true where music and beat are left out.
            beat_only: (B,) bool, true where the music alone is left out.
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
        """Return the predicted clean window (B, N, C), and the same before the local decoder, of a noisy one."""
        config, places = self.config, self.config.slice_length
        time = self.time(timestep_embedding(step, config.dim).to(self.position.dtype))[:, None]  # (B, 1, D)
        condition = self.modulate(conditioning.tokens + time + conditioning.style)  # (B, N, D)
        slices = noisy.split(places, dim=1)
        past = self._missing(0, noisy)
        hidden, coarse = [], []
        for k, piece in enumerate(slices):
            own = slice(k * places, (k + 1) * places)
            contexts = [conditioning.tokens[:, own] + self.role[0] + self.position, past]
            if self.future is not None:
                last = k + 1 == len(slices)
                future = self._missing(1, noisy) if last else self._seen(self.future(slices[k + 1]), 2)
                contexts.append(future)
            x = self.noisy(piece) + self.position
            for block in self.blocks:
                x = block(x, contexts, condition[:, own])
            x = self.norm(x)
            predicted = self.out(x)
            hidden.append(x)
            coarse.append(predicted)
            past = self._seen(self.past(predicted), 1)
        joined = torch.cat(coarse, dim=1)
        if self.local is None:
            return joined, joined
        return joined + self.local(torch.cat(hidden, dim=1)), joined

    def _seen(self, x: Tensor, role: int) -> Tensor:
        return x + self.role[role] + self.position

    def _missing(self, edge: int, like: Tensor) -> Tensor:
        """One token (B, 1, D) that says that there is no neighbour."""
        return self.edge[edge].expand(like.shape[0], 1, -1)
