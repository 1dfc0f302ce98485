"""Mogo as a stream: how codes are drawn, what B streams remember, and what they want of their next token."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from motiongen.modules.kv_cache import TransformerState
from motiongen.modules.sampling import SamplingConfig, filter_logits, guide


@dataclass(frozen=True, kw_only=True)
class MogoOptions:
    """How a stream is written."""

    guidance_scale: float = 3.0
    """Weight of the text against no text; 1 is the text alone."""
    plausible: float = 0.05
    """Codes that the text makes less likely than this part of the likeliest are never taken, whatever the guidance."""
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    fine_temperature: float = 0.5
    """Temperature of the finer levels."""
    min_tokens: int = 4
    """Shortest clip, in tokens, where the length is the model's choice."""
    max_tokens: int = 90
    """Longest clip, in tokens, where the length is the model's choice."""

    def __post_init__(self) -> None:
        if not 0 <= self.plausible <= 1:
            raise ValueError(f"plausible: expected 0..1, got {self.plausible}; take 0.05")
        if not 1 <= self.min_tokens <= self.max_tokens:
            expected = f"1 <= min_tokens <= max_tokens, got {self.min_tokens} and {self.max_tokens}"
            raise ValueError(f"min_tokens: expected {expected}; take 4 and 90")
        self.sampling(), self.fine_sampling()  # which check their own

    def adjusted(self, guidance_scale: float | None, temperature: float | None) -> "MogoOptions":
        """Return these options with what is given in place of their own."""
        return replace(
            self,
            guidance_scale=self.guidance_scale if guidance_scale is None else guidance_scale,
            temperature=self.temperature if temperature is None else temperature,
        )

    def sampling(self) -> SamplingConfig:
        """Return how first-level codes are drawn."""
        return SamplingConfig(temperature=self.temperature, top_k=self.top_k, top_p=self.top_p)

    def fine_sampling(self) -> SamplingConfig:
        """Return how codes of the finer levels are drawn."""
        return SamplingConfig(temperature=self.fine_temperature, top_k=self.top_k, top_p=self.top_p)


DEFAULTS = MogoOptions()


@dataclass
class MogoState:
    """What B streams remember.

    Attributes:
        base: keys and values of the base level, for 2 B items, with the text and without; its context is the words.
        fine: those of the finer levels, all their layers in one state: they take every step together.
        sentence: (2 B, D) the prompts' vectors.
        past: (B, spare + 1, Q) the last tokens, the newest last.
    """

    base: TransformerState
    fine: TransformerState
    sentence: Tensor
    past: Tensor

    @property
    def lengths(self) -> Tensor:
        """Tokens seen (B,)."""
        return self.base.lengths[: len(self.past)]

    @property
    def tensors(self) -> list[Tensor]:
        """Everything that a step changes or reads."""
        return [*self.base.tensors, *self.fine.tensors, self.sentence, self.past]

    def over(self, tensors: Sequence[Tensor]) -> "MogoState":
        """Return this state with other tensors, in the order of `tensors`."""
        base, both = len(self.base.tensors), len(self.base.tensors) + len(self.fine.tensors)
        fine = self.fine.over(tensors[base:both])
        return MogoState(self.base.over(tensors[:base]), fine, *tensors[both:])

    def reset(self, items: Tensor) -> None:
        """Put items (B,) bool back to rest; their text stays."""
        self.base.reset(items.repeat(2))
        self.fine.reset(items)

    def rewind(self, counts: Tensor) -> None:
        """Take back the last counts (B,) tokens of each item, at most the spare ones."""
        self.base.rewind(counts.repeat(2))
        self.fine.rewind(counts)
        index = (torch.arange(self.past.shape[1], device=counts.device) - counts[:, None]).clamp_min(0)
        self.past.copy_(self.past.gather(1, index[..., None].expand_as(self.past)))


@dataclass(frozen=True)
class Request:
    """What B streams want of their next token.

    Attributes:
        age: (B,) tokens since the prompt began, itself included; 0 for no saying.
        remaining: (B,) tokens to the motion's end, itself included; 0 for no saying.
        guidance_scale: (B,) float.
        seed: (B,) int64.
        active: (B,) bool, false for items that take no step.
    """

    age: Tensor
    remaining: Tensor
    guidance_scale: Tensor
    seed: Tensor
    active: Tensor


def guided(logits: Tensor, scale: Tensor, plausible: float) -> tuple[Tensor, Tensor]:
    """Return guided logits of the codes (B, K) and of END (B, 1), of logits (2 B, K + 1) with the text and without."""
    codes = guide(logits[:, :-1], scale[:, None], plausible)
    told = logits[: len(scale)]
    floor = told[:, :-1].amax(dim=-1, keepdim=True) + math.log(plausible or 1e-12)
    end = guide(logits[:, -1:], scale[:, None]).masked_fill(told[:, -1:] < floor, -torch.inf)
    return codes, end


def end_share(codes: Tensor, end: Tensor, sampling: SamplingConfig) -> Tensor:
    """Return the probability (B,) of END (B, 1) beside codes (B, K); 0 or 1 where the likeliest is taken."""
    codes = filter_logits(codes, sampling)
    end = end / (sampling.temperature or 1.0)
    if sampling.temperature == 0:
        return (end[:, 0] > codes.amax(dim=-1)).float()
    return torch.sigmoid(end[:, 0] - codes.logsumexp(dim=-1))
