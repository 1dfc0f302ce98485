"""What BAMM sees of a clip in training: the hybrid of a causal and a masked view."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class HybridView:
    """A corrupted batch and where its loss is taken.

    Attributes:
        inputs: (B, N) codes as shown to the model.
        scored: (B, N) bool, whether the true code of a slot is asked for.
        causal: (B,) bool, whether an item is seen from left to right only.
    """

    inputs: Tensor
    scored: Tensor
    causal: Tensor


def random_subset(valid: Tensor, counts: Tensor, generator: torch.Generator) -> Tensor:
    """Return a mask (B, N) of `counts` (B,) random slots of `valid` (B, N) an item."""
    order = torch.rand(valid.shape, generator=generator).masked_fill(~valid, 2.0)
    return (order.argsort(dim=1).argsort(dim=1) < counts[:, None]) & valid


def random_span(valid: Tensor, counts: Tensor, generator: torch.Generator) -> Tensor:
    """Return a mask (B, N) of `counts` (B,) neighbouring slots of `valid` (B, N), itself one span an item."""
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
    """Return half of a batch as a causal view, half as a masked one (BAMM, Pinyoanuntapong et al. 2024, sec. 3).

    The causal view asks for every code; a few of those shown are wrong, so that the model learns to go on after its own
    slips. The masked view hides cos(pi u / 2) of the codes (MaskGIT's schedule), scattered or, as in editing, one span;
    of those asked for, 85 % are hidden, 10 % wrong and 5 % as they are, so that what is shown is doubted too.

    Args:
        codes: (B, N) true codes.
        valid: (B, N) bool, the slots that may be hidden and asked for, one span an item.
        mask_code: the code that hides.
        generator: on the CPU, as codes are.
        causal_share: items that are seen causally.
        span_share: masked items whose hidden codes are one span.
        noise: causal codes that are shown wrong.
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
    pool = codes[valid]  # wrong codes are as frequent as true ones
    wrong = pool[torch.randint(len(pool), codes.shape, generator=generator)]
    draw = torch.rand(codes.shape, generator=generator)
    masked = torch.where(draw < 0.85, mask_code, torch.where(draw < 0.95, wrong, codes))
    slips = torch.where((draw < noise) & valid, wrong, codes)
    inputs = torch.where(causal[:, None], slips, torch.where(chosen, masked, codes))
    return HybridView(inputs, torch.where(causal[:, None], valid, chosen), causal)
