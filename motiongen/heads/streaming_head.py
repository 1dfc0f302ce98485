"""What a head that streams gives: a state of B streams, and a step that writes the next token of each."""

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
        age: (B,) int64, tokens since the prompt began, the next one included; 0 where it is not given.
        remaining: (B,) int64, tokens to the motion's end, the next one included; 0 where it is not given.
        guidance_scale: (B,) float32.
        seed: (B,) int64.
        active: (B,) bool, false for streams that take no step.
    """

    age: Tensor
    remaining: Tensor
    guidance_scale: Tensor
    seed: Tensor
    active: Tensor


class StreamState(Protocol):
    """The state of B streams, all of it in tensors of fixed shapes, so that a step can be compiled."""

    @property
    def tensors(self) -> list[Tensor]:
        """Everything that a step reads or changes."""
        ...

    def over(self, tensors: Sequence[Tensor]) -> Self:
        """Return this state with other tensors, in the order of `tensors`."""
        ...

    def reset(self, items: Tensor) -> None:
        """Put streams (B,) bool back to rest; their text stays."""
        ...

    def rewind(self, counts: Tensor) -> None:
        """Take back the last counts (B,) tokens of each stream, at most the spare ones."""
        ...


class StreamingHead(Protocol):
    """A head's model that writes token by token; `HeadSpec.streams` says that a head has all of this."""

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        ...

    def init_state(self, batch_size: int, spare: int = 0) -> Any:
        """Return the `StreamState` of B streams at rest, without a prompt; `spare` tokens can be taken back."""
        ...

    def set_text(self, state: Any, items: Sequence[int], condition: TextCondition | None) -> None:
        """Give streams new prompts, from their next token on; None for no prompt. Updates state in place."""
        ...

    def step(self, state: Any, request: TokenRequest, options: Any = ...) -> tuple[Tensor, Tensor]:
        """Return codes (B, Q) of the next token, and whether each motion has ended before it (B,) bool.

        A stream's token depends on its own past, prompt, seed and request alone, never on its neighbours. What is drawn
        where a motion has ended is a token as if it went on. Updates state in place; inactive streams keep theirs.
        """
        ...

    def push(self, codes: Tensor, state: Any, skip: Tensor | None = None, age: Tensor | None = None) -> None:
        """Give streams tokens that they did not write; updates state in place.

        Args:
            codes: (B, n, Q).
            state: from `init_state`.
            skip: (B, n) bool, true where a stream has no token.
            age: (B, n) tokens since each stream's prompt began, each included; zeros when left out.
        """
        ...
