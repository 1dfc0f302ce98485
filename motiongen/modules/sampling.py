"""From logits to codes: guidance, temperature, top-k, top-p, and noise that belongs to one item of a batch."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from motiongen.modules.sampling_config import SamplingConfig

Generators = torch.Generator | Sequence[torch.Generator] | None
"""One for a batch, one for each item, or None for a result that does not repeat."""


def item_generators(generator: Generators, batch_size: int) -> list[torch.Generator]:
    """Return one CPU generator an item, so that an item's result does not depend on its neighbours.

    Args:
        generator: one for the batch, from which the items' seeds are drawn in order; or one for each item; or None
            for an unrepeatable result.
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
    """Return standard Gumbel noise, fp32, drawn on the generator's device (the CPU's is the same everywhere)."""
    uniform = torch.rand(tuple(shape), generator=generator, device=generator.device)
    return -torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))


def counter_uniform(seed: Tensor, counter: Tensor, size: int) -> Tensor:
    """Return uniform noise (B, size) in (0, 1), fp32, that depends on an item's seed (B,) and counter (B,) alone.

    A counter-based generator (Salmon et al. 2011) with the finisher of SplitMix64: a stream's noise is the same in any
    batch and on any device, at once for all items, and again after tokens are taken back.
    """
    index = torch.arange(1, size + 1, device=seed.device)
    mixed = _mix(_mix(_mix(seed) + counter)[:, None] + index)  # (B, size)
    return (_shifted(mixed, 41).float() + 0.5) * 2.0**-23  # the upper 23 bits, exact in fp32


def draw(logits: Tensor, uniform: Tensor, sampling: SamplingConfig) -> Tensor:
    """Return codes (B,) drawn from logits (B, K) where uniform (B,) noise falls in their cumulative probabilities.

    One number an item, where Gumbel noise takes K of them: a tenth of the time of a step of many streams.
    """
    if sampling.temperature == 0:
        return logits.argmax(dim=-1)
    sums = filter_logits(logits, sampling).softmax(dim=-1).cumsum(dim=-1)  # (B, K)
    return (sums < (uniform * sums[:, -1])[:, None]).sum(dim=-1).clamp_max(logits.shape[-1] - 1)


def _mix(x: Tensor) -> Tensor:
    """SplitMix64 (Steele et al. 2014) of int64, which wraps around."""
    x = x + -0x61C8864680B583EB
    x = (x ^ _shifted(x, 30)) * -0x40A7B892E31B1A47
    x = (x ^ _shifted(x, 27)) * -0x6B2FB644ECCEEE15
    return x ^ _shifted(x, 31)


def _shifted(x: Tensor, bits: int) -> Tensor:
    """Shift int64 right and fill with zeros, as if it had no sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def guide(logits: Tensor, scale: float | Tensor, plausible: float = 0.0) -> Tensor:
    """Return classifier-free guided logits (B, ..., K) of logits (2 B, ..., K), with the condition and then without.

    Ho and Salimans 2022. Guidance multiplies the difference of two small probabilities too, which is noise, and lifts
    codes that neither the condition nor anything else asks for: so only codes that the condition itself finds plausible
    stand for choice (the constraint of contrastive decoding, Li et al. 2023, equation 2).

    Args:
        logits: of both.
        scale: 1 is the conditional, 0 the unconditional; one for all, or one for each that broadcasts.
        plausible: codes with less than this part of the likeliest code's conditional probability are out.
    """
    conditional, unconditional = logits.chunk(2)
    guided = unconditional + scale * (conditional - unconditional)
    if not plausible:
        return guided
    floor = conditional.amax(dim=-1, keepdim=True) + math.log(plausible)
    return guided.masked_fill(conditional < floor, -torch.inf)


def filter_logits(logits: Tensor, sampling: SamplingConfig) -> Tensor:
    """Return logits (..., K) over the temperature, with codes outside top-k and top-p at minus infinity."""
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
    """Return codes (...) drawn from logits (..., K) with Gumbel noise (..., K); temperature 0 ignores the noise."""
    logits = filter_logits(logits, sampling)
    return (logits if sampling.temperature == 0 else logits + noise.to(logits.device)).argmax(dim=-1)


def confidence(logits: Tensor, codes: Tensor) -> Tensor:
    """Return the probability (...) that logits (..., K) give to codes (...)."""
    return logits.float().softmax(dim=-1).gather(-1, codes[..., None])[..., 0]


def least_confident(scores: Tensor, candidates: Tensor, count: int) -> Tensor:
    """Return a mask (N,) of the `count` candidates with the lowest scores (N,); the earlier one of equals."""
    ranked = scores.masked_fill(~candidates, torch.inf).argsort(stable=True)[
        : min(count, int(candidates.sum()))
    ]
    return torch.zeros_like(candidates).index_fill(0, ranked, True)


def cosine_schedule(fraction: float) -> float:
    """Return the share of tokens still masked after `fraction` of the steps (MaskGIT, Chang et al. 2022)."""
    return math.cos(min(max(fraction, 0.0), 1.0) * math.pi / 2)
