"""The interface of heads that stream: what a StreamScheduler asks of a model's head, whatever it is called."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import torch
from torch import Tensor

from motiongen.conditions.text import TextCondition


@dataclass(frozen=True)
class StepRequest:
    """What B streams ask of their next token.

    Attributes:
        age: (B,) int64, tokens since the prompt began, this one included; 0 where that is unknown.
        remaining: (B,) int64, tokens to the motion's end, this one included; 0 where the head finds the end.
        guidance_scale: (B,) float32.
        seed: (B,) int64.
        active: (B,) bool, false for streams that take no step.
    """

    age: Tensor
    remaining: Tensor
    guidance_scale: Tensor
    seed: Tensor
    active: Tensor


class StreamingOptions(Protocol):
    """What a scheduler reads of a head's options."""

    @property
    def guidance_scale(self) -> float:
        """Guidance scale of streams that set none."""
        ...

    @property
    def min_tokens(self) -> int:
        """Tokens of the shortest motion."""
        ...


class StreamingState(Protocol):
    """State of B streams of a head, in tensors of fixed shapes."""

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors that a step reads or writes."""
        ...

    def over(self, tensors: Sequence[Tensor]) -> Self:
        """Return this state with other tensors, in the order of `tensors`."""
        ...

    def reset(self, items: Tensor) -> None:
        """Put streams back to rest, in place; their text stays. Items are (B,) bool."""
        ...

    def rewind(self, counts: Tensor) -> None:
        """Take back the last tokens of each stream, in place. Counts are (B,) int64."""
        ...


@runtime_checkable
class StreamingHead(Protocol):
    """A head that writes motion codes token by token, for B streams at once.

    A stream's token depends on its own past, text, seed and request alone: neighbours do not change it, and after a
    rewind the same request gives the same token.
    """

    options_class: type[Any]

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        ...

    def init_state(self, batch_size: int, spare: int = 0) -> Any:
        """Return a StreamingState of streams at rest.

        Args:
            batch_size: streams.
            spare: tokens that can be taken back.
        """
        ...

    def set_text(self, state: Any, items: Sequence[int], condition: TextCondition | None) -> None:
        """Set the text of some streams, from their next token on; None for no text."""
        ...

    def step(self, state: Any, request: Any, options: Any = ...) -> tuple[Tensor, Tensor]:
        """Write the next token of each active stream; updates the state in place.

        Args:
            state: a StreamingState.
            request: a StepRequest.
            options: of `options_class`.

        Returns:
            codes (B, Q), and whether each motion has ended before its token, (B,) bool.
        """
        ...

    def push(self, codes: Tensor, state: Any, skip: Tensor | None = None, age: Tensor | None = None) -> None:
        """Append tokens that the head did not write; updates the state in place.

        Args:
            codes: (B, n, Q).
            state: a StreamingState.
            skip: (B, n) bool, true where a stream has no token.
            age: (B, n) as in StepRequest; zeros when left out.
        """
        ...


@runtime_checkable
class RevisingHead(Protocol):
    """A head that rewrites a part of a token sequence under a prompt, seeing both sides of it."""

    options_class: type[Any]

    def edit(
        self,
        codes: Sequence[Tensor],
        keep: Sequence[Tensor],
        condition: TextCondition,
        *,
        generator: torch.Generator,
        options: Any = ...,
    ) -> list[Tensor]:
        """Return sequences of codes (N, Q) whose tokens are the same where `keep` (N,) is true."""
        ...


def head_name(head: object) -> str:
    """Return the name of a head, as clients are told it.

    Args:
        head: a model's head.
    """
    return str(getattr(head, "name", type(head).__name__.lower()))
