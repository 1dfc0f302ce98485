"""Mogo as a stream: the state of B streams, what is asked of their next token, and guided logits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.modules.kv_cache import TransformerState
from motiongen.modules.sampling import filter_logits, guide
from motiongen.modules.sampling_config import SamplingConfig


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
