"""Streaming tokenizer decoder with rewind and per-item activity."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from motiongen.tokenizers.rvq_vae import RVQVAE


class RewindableDecoder:
    """Decodes codes of B streams to features, token by token.

    The decoder states after the last `spare` + 1 tokens are stored, so that up to `spare` tokens can be undone.

    Args:
        tokenizer: a causal tokenizer.
        batch_size: B.
        spare: tokens that can be undone.

    Raises:
        ValueError: the tokenizer is not causal.
    """

    def __init__(self, tokenizer: RVQVAE, batch_size: int, spare: int) -> None:
        self.tokenizer = tokenizer
        self.state = tokenizer.init_state(batch_size)
        parts = self.state.parts
        sizes = [part.past[0].numel() for part in parts]
        self._current = torch.cat([part.past.flatten(1) for part in parts], dim=1)  # (B, all)
        for part, flat in zip(parts, self._current.split(sizes, dim=1), strict=True):
            part.past = flat.view_as(part.past)  # the convolutions write into one tensor
        # The state after token n is at n modulo spare + 1.
        self._history = self._current.new_zeros(batch_size, spare + 1, sum(sizes))
        self._items = torch.arange(batch_size, device=self._current.device)
        self.lengths = torch.zeros_like(self._items)

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors that a step reads or writes."""
        return [
            *(part.past for part in self.state.parts),
            self._current,
            self._history,
            self._items,
            self.lengths,
        ]

    def over(self, tensors: Sequence[Tensor]) -> "RewindableDecoder":
        """Return this decoder with its tensors replaced by others, in the order of `tensors`."""
        other = copy.copy(self)
        other.state = copy.deepcopy(self.state)
        *pasts, other._current, other._history, other._items, other.lengths = tensors
        for part, past in zip(other.state.parts, pasts, strict=True):
            part.past = past
        return other

    def step(self, codes: Tensor, active: Tensor) -> Tensor:
        """Return features (B, frames_per_token, D) of the next token of each stream.

        Args:
            codes: (B, Q).
            active: (B,) bool; false for streams that take no step, whose features are to be ignored.
        """
        frames = self.tokenizer.step(codes[:, None], self.state)
        self.lengths.add_(active)
        slot = self.lengths % self._history.shape[1]
        # Inactive items get their old state back: it is still in the history.
        self._current.copy_(torch.where(active[:, None], self._current, self._history[self._items, slot]))
        self._history[self._items, slot] = self._current
        return frames

    def rewind(self, counts: Tensor) -> None:
        """Undo the last counts (B,) tokens of each item, at most `spare`."""
        self.lengths.sub_(counts).clamp_(min=0)
        self._restore()

    def follow(self, item: int) -> None:
        """Put all items where one of them is, so that the same tokens can be undone."""
        for tensor in (self._current, self._history, self.lengths):
            tensor.copy_(tensor[item].clone().expand_as(tensor))

    def reset(self, items: Tensor) -> None:
        """Reset the items where a mask (B,) is true to the initial state."""
        self.lengths.masked_fill_(items, 0)
        self._history.masked_fill_(items[:, None, None], 0.0)
        self._restore()

    def _restore(self) -> None:
        self._current.copy_(self._history[self._items, self.lengths % self._history.shape[1]])
