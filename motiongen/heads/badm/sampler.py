"""Dances of any length out of a BADM: overlapped windows, held equal where they overlap at every step of denoising.

As EDGE does (Tseng et al., CVPR 2023, section 3.3), with windows of K slices that overlap by half. Where EDGE lets the
second window have what the first predicts, which breaks at the end of the first, one fades into the other here. Windows
are sampled in groups, each with what the last window of the group before predicted at every step: memory does not grow
with the song.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from motiongen.heads.badm.config import BADMOptions
from motiongen.heads.badm.model import BADM


@dataclass(frozen=True)
class Held:
    """What is known of a dance: clean values (N, C), in the space's units, where the mask (N, C) is true."""

    values: Tensor
    mask: Tensor

    def __getitem__(self, places: slice) -> "Held":
        return Held(self.values[places], self.mask[places])


@torch.no_grad()
def sample_windows(
    model: BADM,
    noise: Tensor,
    music: Tensor,
    beats: Tensor,
    style: Tensor,
    options: BADMOptions,
    held: Held | None = None,
    overlap: int = 0,
    trail: Tensor | None = None,
    guidance: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return clean windows (W, N, C), normalised, that agree where one overlaps the next, and the last one's trail.

    Args:
        model: the head.
        noise: (W, N, C); windows that overlap have the same there.
        music: (W, T, music_dim).
        beats: (W, T).
        style: (W,) numbers of styles.
        options: steps and guidance.
        held: normalised values and mask (W, N, C) of what is known.
        overlap: places that a window shares with the next; 0 for windows that know nothing of each other.
        trail: (steps, overlap, C) what the window before predicted of its last places at each step.
        guidance: (W,) scales in place of the options' one.
    """
    own = model.config.guidance_scale if options.guidance_scale is None else options.guidance_scale
    scale = own if guidance is None else guidance.view(-1, 1, 1)
    count = len(noise)
    drop_music = (
        torch.arange(2 * count, device=noise.device) >= count
    )  # each once with music and once without
    conditioning = model.encode_music(
        torch.cat([music, music]), torch.cat([beats, beats]), torch.cat([style, style]), drop_music
    )
    fade = torch.arange(1, overlap + 1, device=noise.device)[:, None] / (overlap + 1)  # (overlap, 1)
    steps = model.schedule.sampling_steps(options.steps)
    x, ends = noise, []
    for number, (now, then) in enumerate(itertools.pairwise(steps)):
        at = torch.full((count,), now, device=noise.device)
        to = torch.full((count,), then, device=noise.device)
        with_music, without = model(torch.cat([x, x]), torch.cat([at, at]), conditioning)[0].chunk(2)
        clean = without + scale * (with_music - without)  # Ho & Salimans 2022
        if overlap:
            ends.append(clean[-1, -overlap:].clone())
            shared = torch.lerp(clean[:-1, -overlap:], clean[1:, :overlap], fade)
            clean[:-1, -overlap:], clean[1:, :overlap] = shared, shared
            if trail is not None:
                clean[0, :overlap] = torch.lerp(trail[number], clean[0, :overlap], fade)
        if held is not None:
            clean = torch.where(held.mask, held.values, clean)
        x = model.schedule.back(x, clean, at, to)
        if held is not None:
            x = torch.where(held.mask, model.schedule.add_noise(held.values, noise, to), x)
    return x, torch.stack(ends) if ends else noise[:0]


class BADMSampler:
    """Samples dances of any length from a BADM."""

    def __init__(self, model: BADM) -> None:
        self.model = model

    def sample(
        self,
        music: Tensor,
        beats: Tensor,
        *,
        style: str | None = None,
        generator: torch.Generator,
        options: BADMOptions | None = None,
        held: Held | None = None,
        progress: Callable[[int, int], Any] | None = None,
    ) -> Iterator[Tensor]:
        """Yield a dance's places (n, C) piece by piece, in the space's units, on the model's device.

        Args:
            music: features (T, music_dim) of the song's frames.
            beats: (T,), 1 on the frames of beats.
            style: one of the model's, or None for any.
            generator: on the CPU; of the noise.
            options: steps and guidance.
            held: what is known of the dance already, in the space's units: (N, C) for as many places as there are.
            progress: called with places done and in all.

        Yields:
            Places in order; all together ceil(T / frames_per_step).
        """
        model = self.model
        config, options = model.config, options or BADMOptions()
        half = -(-config.slices // 2) * config.slice_length
        overlap = config.window - half  # at most half a window: three would else share a place
        places = -(-len(music) // config.frames_per_step)
        windows = max(1, -(-(places - overlap) // half))
        total = overlap + windows * half
        number = torch.tensor([model.style_index(style)], device=model.device)
        music, beats = _lengthened(music, beats, total * config.frames_per_step, model.device)
        done = 0
        noise = torch.randn(0, config.channels)
        trail: Tensor | None = None
        for first in range(0, windows, options.group):
            count = min(options.group, windows - first)
            begin, span = first * half, overlap + count * half
            fresh = torch.randn(span - len(noise), config.channels, generator=generator)
            noise = torch.cat([noise, fresh])
            frames = slice(begin * config.frames_per_step, (begin + span) * config.frames_per_step)
            clean, trail = sample_windows(
                model,
                _windows(noise.to(model.device), config.window, half),
                _windows(music[frames], config.window_frames, half * config.frames_per_step),
                _windows(beats[frames], config.window_frames, half * config.frames_per_step),
                number.expand(count),
                options,
                _held_windows(model, held, begin, span, half),
                overlap,
                trail,
            )
            joined = torch.cat([clean[0], *(window[overlap:] for window in clean[1:])])  # (span, C)
            noise = noise[-overlap:]
            is_last = first + count == windows
            ready = (
                joined[: places - done] if is_last else joined[:-overlap]
            )  # the rest fades into the next group
            done += len(ready)
            if progress is not None:
                progress(done, places)
            yield model.denormalise(ready)


def _windows(values: Tensor, size: int, hop: int) -> Tensor:
    """Return windows (W, size, ...) of values (T, ...), `hop` apart."""
    return torch.stack([values[start : start + size] for start in range(0, len(values) - size + 1, hop)])


def _lengthened(music: Tensor, beats: Tensor, frames: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return music (frames, M) and beats (frames,): what lies behind the end of the song is its last frame."""
    missing = frames - len(music)
    if missing > 0:
        music = torch.cat([music, music[-1:].expand(missing, -1)])
        beats = torch.cat([beats, beats.new_zeros(missing)])
    return music[:frames].to(device), beats[:frames].float().to(device)


def _held_windows(model: BADM, held: Held | None, begin: int, span: int, half: int) -> Held | None:
    """What is known of the places [begin, begin + span), as windows."""
    if held is None:
        return None
    channels, device = model.config.channels, model.device
    values = torch.zeros(span, channels, device=device)
    mask = torch.zeros(span, channels, dtype=torch.bool, device=device)
    part = held[begin : begin + span]
    values[: len(part.values)] = model.normalise(part.values.to(device))
    mask[: len(part.mask)] = part.mask.to(device)
    values = torch.where(mask, values, 0.0)
    size = model.config.window
    return Held(_windows(values, size, half), _windows(mask, size, half))
