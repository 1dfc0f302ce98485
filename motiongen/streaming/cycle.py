"""The best cycle in a stretch of motion, played round and round without a seam."""

from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.features import FPS, LAYOUT

SHORTEST = 0.5
"""Seconds of the shortest cycle."""
FADE = 6
"""Frames over which the end of the cycle becomes its beginning."""


@dataclass
class Cycle:
    """Features (T, D) that follow on from their own end.

    Attributes:
        features: one round.
        place: frame of the round that comes next.
    """

    features: Tensor
    place: int = 0

    @classmethod
    def find(cls, features: Tensor) -> "Cycle":
        """Return the cycle in features (T, D) whose ends fit best, each frame in its pace as in its pose.

        Raises:
            ValueError: there are too few frames.
        """
        shortest = max(round(SHORTEST * FPS), 2 * FADE)
        if len(features) < shortest + FADE + 1:
            raise ValueError(
                f"loop: expected at least {(shortest + FADE + 1) / FPS:.1f} s of motion since the prompt, got "
                f"{len(features) / FPS:.1f} s; wait"
            )
        seen = features[:, LAYOUT["height"].start : LAYOUT["joints"].stop]  # the pose
        seen = torch.cat([seen, features[:, LAYOUT["velocity"]] * 0.5], dim=1)
        pace = torch.zeros_like(seen)
        pace[1:] = (seen[1:] - seen[:-1]) * 5
        distance = torch.cdist(torch.cat([seen, pace], dim=1), torch.cat([seen, pace], dim=1))
        frame = torch.arange(len(features))
        length = frame[None, :] - frame[:, None]  # from row to column
        fits = (length >= shortest) & (frame[:, None] >= FADE)
        # Of cycles that fit about as well the later one: it is what is being done now.
        distance = distance * (1 + 0.2 * (len(features) - frame) / len(features)).clamp_min(1)
        best = int(distance.masked_fill(~fits, torch.inf).argmin())
        begin, end = best // len(features), best % len(features)
        weight = (torch.arange(1, FADE + 1) / (FADE + 1))[:, None]
        weight = weight * weight * (3 - 2 * weight)
        lead_in = features[begin - FADE : begin]
        tail = torch.lerp(features[end - FADE : end], lead_in, weight)
        return cls(torch.cat([features[begin : end - FADE], tail]))

    def next(self, frames: int) -> Tensor:
        """Return the next frames (frames, D)."""
        index = (self.place + torch.arange(frames)) % len(self.features)
        self.place = (self.place + frames) % len(self.features)
        return self.features[index]
