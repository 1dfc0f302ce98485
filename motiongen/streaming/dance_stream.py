"""A dance to music that is still playing: slice by slice, each as soon as its music has been heard."""

from collections.abc import Sequence

import torch
from torch import Tensor

from motiongen.heads.badm.config import BADMOptions
from motiongen.heads.badm.sampler import Constraint, sample_windows
from motiongen.inference.dance_model import DanceModel

LIVE_STEPS = 12
"""Steps of DDIM for a slice: fewer than for a file, since the music does not wait."""


class DanceStream:
    """One dancer: what it has danced last, and the music that it has heard.

    The newest slice of a window is drawn while the others, already shown, are held. So a slice needs no more music than
    its own, and the delay is a slice and what the music's features look ahead.
    """

    def __init__(
        self,
        model: DanceModel,
        *,
        style: str | None = None,
        seed: int = 0,
        guidance_scale: float | None = None,
    ) -> None:
        """Begin in an idle, under silence."""
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
        self._heard = self._kept_frames  # frames of music that there are
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
        )  # the decoder remembers the idle, and shows none of it

    def reseed(self, seed: int) -> None:
        """Draw the noise of the slices to come with another seed."""
        self._generator.manual_seed(seed)

    @property
    def slice_frames(self) -> int:
        """Frames that `dance_slices` gives at once."""
        return self.model.head.config.slice_frames

    @property
    def is_ready(self) -> bool:
        """Whether the next slice's music has been heard."""
        return self._heard >= self._kept_frames + self.slice_frames

    def hear(self, music: Tensor, beats: Tensor) -> None:
        """Take the next frames of music (n, music_dim) and beats (n,)."""
        self._music = torch.cat([self._music[: self._heard], music])
        self._beats = torch.cat([self._beats[: self._heard], beats.to(self._beats)])
        self._heard += len(music)

    def hear_silence(self) -> None:
        """Take as much silence as the next slice still lacks."""
        missing = self._kept_frames + self.slice_frames - self._heard
        if missing > 0:
            silence = self.model.silence(missing)
            self.hear(silence.features[0], silence.beats[0])

    def window(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return noise (N, C), music (T, M), beats (T,) and what was danced (N - slice, C), for `dance_slices`."""
        config = self.model.head.config
        noise = torch.randn(config.window, config.channels, generator=self._generator)
        frames = slice(0, config.window_frames)
        return noise, self._music[frames], self._beats[frames], self._past

    def take(self, places: Tensor) -> Tensor:
        """Return the feature frames (slice_frames, 140) of a slice's normalised places; for `dance_slices`."""
        self._past = torch.cat([self._past[len(places) :], places])
        done = self.slice_frames
        self._music, self._beats = self._music[done:], self._beats[done:]
        self._heard -= done
        return self._decode(self.model.head.denormalise(places.to(self.model.head.device)).cpu())

    @property
    def _style_number(self) -> Tensor:
        head = self.model.head
        return torch.tensor([head.style_index(self.style)], device=head.device)


def dance_slices(streams: Sequence[DanceStream]) -> list[Tensor]:
    """Return the next feature frames (slice_frames, 140) of each of some streams of one model, as one batch.

    Raises:
        ValueError: a stream that has not heard its slice's music yet.
    """
    if not streams:
        return []
    if not all(stream.is_ready for stream in streams):
        raise ValueError("streams: expected each to have heard a slice of music, got one that has not; wait")
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
    return [stream.take(places) for stream, places in zip(streams, new, strict=True)]
