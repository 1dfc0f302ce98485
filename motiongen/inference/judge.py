"""How far a motion is from the clips of a memory that are like its prompt: what chooses the best of several."""

import numpy as np
import torch
from torch import Tensor

from motiongen.conditions.text import TextEncoder
from motiongen.data.memory import ALIKE, Memory
from motiongen.features import LAYOUT
from motiongen.kinematics import positions_over_floor
from motiongen.tokenizers.rvq_vae import RVQVAE

CLIPS = 4
"""Nearest clips of which the motion must be like one."""
AHEAD = 0.5
"""Seconds of the root's velocity that count as a distance."""


class Judge:
    """Measures motions by the clips of a memory.

    Args:
        memory: the clips.
        tokenizer: decodes them.
    """

    def __init__(self, memory: Memory, tokenizer: RVQVAE) -> None:
        self._memory, self._tokenizer = memory, tokenizer

    @torch.no_grad()
    def clips(self, prompt: str, text: TextEncoder) -> list[Tensor]:
        """Return the features (T_i, 140) of the clips that are like a prompt; none where no clip is.

        Args:
            prompt: a sentence.
            text: encoder of the memory's sentences.
        """
        found = self._memory.find(text, [prompt], CLIPS)
        device = self._tokenizer.mean.device
        return [
            self._tokenizer.decode(self._memory.codes(clip)[None].long().to(device))[0].float().cpu()
            for clip, similarity in zip(found.clips[0].tolist(), found.similarity[0].tolist(), strict=True)
            if clip >= 0 and similarity >= ALIKE
        ]

    def distance(self, features: Tensor, clips: list[Tensor]) -> float:
        """Return the mean distance of joints, metres, from the nearest of clips after the best warp of time.

        Args:
            features: (T, 140).
            clips: features (T_i, 140), at least one.
        """
        return min(warped_distance(_shape(features), _shape(clip)) for clip in clips)


def _shape(features: Tensor) -> np.ndarray:
    """Return points (N, 23, 3), every fourth frame: joints over the floor, and where the root goes."""
    frames = features[::4].float()
    joints = positions_over_floor(frames)
    turn, velocity = frames[:, LAYOUT["turn"]], frames[:, LAYOUT["velocity"]]
    ahead = AHEAD * torch.cat([velocity, turn], dim=1)
    return torch.cat([joints, ahead[:, None]], dim=1).numpy()


def warped_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean distance of points (N, J, 3) and (M, J, 3) along the best warp of time.

    Dynamic time warping (Sakoe and Chiba 1978, symmetric form without weights); the longer one may end later.
    """
    costs = np.linalg.norm(first[:, None] - second[None], axis=-1).mean(axis=-1)  # (N, M)
    if len(first) < len(second):
        costs = costs.T
    totals, steps = np.full(costs.shape, np.inf), np.ones(costs.shape)
    totals[0] = costs[0].cumsum()
    steps[0] = np.arange(1, costs.shape[1] + 1)
    for i in range(1, len(costs)):
        for j in range(costs.shape[1]):
            before = [(totals[i - 1, j], steps[i - 1, j])]
            if j:
                before += [(totals[i - 1, j - 1], steps[i - 1, j - 1]), (totals[i, j - 1], steps[i, j - 1])]
            total, count = min(before)
            totals[i, j], steps[i, j] = total + costs[i, j], count + 1
    ends = (totals / steps)[costs.shape[1] - 1 :, -1]
    return float(ends.min())
