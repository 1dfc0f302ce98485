"""The last tokens of a stream: their codes, and where each began, so that they can be taken back or rewritten."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.features import RootState

MAX_TOKENS = 64
"""Tokens whose codes are kept: the context of a refinement."""


@dataclass(frozen=True)
class TokenStart:
    """State before a token's frames.

    Attributes:
        root: root state before the first frame.
        turned: radians by which steering turned the frames.
    """

    root: RootState
    turned: float


class TokenHistory:
    """Bounded history of one stream's tokens.

    Attributes:
        unrefined: tokens since the last that were rewritten.
    """

    def __init__(self, rewind_limit: int) -> None:
        """Make an empty history.

        Args:
            rewind_limit: tokens that can be taken back.
        """
        self.unrefined = 0
        self._starts: deque[TokenStart] = deque(maxlen=rewind_limit)
        self._codes: deque[Tensor] = deque(maxlen=MAX_TOKENS)

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def codes(self) -> Tensor:
        """Codes (N, Q) of the last tokens; there must be one."""
        return torch.stack(list(self._codes))

    def add_codes(self, codes: Tensor, *, is_refined: bool = False) -> None:
        """Record a token's codes.

        Args:
            codes: (Q,).
            is_refined: whether the token was rewritten.
        """
        self._codes.append(codes)
        self.unrefined += not is_refined

    def add_start(self, start: TokenStart) -> None:
        """Record where a token began.

        Args:
            start: state before its frames.
        """
        self._starts.append(start)

    def replace(self, codes: Sequence[Tensor] | Tensor) -> None:
        """Forget all codes, and begin with others.

        Args:
            codes: (Q,) of each token.
        """
        self._codes = deque(codes, maxlen=MAX_TOKENS)
        self.unrefined = 0

    def take_back(self, tokens: int) -> list[TokenStart]:
        """Remove the last tokens; return where each began, the newest first.

        Args:
            tokens: count of tokens.
        """
        starts = [self._starts.pop() for _ in range(min(tokens, len(self._starts)))]
        for _ in range(min(tokens, len(self._codes))):
            self._codes.pop()
        self.unrefined = max(0, self.unrefined - tokens)
        return starts
