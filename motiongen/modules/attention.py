"""Transformer with rotary positions, a context that every layer sees, and a key/value cache.

The context (text, music, an observation) enters each layer as keys and values of its own projection, standing before
the sequence's: the sequence attends to both in one softmax, and no feed-forward work is spent on the context.
The same weights run whole sequences (`forward`, causal or not, chosen per item) and token by token (`step`).
"""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.modules.kv_cache import Context, Push, TransformerState, additive, lengths_within, store
from motiongen.modules.transformer_config import TransformerConfig


def rotary_angles(positions: Tensor, head_dim: int, base: float = 1000.0) -> tuple[Tensor, Tensor]:
    """Return cosine and sine (..., N, head_dim / 4) for positions (..., N).

    RoFormer (Su et al. 2021), on the first half of a head's channels only: the second half compares contents
    regardless of distance, which is what looking at a context needs.
    """
    count = head_dim // 4
    steps = torch.arange(count, device=positions.device, dtype=torch.float32) / count
    angles = positions[..., None].float() * base**-steps  # fp32: positions grow without end in a stream
    return angles.cos(), angles.sin()


def apply_rotary(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate the first half of the channels of x (..., N, Dh) by angles that broadcast to (..., N, Dh / 4)."""
    count = cos.shape[-1]
    first, second, rest = x.split([count, count, x.shape[-1] - 2 * count], dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos, rest], dim=-1)


def attend(query: Tensor, memories: Sequence[Tensor], mask: Tensor | None = None) -> Tensor:
    """Return attention (B, H, N, Dh) of a query (B, H, N, Dh) in one softmax over all memories.

    Args:
        query: (B, H, N, Dh).
        memories: keys and values (2, B, H, S_i, Dh) each; they are not joined on a CPU, where copies cost most.
        mask: (B, 1, N, sum of S_i), added to the scores; None where everything is seen.
    """
    if query.is_cuda:
        key, value = torch.cat(list(memories), dim=3) if len(memories) > 1 else memories[0]
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    # The fused CPU kernel takes 1.8 times as long to train with at these lengths (64 x 50 tokens, bf16, Zen 4).
    query = query * query.shape[-1] ** -0.5
    scores = torch.cat([query @ memory[0].transpose(-1, -2) for memory in memories], dim=-1)  # (B, H, N, S)
    scores = scores if mask is None else scores + mask
    weights = scores.softmax(dim=-1).to(memories[0].dtype)
    parts = weights.split([memory.shape[3] for memory in memories], dim=-1)
    attended = parts[0] @ memories[0][1]
    for part, memory in zip(parts[1:], memories[1:], strict=True):
        attended = attended + part @ memory[1]
    return attended


class Block(nn.Module):
    """Pre-norm attention and feed-forward."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.dropout = config.dropout
        self.attention_norm = nn.LayerNorm(config.dim)
        self.query_key_value = nn.Linear(config.dim, 3 * config.dim)
        self.context_key_value = nn.Linear(config.context_dim, 2 * config.dim) if config.context_dim else None
        self.attention_out = nn.Linear(config.dim, config.dim)
        self.feedforward_norm = nn.LayerNorm(config.dim)
        self.feedforward_in = nn.Linear(config.dim, config.feedforward_dim)
        self.feedforward_out = nn.Linear(config.feedforward_dim, config.dim)

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
        """Return rotated queries (B, H, N, Dh), and rotated keys with values (2, B, H, N, Dh), of x (B, N, D)."""
        batch, tokens, _ = x.shape
        packed = self.query_key_value(self.attention_norm(x)).view(batch, tokens, 3, self.num_heads, -1)
        packed = packed.permute(2, 0, 3, 1, 4)  # (3, B, H, N, Dh)
        rotated = apply_rotary(packed[:2], cos.to(packed.dtype), sin.to(packed.dtype))
        return rotated[0], torch.stack([rotated[1], packed[2]])

    def project_context(self, context: Tensor) -> Tensor:
        """Return keys and values (2, B, H, L, Dh) of context tokens (B, L, C)."""
        assert self.context_key_value is not None, "context_dim is 0"
        batch, tokens, _ = context.shape
        packed: Tensor = self.context_key_value(context).view(batch, tokens, 2, self.num_heads, -1)
        return packed.permute(2, 0, 3, 1, 4)

    def mix(self, x: Tensor, query: Tensor, memories: Sequence[Tensor], mask: Tensor) -> Tensor:
        """Return x after attention over memories (2, B, H, S, Dh) under mask (B, 1, N, S), and feed-forward."""
        attended = attend(query, memories, mask)  # (B, H, N, Dh)
        attended = self.attention_out(attended.transpose(1, 2).flatten(2))  # (B, N, D)
        x = x + F.dropout(attended, self.dropout, self.training)
        hidden = F.gelu(self.feedforward_in(self.feedforward_norm(x)))
        return x + F.dropout(self.feedforward_out(hidden), self.dropout, self.training)


class Transformer(nn.Module):
    """Blocks that run a whole sequence at once or token by token with the same result."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.norm = nn.LayerNorm(config.dim)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:  # GPT-2's scheme: branches start small, the more the deeper
                deep = name.endswith(("attention_out.weight", "feedforward_out.weight"))
                nn.init.normal_(parameter, std=0.02 / (2 * config.num_layers) ** 0.5 if deep else 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def make_context(self, tokens: Tensor, padding: Tensor) -> Context:
        """Return the keys and values of context tokens (B, L, C) with padding (B, L) (true = padding)."""
        return Context(tuple(block.project_context(tokens) for block in self._layers()), padding)

    def forward(
        self,
        x: Tensor,
        context: Context | None = None,
        padding: Tensor | None = None,
        causal: Tensor | bool = True,
    ) -> Tensor:
        """Return features (B, N, D) of the whole sequence x (B, N, D).

        Args:
            x: (B, N, D) embedded tokens.
            context: what the sequence may look at.
            padding: (B, N) bool, true = padding, which nothing looks at.
            causal: one bool, or (B,) bools: whether a position sees only itself and its past.
        """
        batch, tokens, _ = x.shape
        x = x.to(
            _compute_dtype(x)
        )  # under autocast the whole stream is narrow: a tenth of the time goes in casts
        positions = torch.arange(tokens, device=x.device)
        visible = self._in_window(positions[:, None], positions[None, :])[None]  # (1, N, N)
        if not isinstance(causal, bool):
            visible = visible | ~causal[:, None, None]
        elif not causal:
            visible = torch.ones_like(visible)
        if padding is not None:
            visible = visible & ~padding[:, None, :]
        mask = self._mask(visible.expand(batch, -1, -1), context, x)
        cos, sin = rotary_angles(positions, self.config.head_dim)  # (N, Dh / 4)
        for layer, block in enumerate(self._layers()):
            query, memory = block.project(x, cos, sin)
            x = block.mix(x, query, _memories(context, layer, memory), mask)
        return cast(Tensor, self.norm(x))

    def init_state(
        self,
        batch_size: int,
        capacity: int,
        context: Context | None = None,
        *,
        context_tokens: int = 0,
        spare: int = 0,
    ) -> TransformerState:
        """Return the state at rest: room for `capacity` tokens, or for the window where that is smaller.

        Args:
            batch_size: B.
            capacity: tokens that a model without a window can take.
            context: what the sequence may look at.
            context_tokens: room for a context that is set later.
            spare: tokens beyond the window that are kept, so that as many can be taken back (`rewind`).
        """
        config = self.config
        slots = capacity if config.window is None else min(capacity, config.window + spare)
        room = context_tokens if context is None else max(context_tokens, context.padding.shape[1])
        state = TransformerState.rest(
            self.norm.weight, config.num_layers, batch_size, config.num_heads, config.head_dim, room, slots
        )
        if context is not None:
            state.set_context(context)
        return state

    def step(self, x: Tensor, state: TransformerState, padding: Tensor | None = None) -> Tensor:
        """Push tokens x (B, n, D), return their features (B, n, D); updates state in place.

        Args:
            x: (B, n, D) the next tokens, at any n.
            state: from `init_state`.
            padding: (B, n) bool, true at the end of items that have fewer new tokens; they leave no trace.

        Raises:
            ValueError: the state is full and the model has no window to let the past go.
        """
        window, tokens = self.config.window, x.shape[1]
        if window is None and state.filled + tokens > state.slots:
            room = state.slots - state.filled
            raise ValueError(
                f"x: expected at most {room} more tokens, got {tokens}; raise the state's capacity"
            )
        lengths = lengths_within(tokens, state.slots, state.filled, window)
        made, start = [], 0
        for length in lengths:
            part = slice(start, start := start + length)
            push = state.push(length, None if padding is None else padding[:, part], window)
            made.append(self.step_into(x[:, part], state.memory, push))
        return made[0] if len(made) == 1 else torch.cat(made, dim=1)

    def step_into(self, x: Tensor, memory: Sequence[Tensor], push: Push) -> Tensor:
        """Return features (B, n, D) of tokens x (B, n, D) that go where `push` says, in memory a layer each.

        Transformers of equal sizes that take a step together can share one `push`.
        """
        cos, sin = (
            part[:, None] for part in rotary_angles(push.positions, self.config.head_dim)
        )  # (B, 1, n, Dh / 4)
        for block, kept in zip(self._layers(), memory, strict=True):
            query, fresh = block.project(x, cos, sin)
            x = block.mix(x, query, [store(kept, fresh, push).to(fresh.dtype)], push.mask.to(fresh.dtype))
        return cast(Tensor, self.norm(x))

    def _layers(self) -> list[Block]:
        return cast(list[Block], list(self.blocks))

    def _in_window(self, query: Tensor, key: Tensor) -> Tensor:
        """Whether a query position sees a key position, causally."""
        visible = key <= query
        return visible if self.config.window is None else visible & (key > query - self.config.window)

    def _mask(self, visible: Tensor, context: Context | None, like: Tensor) -> Tensor:
        """Turn visibility (B, N, S) into an additive mask (B, 1, N, L + S) that also covers the context."""
        if context is not None:
            padding = context.padding if context.padding.dim() == 3 else context.padding[:, None, :]
            visible = torch.cat([~padding.expand(-1, visible.shape[1], -1), visible], dim=2)
        return additive(visible, _compute_dtype(like))


def _compute_dtype(x: Tensor) -> torch.dtype:
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def _memories(context: Context | None, layer: int, memory: Tensor) -> list[Tensor]:
    """Return what a layer looks at: the context's keys and values, where there are, and the sequence's."""
    return [memory] if context is None else [context.memory[layer].to(memory.dtype), memory]
