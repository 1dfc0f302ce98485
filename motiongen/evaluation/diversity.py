"""Diversity: mean distance between motions of different prompts."""

import torch
from torch import Tensor


def diversity(motions: Tensor, generator: torch.Generator, pairs: int = 300) -> float:
    """Return the mean Euclidean distance between random pairs of embeddings (N, D).

    Guo et al., CVPR 2022 (HumanML3D): 300 pairs of different motions, each motion at most once on each side. Fewer
    motions give fewer pairs.

    Args:
        motions: (N, D) embeddings.
        generator: draws the pairs.
        pairs: number of pairs.

    Raises:
        ValueError: fewer than two motions.
    """
    count = motions.shape[0]
    if count < 2:
        raise ValueError(f"motions: expected at least 2 embeddings, got {count}; generate more")
    order = torch.randperm(count, generator=generator)
    others = order.roll(1)  # a cyclic shift of a random order: no motion is paired with itself
    pairs = min(pairs, count)
    return float((motions[order[:pairs]].double() - motions[others[:pairs]].double()).norm(dim=-1).mean())
