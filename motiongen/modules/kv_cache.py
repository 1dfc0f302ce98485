"""Key/value cache: for each item a ring buffer of past tokens, behind the keys and values of its context.

Shapes do not depend on how full the cache is: every step costs the same and can be captured as a CUDA graph.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Context:
    """Projected context tokens, which a sequence attends to.

    Attributes:
        memory: keys and values (2, B, H, L, Dh) of each layer.
        padding: (B, L) bool, true = padding; or (B, N, L) if each of N positions has a mask of its own.
    """

    memory: tuple[Tensor, ...]
    padding: Tensor


@dataclass(frozen=True)
class Push:
    """Cache slots, attention mask and positions of the next n tokens of each item.

    Attributes:
        rows: (2 B H n,) rows of a layer's memory viewed as (-1, Dh), to write to.
        size: leading slots of the memory that are attended to.
        mask: (B, 1, n, size), added to the scores.
        positions: (B, n) positions of the new tokens.
    """

    rows: Tensor
    size: int
    mask: Tensor
    positions: Tensor


@dataclass
class TransformerState:
    """KV cache of B items: L slots for the context, S for past tokens, and one that padding is written to.

    Attributes:
        memory: keys, already rotated, and values (2, B, H, L + S + 1, Dh) of each layer.
        padding: (B, L) bool, true = the context slot is empty.
        positions: (B, S + 1) position of the token in each slot, -1 for an empty slot.
        lengths: (B,) tokens seen so far.
        filled: slots in use, an upper bound over all items; on the host, so that no device sync is needed.
    """

    memory: list[Tensor]
    padding: Tensor
    positions: Tensor
    lengths: Tensor
    filled: int = 0

    @classmethod
    def rest(
        cls, like: Tensor, layers: int, batch_size: int, heads: int, head_dim: int, context: int, slots: int
    ) -> "TransformerState":
        """Return an empty cache.

        Args:
            like: tensor whose device and dtype are used.
            layers: number of layers.
            batch_size: B.
            heads: attention heads H.
            head_dim: channels of a head Dh.
            context: slots L for context tokens.
            slots: slots S for past tokens.
        """
        shape = (2, batch_size, heads, context + slots + 1, head_dim)
        return cls(
            memory=[like.new_zeros(shape) for _ in range(layers)],
            padding=torch.ones(batch_size, context, dtype=torch.bool, device=like.device),
            positions=torch.full((batch_size, slots + 1), -1, device=like.device),
            lengths=torch.zeros(batch_size, dtype=torch.long, device=like.device),
        )

    @property
    def slots(self) -> int:
        """Past tokens S that fit."""
        return self.positions.shape[1] - 1

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors that a step reads or writes."""
        return [*self.memory, self.padding, self.positions, self.lengths]

    def over(self, tensors: Sequence[Tensor]) -> "TransformerState":
        """Return this state with its tensors replaced by others, in the order of `tensors`."""
        *memory, padding, positions, lengths = tensors
        return TransformerState(memory, padding, positions, lengths, self.filled)

    def set_context(self, context: Context, items: Tensor | None = None) -> None:
        """Replace the context of some items, from their next token on.

        Args:
            context: keys and values of at most L tokens for each of the items.
            items: indices; None for all.
        """
        length = context.padding.shape[1]
        every = slice(None) if items is None else items
        for cache, new in zip(self.memory, context.memory, strict=True):
            cache[:, every, :, :length] = new.to(cache.dtype)
        self.padding[every] = True
        self.padding[every, :length] = context.padding

    def reset(self, items: Tensor) -> None:
        """Clear the past tokens of some items (bool mask or indices); their contexts stay."""
        self.positions[items] = -1
        self.lengths[items] = 0

    def rewind(self, counts: Tensor) -> None:
        """Remove the last counts (B,) tokens of each item, at most as many as the cache has spare slots."""
        self.lengths.sub_(counts).clamp_(min=0)
        self.positions.masked_fill_(self.positions >= self.lengths[:, None], -1)

    def push(self, tokens: int, padding: Tensor | None, window: int | None) -> Push:
        """Reserve slots for the next tokens and return them.

        Args:
            tokens: n new tokens of each item.
            padding: (B, n) bool, true = padding, which is not cached; None for none.
            window: tokens that a position attends to, itself included; None for all.
        """
        batch, slots, context = len(self.lengths), self.slots, self.padding.shape[1]
        device = self.lengths.device
        positions = self.lengths[:, None] + torch.arange(tokens, device=device)  # (B, n)
        slot = positions % slots
        self.lengths.add_(tokens)
        if padding is not None:
            slot = slot.masked_fill(padding, slots)
            self.lengths.sub_(padding.sum(dim=1))
        self.positions.scatter_(1, slot, positions)
        self.filled = min(self.filled + tokens, slots)
        cached, query = self.positions[:, None, : self.filled], positions[..., None]
        visible = (cached >= 0) & (cached <= query)  # (B, n, filled)
        if window is not None:
            visible = visible & (cached > query - window)
        visible_context = (~self.padding)[:, None].expand(-1, tokens, -1)
        return Push(
            rows=self._rows(batch, context, slot),
            size=context + self.filled,
            mask=additive_mask(torch.cat([visible_context, visible], dim=2), self.memory[0].dtype),
            positions=positions,
        )

    def _rows(self, batch: int, context: int, slot: Tensor) -> Tensor:
        heads, size = self.memory[0].shape[2:4]
        first = torch.arange(2 * batch * heads, device=slot.device).view(2, batch, heads, 1) * size
        return (first + (slot + context)[None, :, None]).flatten()


def store(memory: Tensor, new: Tensor, push: Push) -> Tensor:
    """Write new keys and values into a layer's cache and return the part that is attended to (2, B, H, S', Dh).

    Args:
        memory: (2, B, H, L + S + 1, Dh) the layer's cache; written in place.
        new: (2, B, H, n, Dh) keys and values of the new tokens.
        push: their slots, from `TransformerState.push`.
    """
    flat = new.reshape(-1, new.shape[-1]).to(memory.dtype)
    memory.view(-1, memory.shape[-1]).index_copy_(0, push.rows, flat)
    return memory[:, :, :, : push.size]


def additive_mask(visible: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the additive attention mask (B, 1, N, S) of visibility (B, N, S).

    Masked scores get a finite value: a padded query that sees nothing then averages everything, where minus infinity
    would give NaN.
    """
    return torch.zeros(visible.shape, dtype=dtype, device=visible.device).masked_fill_(~visible, -1e4)[
        :, None
    ]


def chunk_lengths(tokens: int, slots: int, filled: int, window: int | None) -> Sequence[int]:
    """Return lengths of the chunks to push n new tokens in, so that no token overwrites one still in a window.

    Args:
        tokens: n.
        slots: slots of the ring buffer.
        filled: slots in use.
        window: tokens that a position attends to, itself included; None for all.
    """
    longest = tokens if filled + tokens <= slots else max(1, slots - (window or slots) + 1)
    return [min(longest, tokens - start) for start in range(0, tokens, longest)]
