"""R-precision: how often the text of a motion is among the nearest texts of a pool."""

from collections.abc import Sequence

import torch
from torch import Tensor


def r_precision(
    texts: Tensor,
    motions: Tensor,
    generator: torch.Generator,
    *,
    groups: Sequence[int] | None = None,
    pool: int = 32,
    top: int = 3,
    repeats: int = 20,
) -> list[float]:
    """Return the R-precision for the 1 .. top nearest texts, averaged over random pools.

    Guo et al., CVPR 2022 (HumanML3D): pools of 32 motions and their texts, Euclidean distance. Captions from labels
    repeat, so other texts of the same group are left out of the ranking instead of counting as wrong.

    Args:
        texts: (N, D) embeddings; text i belongs to motion i.
        motions: (N, D) embeddings.
        generator: on the CPU; draws the pools.
        groups: (N,) group of each text; texts of a group are equivalent. None for distinct texts.
        pool: size of a pool, at most N.
        top: largest number of nearest texts.
        repeats: number of random partitions into pools.

    Raises:
        ValueError: different shapes, or fewer than two motions.
    """
    count = texts.shape[0]
    if texts.shape != motions.shape or count < 2:
        raise ValueError(
            f"texts: expected the shape of motions, (N >= 2, D), got {tuple(texts.shape)}; pair them up"
        )
    pool = min(pool, count)
    labels = torch.arange(count) if groups is None else torch.as_tensor(groups)
    hits, seen = torch.zeros(top, dtype=torch.float64), 0
    for _ in range(repeats):
        order = torch.randperm(count, generator=generator)[: count - count % pool].view(-1, pool)
        for rows in order:
            distance = torch.cdist(motions[rows].double(), texts[rows].double()).cpu()  # (pool, pool)
            same = (labels[rows][:, None] == labels[rows][None]) & ~torch.eye(pool, dtype=torch.bool)
            distance = distance.masked_fill(same, float("inf"))
            rank = (distance < distance.diagonal()[:, None]).sum(dim=1)
            hits += torch.stack([(rank <= k).double().sum() for k in range(top)])
            seen += pool
    return (hits / max(seen, 1)).tolist()
