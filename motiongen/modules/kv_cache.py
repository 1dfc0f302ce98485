"""Keys and values of the tokens so far: a ring of slots for each item, behind the keys and values of its context.

Shapes do not depend on what is in a state, so that a step costs the same from the first token on and can be captured.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Context:
    """What a sequence may look at: keys and values (2, B, H, L, Dh) a layer, and what of it is padding.

    Attributes:
        memory: keys and values, a layer each.
        padding: (B, L) bool, true = padding; or (B, N, L) where each of N positions looks at a part of its own.
    """

    memory: tuple[Tensor, ...]
    padding: Tensor


@dataclass(frozen=True)
class Push:
    """Where the next n tokens of each item go, and what they see.

    Attributes:
        rows: (2 B H n,) rows of a layer's memory, seen as (-1, Dh).
        size: slots of the memory that may be looked at.
        mask: (B, 1, n, size), added to the scores.
        positions: (B, n) of the new tokens.
    """

    rows: Tensor
    size: int
    mask: Tensor
    positions: Tensor


@dataclass
class TransformerState:
    """What B items remember, in L slots for the context, S for the past, and one that takes what is to be forgotten.

    Attributes:
        memory: keys, already rotated, and values (2, B, H, L + S + 1, Dh), a layer each.
        padding: (B, L) bool, true where the context has nothing.
        positions: (B, S + 1) position of the token in each slot, -1 where the slot is empty.
        lengths: (B,) tokens seen.
        filled: slots that may hold something, the same for all items; known without asking the device.
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
        """Return the state at rest with room for `context` and `slots` tokens; device and type are those of `like`."""
        shape = (2, batch_size, heads, context + slots + 1, head_dim)
        return cls(
            memory=[like.new_zeros(shape) for _ in range(layers)],
            padding=torch.ones(batch_size, context, dtype=torch.bool, device=like.device),
            positions=torch.full((batch_size, slots + 1), -1, device=like.device),
            lengths=torch.zeros(batch_size, dtype=torch.long, device=like.device),
        )

    @property
    def slots(self) -> int:
        """Tokens of the past that fit."""
        return self.positions.shape[1] - 1

    @property
    def tensors(self) -> list[Tensor]:
        """Everything that a step changes or reads."""
        return [*self.memory, self.padding, self.positions, self.lengths]

    def over(self, tensors: Sequence[Tensor]) -> "TransformerState":
        """Return this state with other tensors, in the order of `tensors`."""
        *memory, padding, positions, lengths = tensors
        return TransformerState(memory, padding, positions, lengths, self.filled)

    def set_context(self, context: Context, items: Tensor | None = None) -> None:
        """Let the items (indices; all when None) look at a context of at most L tokens, from their next token on."""
        length = context.padding.shape[1]
        every = slice(None) if items is None else items
        for kept, new in zip(self.memory, context.memory, strict=True):
            kept[:, every, :, :length] = new.to(kept.dtype)
        self.padding[every] = True
        self.padding[every, :length] = context.padding

    def reset(self, items: Tensor) -> None:
        """Forget the past of the items (bool mask or indices) without touching the others; contexts stay."""
        self.positions[items] = -1
        self.lengths[items] = 0

    def rewind(self, counts: Tensor) -> None:
        """Forget the last counts (B,) tokens of each item: at most as many as the state has spare slots."""
        self.lengths.sub_(counts).clamp_(min=0)
        self.positions.masked_fill_(self.positions >= self.lengths[:, None], -1)

    def push(self, tokens: int, padding: Tensor | None, window: int | None) -> Push:
        """Make room for n tokens an item, of which padding (B, n) leaves no trace; return where they go."""
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
        known, now = self.positions[:, None, : self.filled], positions[..., None]
        visible = (known >= 0) & (known <= now)  # (B, n, filled)
        if window is not None:
            visible = visible & (known > now - window)
        words = (~self.padding)[:, None].expand(-1, tokens, -1)
        return Push(
            rows=self._rows(batch, context, slot),
            size=context + self.filled,
            mask=additive(torch.cat([words, visible], dim=2), self.memory[0].dtype),
            positions=positions,
        )

    def _rows(self, batch: int, context: int, slot: Tensor) -> Tensor:
        heads, size = self.memory[0].shape[2:4]
        first = torch.arange(2 * batch * heads, device=slot.device).view(2, batch, heads, 1) * size
        return (first + (slot + context)[None, :, None]).flatten()


def store(memory: Tensor, new: Tensor, push: Push) -> Tensor:
    """Write keys and values (2, B, H, n, Dh) into a layer's memory; return what may be looked at (2, B, H, S', Dh)."""
    flat = new.reshape(-1, new.shape[-1]).to(memory.dtype)
    memory.view(-1, memory.shape[-1]).index_copy_(0, push.rows, flat)
    return memory[:, :, :, : push.size]


def additive(visible: Tensor, dtype: torch.dtype) -> Tensor:
    """Turn visibility (B, N, S) into a mask (B, 1, N, S) that is added to scores.

    The floor is finite: a padded row that sees nothing averages everything instead of turning into NaN.
    """
    return torch.zeros(visible.shape, dtype=dtype, device=visible.device).masked_fill_(~visible, -1e4)[
        :, None
    ]


def lengths_within(tokens: int, slots: int, filled: int, window: int | None) -> Sequence[int]:
    """Return how to split n new tokens so that none of them pushes out what another still sees."""
    most = tokens if filled + tokens <= slots else max(1, slots - (window or slots) + 1)
    return [min(most, tokens - start) for start in range(0, tokens, most)]
