"""A batch of one character that a reward guides: its slots are candidates of what comes next, and the best goes on.

Blockwise best-of-N (Mudgal et al. 2024, "Controlled Decoding from Language Models", section 3.2) with a reward of the
user's own, as in GenARM (Xu et al. 2025), but of decoded poses: a token alone, an eighth of a second, shows too little
of where a motion goes, and a few of them show it before anybody has to see them.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motiongen.conditions.text import TextCondition
from motiongen.features import LAYOUT
from motiongen.heads.code_config import CodeOptions
from motiongen.heads.streaming_head import StreamingHead
from motiongen.reward import Guide
from motiongen.step_compiler import StepCompiler
from motiongen.streaming.stream_batch import StreamBatch
from motiongen.tokenizers.rvq_vae import RVQVAE

BLOCK = 4
"""Tokens that are drawn before one of the candidates is chosen: half a second."""

Choose = Callable[[Tensor], int]
"""Returns which of N candidates goes on, by features (N, T, D). The first frame is the last one before them, without
the step that led to it, if that is known."""


@dataclass(frozen=True)
class _Token:
    """A token that was chosen and not asked for yet."""

    codes: Tensor
    ended: bool
    features: Tensor
    remaining: int


class CandidateBatch(StreamBatch):
    """N slots of one character, which is in the first; to its session a `StreamBatch` like any other."""

    def __init__(
        self,
        head: StreamingHead,
        tokenizer: RVQVAE,
        rewind_limit: int,
        options: CodeOptions,
        compiler: StepCompiler,
        guide: Guide,
    ) -> None:
        """Make a batch at rest; `choose` is to be set before its first step.

        Args:
            head: writes the tokens.
            tokenizer: decodes them.
            rewind_limit: tokens that can be taken back.
            options: sampling options, of the head's own class.
            compiler: as in `StreamBatch`.
            guide: how many candidates, and their seeds.
        """
        super().__init__(head, tokenizer, guide.candidates, rewind_limit + BLOCK, options, compiler)
        self.rewind_limit = rewind_limit
        self.choose: Choose = lambda features: 0
        self._guide = guide
        self._ahead: deque[_Token] = deque()
        self._asked: tuple[int, float] | None = None  # seed and guidance scale of what is ahead
        self._age = 0  # of the last token
        self._before: Tensor | None = None  # (1, D) last frame

    @torch.inference_mode()
    def step(self, active: Sequence[int]) -> tuple[Tensor, np.ndarray, Tensor]:
        """Return the next token of the best candidate, as row 0; see `StreamBatch.step`.

        Args:
            active: the character's slot.

        Raises:
            RewardError: the reward could not choose.
        """
        if not self._goes_on():
            self._drop()
            self._draw()
        self._age = int(self.age[0])
        token = self._ahead.popleft()
        self._before = _at_rest(token.features[-1:])
        return token.codes[None], np.array([token.ended]), token.features[None]

    def _goes_on(self) -> bool:
        """Whether what was drawn ahead is what is asked for now."""
        return (
            bool(self._ahead)
            and self._ahead[0].remaining == self.remaining[0]
            and self._age <= self.age[0]
            and self._asked == self._request()
        )

    def _request(self) -> tuple[int, float]:
        return int(self.seed[0]), float(self.guidance_scale[0])

    def _draw(self) -> None:
        """Write the next tokens of all candidates, choose one, and let the others have written its tokens."""
        age, remaining = int(self.age[0]), int(self.remaining[0])
        self._asked = self._request()
        self.seed[:] = self._guide.seeds(int(self.seed[0]))
        self.guidance_scale[:] = self.guidance_scale[0]
        count = min(BLOCK, remaining) if remaining else BLOCK
        lefts = [max(0, remaining - n) for n in range(count)]
        steps = []
        for n, left in enumerate(lefts):
            self.age[:], self.remaining[:] = age + n, left
            steps.append(super().step(range(self.size)))
        self.age[:], self.remaining[:] = age, remaining
        rows = torch.cat([features for _, _, features in steps], dim=1)  # (N, T, D)
        if self._before is not None:
            rows = torch.cat([self._before.expand(self.size, 1, -1), rows], dim=1)
        try:
            best = self.choose(rows)
        except BaseException:
            self._take_back(count)
            raise
        codes = torch.stack([codes[best] for codes, _, _ in steps])  # (n, Q)
        self._follow(best, codes, age)
        for (_, ended, features), code, left in zip(steps, codes, lefts, strict=True):
            self._ahead.append(_Token(code, bool(ended[best]), features[best], left))

    def _follow(self, best: int, codes: Tensor, age: int) -> None:
        """Let all slots have written the tokens (n, Q) of one of them, the first of so old an age."""
        count = len(codes)
        others = torch.arange(self.size, device=self.head.device) != best
        self._state.rewind(others * count)
        self._decoder.follow(best)
        every = codes.to(self.head.device).expand(self.size, -1, -1)
        ages = (age + torch.arange(count, device=self.head.device)).expand(self.size, -1)
        self.head.push(every, self._state, ~others[:, None].expand(-1, count), ages)

    def _drop(self) -> None:
        """Take back what was drawn ahead."""
        self._take_back(len(self._ahead))
        self._ahead.clear()

    def _take_back(self, count: int) -> None:
        counts = torch.full((self.size,), count, device=self.head.device)
        self._state.rewind(counts)
        self._decoder.rewind(counts)

    def seeds_of(self, seed: int) -> list[int]:
        """Return the seeds of the candidates of a character of a seed."""
        return self._guide.seeds(seed)

    @torch.inference_mode()
    def set_text(self, slots: Sequence[int], condition: TextCondition) -> None:
        """Set the prompt, from the next token on.

        Args:
            slots: the character's.
            condition: the encoded prompt for each candidate, with clips of a memory that each has drawn: candidates
                that read other clips differ far more than by their noise alone.
        """
        self._drop()
        super().set_text(range(self.size), condition)

    @torch.inference_mode()
    def rewind(self, slot: int, count: int) -> None:
        """Take back the last tokens; see `StreamBatch.rewind`."""
        self._drop()
        self._take_back(count)
        self._before = None

    @torch.inference_mode()
    def reset(self, slot: int) -> None:
        """Put the character back to rest; see `StreamBatch.reset`."""
        self._ahead.clear()
        self._before = None
        every = self._mask(range(self.size))
        self._state.reset(every)
        self._decoder.reset(every)

    @torch.inference_mode()
    def push(self, slot: int, codes: Tensor, age: Tensor | None = None) -> Tensor:
        """Append tokens that the head did not write; see `StreamBatch.push`."""
        self._drop()
        frames = self._push(range(self.size), codes, age)[0]
        self._before = _at_rest(frames[-1:])
        return frames


def _at_rest(frame: Tensor) -> Tensor:
    """Return a frame's features (1, D) without the step that led to it."""
    still = frame.clone()
    still[:, LAYOUT["turn"]] = 0.0
    still[:, LAYOUT["velocity"]] = 0.0
    return still
