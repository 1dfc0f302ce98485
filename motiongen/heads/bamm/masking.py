"""Hybrid masking of BAMM's training: causal and masked views of clips."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class HybridView:
    """Corrupted batch and the positions of its loss.

    Attributes:
        inputs: (B, N) corrupted codes, the input of the model.
        scored: (B, N) bool, whether a position has a loss.
        causal: (B,) bool, whether an item is attended to causally.
    """

    inputs: Tensor
    scored: Tensor
    causal: Tensor


def random_subset(valid: Tensor, counts: Tensor, generator: torch.Generator) -> Tensor:
    """Return a mask (B, N) of `counts` (B,) random positions among the `valid` (B, N) ones of each item."""
    order = torch.rand(valid.shape, generator=generator).masked_fill(~valid, 2.0)
    return (order.argsort(dim=1).argsort(dim=1) < counts[:, None]) & valid


def random_span(valid: Tensor, counts: Tensor, generator: torch.Generator) -> Tensor:
    """Return a mask (B, N) of a random span of `counts` (B,) positions within `valid` (B, N), one span in each item."""
    room = (valid.sum(dim=1) - counts).clamp_min(0)
    start = (
        valid.int().argmax(dim=1) + (torch.rand(len(counts), generator=generator) * (room + 1)).long()
    )  # (B,)
    index = torch.arange(valid.shape[1])
    return (index >= start[:, None]) & (index < (start + counts)[:, None]) & valid


def hybrid_view(
    codes: Tensor,
    valid: Tensor,
    mask_code: int,
    generator: torch.Generator,
    *,
    causal_share: float = 0.5,
    span_share: float = 0.3,
    noise: float = 0.05,
) -> HybridView:
    """Return a hybrid view of a batch: causal items and masked items (BAMM, Pinyoanuntapong et al. 2024, sec. 3).

    A causal item has a loss at every valid position; a few inputs are random codes, so that the model learns to recover
    from its own errors. A masked item has a loss at a share cos(pi u / 2) of the positions (MaskGIT's schedule), random
    ones or, as in editing, one span; of their inputs 85 % are masked, 10 % are random codes and 5 % are unchanged, so
    that visible codes are not trusted blindly.

    Args:
        codes: (B, N) true codes.
        valid: (B, N) bool, positions that can have a loss, one span in each item.
        mask_code: code MASK.
        generator: on the CPU, like codes.
        causal_share: share of causal items.
        span_share: share of masked items whose masked positions are one span.
        noise: share of random codes in the inputs of causal items.
    """
    batch = len(codes)
    causal = torch.arange(batch) < round(batch * causal_share)
    causal = causal[torch.randperm(batch, generator=generator)]
    ratio = torch.cos(torch.rand(batch, generator=generator) * math.pi / 2)
    counts = (ratio * valid.sum(dim=1)).ceil().long()
    as_span = torch.rand(batch, generator=generator) < span_share
    chosen = torch.where(
        as_span[:, None], random_span(valid, counts, generator), random_subset(valid, counts, generator)
    )
    pool = codes[valid]  # random codes have the frequencies of true ones
    random_codes = pool[torch.randint(len(pool), codes.shape, generator=generator)]
    draw = torch.rand(codes.shape, generator=generator)
    masked = torch.where(draw < 0.85, mask_code, torch.where(draw < 0.95, random_codes, codes))
    noisy = torch.where((draw < noise) & valid, random_codes, codes)
    inputs = torch.where(causal[:, None], noisy, torch.where(chosen, masked, codes))
    return HybridView(inputs, torch.where(causal[:, None], valid, chosen), causal)
