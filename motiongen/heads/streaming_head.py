"""Protocol of streaming heads: a state of B streams, and a step that samples the next token of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from motiongen.conditions.text import TextCondition


@dataclass(frozen=True)
class TokenRequest:
    """Control inputs of the next token of B streams.

    Attributes:
        age: (B,) int64, tokens since the prompt began, counting the next one; 0 if not given.
        remaining: (B,) int64, tokens to the end of the motion, counting the next one; 0 if not given.
        guidance_scale: (B,) float32.
        seed: (B,) int64, of the noise.
        active: (B,) bool, false for streams that take no step.
    """

    age: Tensor
    remaining: Tensor
    guidance_scale: Tensor
    seed: Tensor
    active: Tensor


class StreamState(Protocol):
    """Protocol of the state of B streams, in tensors of fixed shapes, so that a step can be compiled."""

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors that a step reads or writes."""
        ...

    def over(self, tensors: Sequence[Tensor]) -> Self:
        """Return this state with its tensors replaced by others, in the order of `tensors`."""
        ...

    def reset(self, items: Tensor) -> None:
        """Reset the streams where a mask (B,) is true to the initial state; their prompts stay."""
        ...

    def rewind(self, counts: Tensor) -> None:
        """Undo the last counts (B,) tokens of each stream, at most `spare`."""
        ...


class StreamingHead(Protocol):
    """Protocol of a model that samples token by token, required of heads with `HeadSpec.streams`."""

    @property
    def device(self) -> torch.device:
        """Device of the model."""
        ...

    def init_state(self, batch_size: int, spare: int = 0) -> Any:
        """Return the initial `StreamState` of B streams without a prompt; `spare` tokens can be undone."""
        ...

    def set_text(self, state: Any, items: Sequence[int], condition: TextCondition | None) -> None:
        """Set the prompts of some streams, from their next token on; None for no prompt. Updates the state in place."""
        ...

    def step(self, state: Any, request: TokenRequest, options: Any = ...) -> tuple[Tensor, Tensor]:
        """Return the codes (B, Q) of the next token, and bools (B,): whether the motion ended before it.

        The token of a stream depends only on its own past, prompt, seed and request. Where the motion has ended, the
        token is sampled as if it continued. Updates the state in place, except for inactive streams.
        """
        ...

    def push(self, codes: Tensor, state: Any, skip: Tensor | None = None, age: Tensor | None = None) -> None:
        """Append given tokens to the streams; updates the state in place.

        Args:
            codes: (B, n, Q).
            state: from `init_state`.
            skip: (B, n) bool, true = padding.
            age: (B, n) tokens since the prompt of each stream began, counting the token itself; None for zeros.
        """
        ...
