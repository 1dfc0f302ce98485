"""A user's own reward: a function that scores candidate motions, of which the best is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Reward = Callable[[Tensor], Any]
"""Takes joints (N, T, 22, 3) of N candidates, returns N numbers (a tensor, an array or a list); higher is better.

Joints are those of `motiongen.SMPL22`, in its order (`SMPL22.index("right_wrist")`), in the world: metres, Y up, fp32
on the CPU, a copy that may be written to. Frames are 30 to the second, and T may differ between calls.
"""
CANDIDATES = 8
"""Candidates where nobody says how many: as many as the first batch of streams has slots."""
MAX_CANDIDATES = 32
"""Most candidates; each costs a stream of its own."""
SEED_STRIDE = 2**53 + 111
"""Between the seeds of two candidates: no seed that a user may say is that of another's candidate."""


class RewardError(ValueError):
    """A reward that raised, or did not return one number for each candidate; it ends only what it was to guide."""


@dataclass(frozen=True)
class Guide:
    """What chooses among candidates.

    Attributes:
        reward: scores them.
        candidates: how many are drawn at once, 1 to 32.

    Raises:
        ValueError: a reward that cannot be called, or another number of candidates.
    """

    reward: Reward
    candidates: int = CANDIDATES

    def __post_init__(self) -> None:
        if not callable(self.reward):
            raise ValueError(
                f"reward: expected a function of joints (N, T, 22, 3), got {type(self.reward).__name__}; "
                "see motiongen.reward"
            )
        count = self.candidates
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_CANDIDATES:
            raise ValueError(f"candidates: expected a whole number 1 to {MAX_CANDIDATES}, got {count!r}")

    def seeds(self, seed: int) -> list[int]:
        """Return the seeds of the candidates; the first is the given one, so that it is the motion without a reward."""
        return [seed + n * SEED_STRIDE for n in range(self.candidates)]

    def best(self, joints: Sequence[Tensor]) -> int:
        """Return which candidate has the highest score; the first of equals.

        Args:
            joints: (T_i, 22, 3) of each candidate; those of equal length are scored together.

        Raises:
            RewardError: the reward raised, or did not return one number for each.
        """
        scores = torch.empty(len(joints), dtype=torch.float64)
        lengths = [len(each) for each in joints]
        for length in sorted(set(lengths)):
            alike = [n for n, other in enumerate(lengths) if other == length]
            scores[alike] = self._scores(torch.stack([joints[n] for n in alike]))
        return int(scores.argmax())

    def _scores(self, joints: Tensor) -> Tensor:
        """Return checked scores (N,) of joints (N, T, 22, 3)."""
        count = len(joints)
        with torch.inference_mode(False), torch.no_grad():
            given = joints.detach().float().cpu().clone()
            try:
                scores = torch.as_tensor(self.reward(given)).double().cpu()
            except Exception as error:
                raise RewardError(
                    f"reward: expected {count} numbers for joints {tuple(given.shape)}, got "
                    f"{type(error).__name__}: {error}; mend the function"
                ) from error
        if scores.shape != (count,):
            raise RewardError(
                f"reward: expected {count} numbers, one a candidate, got shape {tuple(scores.shape)} for joints "
                f"{tuple(given.shape)}; return a tensor ({count},)"
            )
        if scores.isnan().any():
            raise RewardError(
                f"reward: expected {count} numbers, got NaN for candidate {int(scores.isnan().nonzero()[0])}; "
                "return float('-inf') for what must not be"
            )
        return scores
