"""Finds the best cycle in a stretch of motion, and repeats it without a seam."""

from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.features import FPS, LAYOUT

MIN_SECONDS = 0.5
"""Length of the shortest cycle."""
FADE_FRAMES = 6
"""Frames over which the end of the cycle is blended into its beginning."""


@dataclass
class Cycle:
    """A cyclic motion.

    Attributes:
        features: (T, D) one period; its first frame follows on its last.
        position: frame of the period that comes next.
    """

    features: Tensor
    position: int = 0

    @classmethod
    def find(cls, features: Tensor) -> "Cycle":
        """Return the cycle whose ends fit best in pose and in velocity.

        Args:
            features: (T, D) the motion to search.

        Raises:
            ValueError: there are too few frames.
        """
        shortest = max(round(MIN_SECONDS * FPS), 2 * FADE_FRAMES)
        if len(features) < shortest + FADE_FRAMES + 1:
            raise ValueError(
                f"loop: expected at least {(shortest + FADE_FRAMES + 1) / FPS:.1f} s of motion since the prompt, got "
                f"{len(features) / FPS:.1f} s; wait"
            )
        poses = features[:, LAYOUT["height"].start : LAYOUT["joints"].stop]
        poses = torch.cat([poses, features[:, LAYOUT["velocity"]] * 0.5], dim=1)
        velocity = torch.zeros_like(poses)
        velocity[1:] = (poses[1:] - poses[:-1]) * 5
        distance = torch.cdist(torch.cat([poses, velocity], dim=1), torch.cat([poses, velocity], dim=1))
        frame = torch.arange(len(features))
        length = frame[None, :] - frame[:, None]  # from row to column
        fits = (length >= shortest) & (frame[:, None] >= FADE_FRAMES)
        # Of cycles that fit about as well the later one: it is the current motion.
        distance = distance * (1 + 0.2 * (len(features) - frame) / len(features)).clamp_min(1)
        best = int(distance.masked_fill(~fits, torch.inf).argmin())
        begin, end = best // len(features), best % len(features)
        weight = (torch.arange(1, FADE_FRAMES + 1) / (FADE_FRAMES + 1))[:, None]
        weight = weight * weight * (3 - 2 * weight)
        lead_in = features[begin - FADE_FRAMES : begin]
        tail = torch.lerp(features[end - FADE_FRAMES : end], lead_in, weight)
        return cls(torch.cat([features[begin : end - FADE_FRAMES], tail]))

    def next(self, frames: int) -> Tensor:
        """Return the next frames (frames, D).

        Args:
            frames: count of frames.
        """
        index = (self.position + torch.arange(frames)) % len(self.features)
        self.position = (self.position + frames) % len(self.features)
        return self.features[index]
