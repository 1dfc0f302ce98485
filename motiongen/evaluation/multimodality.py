"""Multimodality: mean distance between motions of the same prompt."""

import torch
from torch import Tensor


def multimodality(motions: Tensor, generator: torch.Generator, pairs: int = 10) -> float:
    """Return the mean Euclidean distance between motions of the same prompt, from embeddings (prompts, M, D).

    Guo et al., CVPR 2022 (HumanML3D): 10 pairs of different motions for each prompt, with M = 30 motions of 100
    prompts; here M is any number from 2.

    Args:
        motions: (prompts, M, D) embeddings.
        generator: draws the pairs.
        pairs: pairs for each prompt.

    Raises:
        ValueError: another shape, or fewer than two motions.
    """
    if motions.dim() != 3 or motions.shape[1] < 2:
        raise ValueError(
            f"motions: expected (prompts, M >= 2, D), got {tuple(motions.shape)}; generate several a prompt"
        )
    first, second = torch.combinations(torch.arange(motions.shape[1])).T
    distances = []
    for clip in motions.double():
        chosen = torch.randperm(len(first), generator=generator)[:pairs]
        distances.append((clip[first[chosen]] - clip[second[chosen]]).norm(dim=-1).mean())
    return float(torch.stack(distances).mean())
