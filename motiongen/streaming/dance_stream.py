"""Streams a dance to music that is still playing: slice by slice, each as soon as its music is known."""

from collections.abc import Sequence

import torch
from torch import Tensor

from motiongen.heads.badm.config import BADMOptions
from motiongen.heads.badm.sampler import Constraint, sample_windows
from motiongen.inference.dance_model import DanceModel

LIVE_STEPS = 12
"""DDIM steps of a slice: fewer than for a file, since the music does not wait."""


class DanceStream:
    """State of one dance: its last slices, and the music that is known.

    The newest slice of a window is denoised while the others, already shown, are held. So a slice needs no more music
    than its own, and the delay is a slice and the look-ahead of the music's features.

    Attributes:
        model: head, space and silence.
        style: style of the slices to come; any when None.
        guidance_scale: how strictly the music is followed.
    """

    def __init__(
        self,
        model: DanceModel,
        *,
        style: str | None = None,
        seed: int = 0,
        guidance_scale: float | None = None,
    ) -> None:
        """Begin with a window of idling, to silence.

        Args:
            model: of a space that streams.
            style: one of the model's; any when None.
            seed: seed of the noise.
            guidance_scale: how strictly the music is followed; the model's own when None.
        """
        self.model = model
        self.style = style
        options = BADMOptions(group=1).adjusted(guidance_scale, LIVE_STEPS)
        self.guidance_scale = model.head.config.guidance_scale if guidance_scale is None else guidance_scale
        self._generator = torch.Generator().manual_seed(seed)
        self._decode = model.space.decoder()
        config = model.head.config
        self._kept_frames = config.window_frames - config.slice_frames
        silence = model.silence(config.window_frames)
        self._music, self._beats = silence.features[0], silence.beats[0]
        self._known_frames = self._kept_frames  # frames of music
        (idle,), _ = sample_windows(
            model.head,
            torch.randn(1, config.window, config.channels, generator=self._generator).to(model.head.device),
            self._music[None].to(model.head.device),
            self._beats[None].to(model.head.device),
            self._style_number,
            options,
        )
        self._past = idle[config.slice_length :].cpu()  # (N - slice, C) normalised
        self._decode(
            model.head.denormalise(idle).cpu()
        )  # fills the decoder's state; these frames are not shown

    def reseed(self, seed: int) -> None:
        """Sample the slices to come with another seed.

        Args:
            seed: seed of the noise.
        """
        self._generator.manual_seed(seed)

    @property
    def slice_frames(self) -> int:
        """Frames of a slice."""
        return self.model.head.config.slice_frames

    @property
    def is_ready(self) -> bool:
        """Whether the music of the next slice is known."""
        return self._known_frames >= self._kept_frames + self.slice_frames

    def add_music(self, music: Tensor, beats: Tensor) -> None:
        """Append the next frames of music.

        Args:
            music: (n, music_dim) features.
            beats: (n,).
        """
        self._music = torch.cat([self._music[: self._known_frames], music])
        self._beats = torch.cat([self._beats[: self._known_frames], beats.to(self._beats)])
        self._known_frames += len(music)

    def fill_with_silence(self) -> None:
        """Append as much silence as the next slice still lacks."""
        missing = self._kept_frames + self.slice_frames - self._known_frames
        if missing > 0:
            silence = self.model.silence(missing)
            self.add_music(silence.features[0], silence.beats[0])

    def window(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return noise (N, C), music (T, M), beats (T,) and the last slices (N - slice, C); for `dance_slices`."""
        config = self.model.head.config
        noise = torch.randn(config.window, config.channels, generator=self._generator)
        frames = slice(0, config.window_frames)
        return noise, self._music[frames], self._beats[frames], self._past

    def finish_slice(self, latents: Tensor) -> Tensor:
        """Record a denoised slice, and return its feature frames (slice_frames, 140); for `dance_slices`.

        Args:
            latents: (slice, C) normalised.
        """
        self._past = torch.cat([self._past[len(latents) :], latents])
        done = self.slice_frames
        self._music, self._beats = self._music[done:], self._beats[done:]
        self._known_frames -= done
        return self._decode(self.model.head.denormalise(latents.to(self.model.head.device)).cpu())

    @property
    def _style_number(self) -> Tensor:
        head = self.model.head
        return torch.tensor([head.style_index(self.style)], device=head.device)


def dance_slices(streams: Sequence[DanceStream]) -> list[Tensor]:
    """Denoise the next slice of each stream as one batch; return feature frames (slice_frames, 140) of each.

    Args:
        streams: of one model, all ready.

    Raises:
        ValueError: a stream is not ready.
    """
    if not streams:
        return []
    if not all(stream.is_ready for stream in streams):
        raise ValueError("streams: expected each to have a slice of music, got one that has not; wait")
    model = streams[0].model
    head = model.head
    noise, music, beats, past = (
        torch.stack(parts).to(head.device) for parts in zip(*(s.window() for s in streams), strict=True)
    )
    values = torch.zeros_like(noise)
    values[:, : past.shape[1]] = past
    mask = torch.zeros_like(noise, dtype=torch.bool)
    mask[:, : past.shape[1]] = True
    scales = torch.tensor([stream.guidance_scale for stream in streams], device=head.device)
    styles = torch.cat([stream._style_number for stream in streams])
    options = BADMOptions(steps=LIVE_STEPS)
    made, _ = sample_windows(
        head, noise, music, beats, styles, options, constraint=Constraint(values, mask), guidance_scale=scales
    )
    new = made[:, past.shape[1] :].cpu()
    return [stream.finish_slice(latents) for stream, latents in zip(streams, new, strict=True)]
