"""A tokenizer's decoder as a stream that can take tokens back, and whose items need not all take each step."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from motiongen.tokenizers.rvq_vae import RVQVAE


class RewindableDecoder:
    """Codes of B streams to features, token by token.

    What the decoder remembers after each of the last tokens is kept, so that up to `spare` of them can be taken back.
    """

    def __init__(self, tokenizer: RVQVAE, batch_size: int, spare: int) -> None:
        """Take a causal tokenizer; raises ValueError when it is not."""
        self.tokenizer = tokenizer
        self.state = tokenizer.init_state(batch_size)
        parts = self.state.parts
        sizes = [part.past[0].numel() for part in parts]
        self._now = torch.cat([part.past.flatten(1) for part in parts], dim=1)  # (B, all)
        for part, flat in zip(parts, self._now.split(sizes, dim=1), strict=True):
            part.past = flat.view_as(part.past)  # the convolutions write into one tensor
        self._kept = self._now.new_zeros(
            batch_size, spare + 1, sum(sizes)
        )  # after token n at n modulo spare + 1
        self._items = torch.arange(batch_size, device=self._now.device)
        self.lengths = torch.zeros_like(self._items)

    @property
    def tensors(self) -> list[Tensor]:
        """Everything that a step changes or reads."""
        return [*(part.past for part in self.state.parts), self._now, self._kept, self._items, self.lengths]

    def over(self, tensors: Sequence[Tensor]) -> "RewindableDecoder":
        """Return this decoder with other tensors, in the order of `tensors`."""
        other = copy.copy(self)
        other.state = copy.deepcopy(self.state)
        *pasts, other._now, other._kept, other._items, other.lengths = tensors
        for part, past in zip(other.state.parts, pasts, strict=True):
            part.past = past
        return other

    def step(self, codes: Tensor, active: Tensor) -> Tensor:
        """Push codes (B, Q) of the items where active (B,) is true; return features (B, frames of a token, D)."""
        frames = self.tokenizer.step(codes[:, None], self.state)
        self.lengths.add_(active)
        place = self.lengths % self._kept.shape[1]
        # Items that take no step have their old state back: what was kept is theirs already.
        self._now.copy_(torch.where(active[:, None], self._now, self._kept[self._items, place]))
        self._kept[self._items, place] = self._now
        return frames

    def rewind(self, counts: Tensor) -> None:
        """Take back the last counts (B,) tokens of each item, at most the spare ones."""
        self.lengths.sub_(counts).clamp_(min=0)
        self._recall()

    def reset(self, items: Tensor) -> None:
        """Put the items (B,) bool back to rest."""
        self.lengths.masked_fill_(items, 0)
        self._kept.masked_fill_(items[:, None, None], 0.0)
        self._recall()

    def _recall(self) -> None:
        self._now.copy_(self._kept[self._items, self.lengths % self._kept.shape[1]])
