"""Sampling of codes from logits: classifier-free guidance, temperature, top-k, top-p, and per-item noise."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from motiongen.modules.sampling_config import SamplingConfig

Generators = torch.Generator | Sequence[torch.Generator] | None
"""One generator for a batch, one for each item, or None for a random seed."""


def item_generators(generator: Generators, batch_size: int) -> list[torch.Generator]:
    """Return one CPU generator for each item, so that its samples do not depend on the rest of the batch.

    Args:
        generator: one for the batch, which draws the seeds of the items in order; or one for each item; or None for a
            random seed.
        batch_size: B.

    Raises:
        ValueError: the number of generators is not B.
    """
    if generator is None:
        generator = torch.Generator()
        generator.seed()
    if isinstance(generator, torch.Generator):
        seeds = torch.randint(2**62, (batch_size,), generator=generator, device=generator.device).tolist()
        return [torch.Generator().manual_seed(seed) for seed in seeds]
    if len(generator) != batch_size:
        raise ValueError(
            f"generator: expected {batch_size}, one an item, got {len(generator)}; pass one for all"
        )
    return list(generator)


def gumbel_noise(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Return standard Gumbel noise, fp32, drawn on the generator's device (on the CPU: reproducible on any machine)."""
    uniform = torch.rand(tuple(shape), generator=generator, device=generator.device)
    return -torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))


def counter_uniform(seed: Tensor, counter: Tensor, size: int) -> Tensor:
    """Return counter-based uniform noise (B, size) in (0, 1), fp32.

    A counter-based generator (Salmon et al. 2011) with the finaliser of SplitMix64: the noise of a stream is the same
    in any batch, on any device, and again after a rewind.

    Args:
        seed: (B,) int64, of each item.
        counter: (B,) int64, such as the number of tokens so far.
        size: numbers for each item.
    """
    index = torch.arange(1, size + 1, device=seed.device)
    mixed = _mix(_mix(_mix(seed) + counter)[:, None] + index)  # (B, size)
    return (_shifted(mixed, 41).float() + 0.5) * 2.0**-23  # the upper 23 bits, exact in fp32


def draw(logits: Tensor, uniform: Tensor, sampling: SamplingConfig) -> Tensor:
    """Return codes (B,) sampled from logits (B, K) by inverting the cumulative distribution at uniform (B,) noise.

    Takes one random number for each item, where Gumbel noise takes K; that saves a tenth of a step of many streams.
    """
    if sampling.temperature == 0:
        return logits.argmax(dim=-1)
    sums = filter_logits(logits, sampling).softmax(dim=-1).cumsum(dim=-1)  # (B, K)
    return (sums < (uniform * sums[:, -1])[:, None]).sum(dim=-1).clamp_max(logits.shape[-1] - 1)


def _mix(x: Tensor) -> Tensor:
    """Return the SplitMix64 hash (Steele et al. 2014) of int64, with wrap-around."""
    x = x + -0x61C8864680B583EB
    x = (x ^ _shifted(x, 30)) * -0x40A7B892E31B1A47
    x = (x ^ _shifted(x, 27)) * -0x6B2FB644ECCEEE15
    return x ^ _shifted(x, 31)


def _shifted(x: Tensor, bits: int) -> Tensor:
    """Return int64 shifted right logically: filled with zeros."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def guide(logits: Tensor, guidance_scale: float | Tensor, plausible: float = 0.0) -> Tensor:
    """Return logits (B, ..., K) with classifier-free guidance (Ho and Salimans 2022).

    Guidance also amplifies the noise in small probabilities and can raise codes that are unlikely under both
    distributions. Codes that are implausible under the conditional one are therefore excluded (the plausibility
    constraint of contrastive decoding, Li et al. 2023, equation 2).

    Args:
        logits: (2 B, ..., K), conditional first, then unconditional.
        guidance_scale: 1 is conditional, 0 unconditional; a number, or a tensor that broadcasts.
        plausible: codes with less than this share of the highest conditional probability are excluded; 0 for none.
    """
    conditional, unconditional = logits.chunk(2)
    guided = unconditional + guidance_scale * (conditional - unconditional)
    if not plausible:
        return guided
    floor = conditional.amax(dim=-1, keepdim=True) + math.log(plausible)
    return guided.masked_fill(conditional < floor, -torch.inf)


def filter_logits(logits: Tensor, sampling: SamplingConfig) -> Tensor:
    """Return logits (..., K) divided by the temperature, with codes outside top-k and top-p at minus infinity."""
    logits = logits.float() / (sampling.temperature or 1.0)
    if sampling.top_k is not None and sampling.top_k < logits.shape[-1]:
        kth = logits.topk(sampling.top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, -torch.inf)
    if sampling.top_p < 1:
        ordered, order = logits.sort(dim=-1, descending=True)
        before = ordered.softmax(dim=-1).cumsum(dim=-1) - ordered.softmax(
            dim=-1
        )  # mass of all likelier codes
        dropped = (before >= sampling.top_p).scatter(-1, order, before >= sampling.top_p)
        logits = logits.masked_fill(dropped, -torch.inf)
    return logits


def sample(logits: Tensor, noise: Tensor, sampling: SamplingConfig) -> Tensor:
    """Return codes (...) sampled from logits (..., K) with Gumbel noise (..., K); temperature 0 takes the argmax."""
    logits = filter_logits(logits, sampling)
    return (logits if sampling.temperature == 0 else logits + noise.to(logits.device)).argmax(dim=-1)


def confidence(logits: Tensor, codes: Tensor) -> Tensor:
    """Return the probabilities (...) of codes (...) under logits (..., K)."""
    return logits.float().softmax(dim=-1).gather(-1, codes[..., None])[..., 0]


def least_confident(scores: Tensor, candidates: Tensor, count: int) -> Tensor:
    """Return a mask (N,) of the `count` candidates with the lowest scores (N,); ties go to the earlier one."""
    ranked = scores.masked_fill(~candidates, torch.inf).argsort(stable=True)[
        : min(count, int(candidates.sum()))
    ]
    return torch.zeros_like(candidates).index_fill(0, ranked, True)


def cosine_schedule(fraction: float) -> float:
    """Return the share of tokens still masked after `fraction` of the steps (MaskGIT, Chang et al. 2022)."""
    return math.cos(min(max(fraction, 0.0), 1.0) * math.pi / 2)
