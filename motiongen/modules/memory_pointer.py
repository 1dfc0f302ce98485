"""Pointer into retrieved clips: a head's next code is mixed with the one that follows where a clip is like the present.

The nearest-neighbour language model (Khandelwal et al. 2020, eq. 2 and 3) over the few clips of a prompt in place of a
whole corpus: what a head has seen too rarely to keep in its weights, it can still read off. Weights of a clip's
positions are Gaussian in the distance of the codes before them, and in time since the prompt began.
"""

import torch
from torch import Tensor

WIDTH = 0.05
"""Variance of a code's neighbourhood, as a share of the mean squared distance of two codes."""
TOKENS = 8.0
"""Standard deviation of the position in a clip about the time since the prompt began, tokens."""


def pointed(
    logits: Tensor, before: Tensor, position: Tensor, clips: Tensor, vectors: Tensor, share: float
) -> Tensor:
    """Return log probabilities (B, K) of the next first-level code, mixed with those that the clips point to.

    Args:
        logits: (B, K) of the head; further columns than codes, as for END, get nothing from the clips.
        before: (B,) first-level code before; -1 at the very start.
        position: (B,) tokens since the prompt began, 0 for its first.
        clips: (B, R, M) first-level codes of clips, -1 where there is none.
        vectors: (K', C) embeddings of the codes.
        share: probability of the clips where one has exactly this code before.
    """
    batch, count, length = clips.shape
    flat = clips.reshape(batch, -1).long()  # (B, R M)
    last = torch.cat([torch.full_like(clips[..., :1], -1), clips[..., :-1]], dim=-1).reshape(batch, -1).long()
    there = flat >= 0
    gap = (
        (vectors[last.clamp_min(0)] - vectors[before.clamp_min(0)][:, None]).square().sum(dim=-1)
    )  # (B, R M)
    spread = 2 * vectors.var(dim=0).sum()
    place = torch.arange(length, device=clips.device).repeat(count)
    late = (place - position[:, None]) / TOKENS
    near = torch.exp(-gap / spread / (2 * WIDTH) - late.square() / 2)
    near = (
        torch.where(place == 0, (position == 0)[:, None], near * (before >= 0)[:, None]) * there
    )  # starts go with starts
    total = near.sum(dim=-1, keepdim=True)
    pointers = torch.zeros_like(logits).scatter_add_(1, flat.clamp_min(0), near / total.clamp_min(1e-9))
    mixed = share * near.amax(dim=-1, keepdim=True)  # (B, 1)
    return ((1 - mixed) * logits.softmax(dim=-1) + mixed * pointers).clamp_min(1e-12).log()
