"""How often a motion's own text is among the nearest of a pool of texts."""

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
    """Return R-precision for 1..top nearest texts, averaged over random pools.

    Guo et al., CVPR 2022 (HumanML3D): pools of 32 motions and their texts, Euclidean distance. Captions from labels
    repeat, so a text of the same group as the motion's own is no wrong answer: it is left out of the ranking.

    Args:
        texts: (N, D) embedded, row i belongs to motion i.
        motions: (N, D) embedded.
        generator: draws the pools, on the CPU.
        groups: (N) ids of what rows say; rows of one group are equally right.
        pool: candidates; N is taken if it is smaller.
        top: longest list of nearest texts.
        repeats: how often all rows are dealt into pools.
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
