"""Transformer with rotary positions, context attention in every layer, and a key/value cache.

Each layer projects the context (text, music, an observation) to keys and values of its own and puts them before those
of the sequence. The sequence attends to both in one softmax; the context passes through no feed-forward layer. The same
weights run whole sequences (`forward`, causal or not, chosen per item) and token by token (`step`).
"""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.modules.kv_cache import Context, Push, TransformerState, additive_mask, chunk_lengths, store
from motiongen.modules.transformer_config import TransformerConfig


def rotary_angles(positions: Tensor, head_dim: int, base: float = 1000.0) -> tuple[Tensor, Tensor]:
    """Return cosine and sine (..., N, head_dim / 4) of the rotary angles of positions (..., N).

    RoFormer (Su et al. 2021), on the first half of a head's channels only: the second half is independent of position,
    as attention to a context has to be.
    """
    count = head_dim // 4
    steps = torch.arange(count, device=positions.device, dtype=torch.float32) / count
    angles = positions[..., None].float() * base**-steps  # fp32: stream positions are unbounded
    return angles.cos(), angles.sin()


def apply_rotary(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate the first half of the channels of x (..., N, Dh) by angles that broadcast to (..., N, Dh / 4)."""
    count = cos.shape[-1]
    first, second, rest = x.split([count, count, x.shape[-1] - 2 * count], dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos, rest], dim=-1)


def attend(query: Tensor, memories: Sequence[Tensor], mask: Tensor | None = None) -> Tensor:
    """Return scaled dot-product attention (B, H, N, Dh), in one softmax over several key/value tensors.

    Args:
        query: (B, H, N, Dh).
        memories: keys and values, (2, B, H, S_i, Dh) each; on a CPU they are not concatenated, to save the copy.
        mask: (B, 1, N, sum of S_i), added to the scores; None for no mask.
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
    """Pre-norm transformer block: self-attention with context, then a feed-forward layer."""

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
        """Return x (B, N, D) after attention and the feed-forward layer.

        Args:
            x: (B, N, D) input of the block, for the residual connection.
            query: (B, H, N, Dh) from `project`.
            memories: keys and values, (2, B, H, S_i, Dh) each.
            mask: (B, 1, N, sum of S_i), added to the scores.
        """
        attended = attend(query, memories, mask)  # (B, H, N, Dh)
        attended = self.attention_out(attended.transpose(1, 2).flatten(2))  # (B, N, D)
        x = x + F.dropout(attended, self.dropout, self.training)
        hidden = F.gelu(self.feedforward_in(self.feedforward_norm(x)))
        return x + F.dropout(self.feedforward_out(hidden), self.dropout, self.training)


class Transformer(nn.Module):
    """Transformer with a KV cache: `forward` runs a whole sequence, `step` continues one, with equal results."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.norm = nn.LayerNorm(config.dim)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:  # GPT-2's scheme: residual branches start smaller in deeper networks
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
            context: keys and values that every position attends to; None for none.
            padding: (B, N) bool, true = padding, which is masked for all positions.
            causal: whether a position attends only to itself and the past: one bool, or (B,) bools.
        """
        batch, tokens, _ = x.shape
        x = x.to(
            _compute_dtype(x)
        )  # under autocast the residual stream is bfloat16 too: casts would take a tenth of the time
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
        """Return an empty KV cache for `capacity` tokens, or for the window if that is smaller.

        Args:
            batch_size: B.
            capacity: tokens that a model without a window can take.
            context: keys and values that every position attends to; None for none yet.
            context_tokens: slots reserved for a context that is set later.
            spare: tokens cached beyond the window, so that as many can be undone by `rewind`.
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
        """Return features (B, n, D) of the next tokens x (B, n, D); updates the state in place.

        Args:
            x: (B, n, D) the next tokens, any n.
            state: from `init_state`.
            padding: (B, n) bool, true = padding, at the end of items with fewer new tokens; it is not cached.

        Raises:
            ValueError: the cache is full and the model has no window.
        """
        window, tokens = self.config.window, x.shape[1]
        if window is None and state.filled + tokens > state.slots:
            room = state.slots - state.filled
            raise ValueError(
                f"x: expected at most {room} more tokens, got {tokens}; raise the state's capacity"
            )
        lengths = chunk_lengths(tokens, state.slots, state.filled, window)
        outputs, start = [], 0
        for length in lengths:
            part = slice(start, start := start + length)
            push = state.push(length, None if padding is None else padding[:, part], window)
            outputs.append(self.step_into(x[:, part], state.memory, push))
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1)

    def step_into(self, x: Tensor, memory: Sequence[Tensor], push: Push) -> Tensor:
        """Return features (B, n, D) of the next tokens, with cache slots that the caller has reserved.

        Transformers of equal sizes that step together can share one `push`.

        Args:
            x: (B, n, D) the next tokens.
            memory: cached keys and values of each layer; written in place.
            push: from `TransformerState.push`: slots, positions and mask of the new tokens.
        """
        cos, sin = (
            part[:, None] for part in rotary_angles(push.positions, self.config.head_dim)
        )  # (B, 1, n, Dh / 4)
        for block, cache in zip(self._layers(), memory, strict=True):
            query, new = block.project(x, cos, sin)
            x = block.mix(x, query, [store(cache, new, push).to(new.dtype)], push.mask.to(new.dtype))
        return cast(Tensor, self.norm(x))

    def _layers(self) -> list[Block]:
        return cast(list[Block], list(self.blocks))

    def _in_window(self, query: Tensor, key: Tensor) -> Tensor:
        """Return bools: whether a key position is within the causal window of a query position."""
        visible = key <= query
        return visible if self.config.window is None else visible & (key > query - self.config.window)

    def _mask(self, visible: Tensor, context: Context | None, like: Tensor) -> Tensor:
        """Return the additive mask (B, 1, N, L + S) of context and sequence, for visibility (B, N, S)."""
        if context is not None:
            padding = context.padding if context.padding.dim() == 3 else context.padding[:, None, :]
            visible = torch.cat([~padding.expand(-1, visible.shape[1], -1), visible], dim=2)
        return additive_mask(visible, _compute_dtype(like))


def _compute_dtype(x: Tensor) -> torch.dtype:
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def _memories(context: Context | None, layer: int, memory: Tensor) -> list[Tensor]:
    """Return the keys and values that a layer attends to: those of the context, if any, and of the sequence."""
    return [memory] if context is None else [context.memory[layer].to(memory.dtype), memory]
