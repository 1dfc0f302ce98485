"""Random fixed-length windows of clips of features."""

from collections.abc import Sequence

import torch
from torch import Tensor

from motiongen import features


class WindowSampler:
    """Draws windows from clips of features, which are stored in fp16.

    A clip is drawn with a probability proportional to its length times its weight; half of the windows are mirrored.
    The starts of clips are oversampled, so that a decoder learns them well.

    Args:
        clips: (T_i, D) features.
        window: frames of a window T.
        weights: of the clips; None for 1.

    Raises:
        ValueError: no clips.
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
        """Return a random batch: features (B, T, D), and valid (B, T), 0 at frames that pad a shorter clip."""
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
