"""Random windows of fixed length out of many clips of features."""

from collections.abc import Sequence

import torch
from torch import Tensor

from motiongen import features


class WindowSampler:
    """Draws windows from clips of features, kept together in fp16.

    A clip is drawn in proportion to its length times its weight; half of the windows are mirrored. Windows may start
    before their clip does, in part: those are moved to its start, so that a decoder learns well how clips begin.
    """

    def __init__(self, clips: Sequence[Tensor], window: int, weights: Sequence[float] | None = None) -> None:
        if not clips:
            raise ValueError(
                "clips: expected at least one, got none; prepare a cache that has training clips"
            )
        self.window = window
        self.frames = torch.cat([clip.half() for clip in clips])  # (sum of T, D)
        self.lengths = torch.tensor([clip.shape[0] for clip in clips])
        self.starts = self.lengths.cumsum(0) - self.lengths
        share = torch.ones(len(clips)) if weights is None else torch.tensor(weights, dtype=torch.float32)
        self.shares = share * self.lengths.clamp_min(window)

    def sample(self, batch_size: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Return features (B, T, D) and valid (B, T): a shorter clip's last frame is repeated, not valid."""
        clips = torch.multinomial(self.shares, batch_size, replacement=True, generator=generator)
        lengths = self.lengths[clips]
        span = (lengths - self.window).clamp_min(0) + self.window // 4  # (B,)
        begin = (torch.rand(batch_size, generator=generator) * (span + 1)).long() - self.window // 4
        frame = begin.clamp_min(0)[:, None] + torch.arange(self.window)  # (B, T)
        windows = self.frames[
            self.starts[clips][:, None] + frame.minimum(lengths[:, None] - 1)
        ].float()  # (B, T, D)
        mirrored = torch.rand(batch_size, generator=generator) < 0.5
        if windows.shape[-1] == features.FEATURE_DIM:
            windows = torch.where(mirrored[:, None, None], features.mirror(windows), windows)
        return {"features": windows, "valid": (frame < lengths[:, None]).float()}
