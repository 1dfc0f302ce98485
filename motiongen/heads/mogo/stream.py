"""Streaming of Mogo: state of B streams, inputs of a step, and guidance of its logits."""

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
    """State of B streams.

    Attributes:
        base: KV cache of the base level, for 2 B items, conditional, then unconditional; its context is the text.
        fine: KV cache of all layers of the finer levels, which step together.
        sentence: (2 B, D) projected sentence vectors of the prompts.
        past: (B, spare + HISTORY, Q) last tokens, newest last.
        clips: (B, R, M, Q) codes of the clips that are read off, -1 where there is none.
        clip_vectors: (B, R, M, C) their embeddings, summed over the levels.
        again: (B, R) places from which they are read again once they are over.
        spread: () mean squared distance of two tokens' embeddings.
    """

    base: TransformerState
    fine: TransformerState
    sentence: Tensor
    past: Tensor
    clips: Tensor
    clip_vectors: Tensor
    again: Tensor
    spread: Tensor

    @property
    def lengths(self) -> Tensor:
        """Tokens seen (B,)."""
        return self.base.lengths[: len(self.past)]

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors that a step reads or writes."""
        return [
            *self.base.tensors,
            *self.fine.tensors,
            self.sentence,
            self.past,
            self.clips,
            self.clip_vectors,
            self.again,
            self.spread,
        ]

    def over(self, tensors: Sequence[Tensor]) -> "MogoState":
        """Return this state with its tensors replaced by others, in the order of `tensors`."""
        base, both = len(self.base.tensors), len(self.base.tensors) + len(self.fine.tensors)
        fine = self.fine.over(tensors[base:both])
        return MogoState(self.base.over(tensors[:base]), fine, *tensors[both:])

    def reset(self, items: Tensor) -> None:
        """Reset the items where a mask (B,) is true to the initial state; their prompts stay."""
        self.base.reset(items.repeat(2))
        self.fine.reset(items)

    def rewind(self, counts: Tensor) -> None:
        """Undo the last counts (B,) tokens of each item, at most `spare`."""
        self.base.rewind(counts.repeat(2))
        self.fine.rewind(counts)
        index = (torch.arange(self.past.shape[1], device=counts.device) - counts[:, None]).clamp_min(0)
        self.past.copy_(self.past.gather(1, index[..., None].expand_as(self.past)))


def guided(logits: Tensor, guidance_scale: Tensor, plausible: float) -> tuple[Tensor, Tensor]:
    """Return guided logits of the codes (B, K) and of END (B, 1).

    Args:
        logits: (2 B, K + 1), conditional, then unconditional; the last is that of END.
        guidance_scale: (B,).
        plausible: see `motiongen.modules.sampling.guide`.
    """
    scale = guidance_scale[:, None]
    codes = guide(logits[:, :-1], scale, plausible)
    conditional = logits[: len(scale)]
    floor = conditional[:, :-1].amax(dim=-1, keepdim=True) + math.log(plausible or 1e-12)
    end = guide(logits[:, -1:], scale).masked_fill(conditional[:, -1:] < floor, -torch.inf)
    return codes, end


def end_share(codes: Tensor, end: Tensor, sampling: SamplingConfig) -> Tensor:
    """Return the probability (B,) of END; 0 or 1 at temperature 0.

    Args:
        codes: (B, K) logits of the codes.
        end: (B, 1) logits of END.
        sampling: sampling options.
    """
    codes = filter_logits(codes, sampling)
    end = end / (sampling.temperature or 1.0)
    if sampling.temperature == 0:
        return (end[:, 0] > codes.amax(dim=-1)).float()
    return torch.sigmoid(end[:, 0] - codes.logsumexp(dim=-1))
