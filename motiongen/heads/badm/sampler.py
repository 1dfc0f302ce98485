"""Sampling of dances of any length from a BADM: overlapping windows, made equal where they overlap at every step.

As EDGE does (Tseng et al., CVPR 2023, section 3.3), with windows of K slices that overlap by half. EDGE copies the
overlap from the first window to the second, which leaves a discontinuity at the end of the first; here the predictions
are crossfaded. Windows are sampled in groups; each group reuses the predictions of the last window of the group before
it at every step, so that memory does not grow with the song.
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
class Constraint:
    """Known parts of a dance, for inpainting and editing.

    Attributes:
        values: (N, C) clean values in the units of the space.
        mask: (N, C) bool, true = known; the values elsewhere are ignored.
    """

    values: Tensor
    mask: Tensor

    def __getitem__(self, positions: slice) -> "Constraint":
        return Constraint(self.values[positions], self.mask[positions])


@torch.no_grad()
def sample_windows(
    model: BADM,
    noise: Tensor,
    music: Tensor,
    beats: Tensor,
    style: Tensor,
    options: BADMOptions,
    constraint: Constraint | None = None,
    overlap: int = 0,
    previous_ends: Tensor | None = None,
    guidance_scale: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return normalised clean windows (W, N, C), equal where they overlap, and the `previous_ends` for the next group.

    Args:
        model: the head.
        noise: (W, N, C), equal where windows overlap.
        music: (W, T, music_dim).
        beats: (W, T).
        style: (W,) style indices.
        options: steps and guidance.
        constraint: known values, normalised, and their mask, (W, N, C) each.
        overlap: positions that a window shares with the next; 0 for independent windows.
        previous_ends: (steps, overlap, C) predictions of the window before the first, at its last positions and at each
            step; None if there is none.
        guidance_scale: (W,) guidance scales that replace that of the options.
    """
    default = model.config.guidance_scale if options.guidance_scale is None else options.guidance_scale
    scale = default if guidance_scale is None else guidance_scale.view(-1, 1, 1)
    count = len(noise)
    drop_music = torch.arange(2 * count, device=noise.device) >= count  # conditional, then unconditional
    conditioning = model.encode_music(
        torch.cat([music, music]), torch.cat([beats, beats]), torch.cat([style, style]), drop_music
    )
    fade = torch.arange(1, overlap + 1, device=noise.device)[:, None] / (overlap + 1)  # (overlap, 1)
    steps = model.schedule.sampling_steps(options.steps)
    x, ends = noise, []
    for number, (current_step, next_step) in enumerate(itertools.pairwise(steps)):
        at = torch.full((count,), current_step, device=noise.device)
        to = torch.full((count,), next_step, device=noise.device)
        with_music, without = model(torch.cat([x, x]), torch.cat([at, at]), conditioning)[0].chunk(2)
        clean = without + scale * (with_music - without)  # Ho & Salimans 2022
        if overlap:
            ends.append(clean[-1, -overlap:].clone())
            shared = torch.lerp(clean[:-1, -overlap:], clean[1:, :overlap], fade)
            clean[:-1, -overlap:], clean[1:, :overlap] = shared, shared
            if previous_ends is not None:
                clean[0, :overlap] = torch.lerp(previous_ends[number], clean[0, :overlap], fade)
        if constraint is not None:
            clean = torch.where(constraint.mask, constraint.values, clean)
        x = model.schedule.back(x, clean, at, to)
        if constraint is not None:
            x = torch.where(constraint.mask, model.schedule.add_noise(constraint.values, noise, to), x)
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
        constraint: Constraint | None = None,
        progress: Callable[[int, int], Any] | None = None,
    ) -> Iterator[Tensor]:
        """Yield a dance in consecutive parts (n, C), in the units of the space, on the device of the model.

        Args:
            music: (T, music_dim) features of the song.
            beats: (T,), 1 at frames with a beat, else 0.
            style: a style of the model; None for any.
            generator: on the CPU; draws the noise.
            options: steps and guidance.
            constraint: known values (N, C) of the dance, in the units of the space.
            progress: called with the numbers of positions done and in all.

        Yields:
            Parts of the sequence in order, together ceil(T / frames_per_step) positions.
        """
        model = self.model
        config, options = model.config, options or BADMOptions()
        half = -(-config.slices // 2) * config.slice_length
        overlap = config.window - half  # at most half a window: otherwise three windows would overlap
        length = -(-len(music) // config.frames_per_step)
        windows = max(1, -(-(length - overlap) // half))
        total = overlap + windows * half
        style_index = torch.tensor([model.style_index(style)], device=model.device)
        music, beats = _padded(music, beats, total * config.frames_per_step, model.device)
        done = 0
        noise = torch.randn(0, config.channels)
        previous_ends: Tensor | None = None
        for first in range(0, windows, options.group):
            count = min(options.group, windows - first)
            begin, span = first * half, overlap + count * half
            noise = torch.cat([noise, torch.randn(span - len(noise), config.channels, generator=generator)])
            frames = slice(begin * config.frames_per_step, (begin + span) * config.frames_per_step)
            clean, previous_ends = sample_windows(
                model,
                _windows(noise.to(model.device), config.window, half),
                _windows(music[frames], config.window_frames, half * config.frames_per_step),
                _windows(beats[frames], config.window_frames, half * config.frames_per_step),
                style_index.expand(count),
                options,
                _constraint_windows(model, constraint, begin, span, half),
                overlap,
                previous_ends,
            )
            joined = torch.cat([clean[0], *(window[overlap:] for window in clean[1:])])  # (span, C)
            noise = noise[-overlap:]
            is_last = first + count == windows
            # The overlap is crossfaded with the next group first.
            ready = joined[: length - done] if is_last else joined[:-overlap]
            done += len(ready)
            if progress is not None:
                progress(done, length)
            yield model.denormalise(ready)


def _windows(values: Tensor, size: int, hop: int) -> Tensor:
    """Return windows (W, size, ...) of values (T, ...) with a hop size."""
    return torch.stack([values[start : start + size] for start in range(0, len(values) - size + 1, hop)])


def _padded(music: Tensor, beats: Tensor, frames: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return music (frames, M) padded with its last frame, and beats (frames,) padded with zeros."""
    missing = frames - len(music)
    if missing > 0:
        music = torch.cat([music, music[-1:].expand(missing, -1)])
        beats = torch.cat([beats, beats.new_zeros(missing)])
    return music[:frames].to(device), beats[:frames].float().to(device)


def _constraint_windows(
    model: BADM, constraint: Constraint | None, begin: int, span: int, half: int
) -> Constraint | None:
    """Return the normalised constraint of positions [begin, begin + span), as windows with hop size `half`."""
    if constraint is None:
        return None
    channels, device = model.config.channels, model.device
    values = torch.zeros(span, channels, device=device)
    mask = torch.zeros(span, channels, dtype=torch.bool, device=device)
    part = constraint[begin : begin + span]
    values[: len(part.values)] = model.normalise(part.values.to(device))
    mask[: len(part.mask)] = part.mask.to(device)
    values = torch.where(mask, values, 0.0)
    size = model.config.window
    return Constraint(_windows(values, size, half), _windows(mask, size, half))
