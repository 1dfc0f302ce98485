"""A fixed number of streams that take their steps together: the states of a head and of a tokenizer's decoder.

A batch never changes its shape. Characters come and go in its slots, and slots that take no step are masked, so that
a stream does not depend on its neighbours, and a step can be captured as a CUDA graph.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from motiongen.conditions.text import TextCondition
from motiongen.heads.code_config import CodeOptions
from motiongen.heads.streaming_head import StreamingHead, StreamState, TokenRequest
from motiongen.step_compiler import StepCompiler
from motiongen.tokenizers.rewindable import RewindableDecoder
from motiongen.tokenizers.rvq_vae import RVQVAE


class StreamBatch:
    """B slots of one head and one tokenizer.

    Attributes:
        size: slots, B.
        rewind_limit: tokens of a slot that can be taken back.
        age: (B,) int64, tokens since each slot's prompt began, the next one included; 0 where that is unknown.
        remaining: (B,) int64, tokens to the end of its motion, the next one included; 0 where the head finds the end.
        guidance_scale: (B,) float32.
        seed: (B,) int64.
    """

    def __init__(
        self,
        head: StreamingHead,
        tokenizer: RVQVAE,
        size: int,
        rewind_limit: int,
        options: CodeOptions,
        compiler: StepCompiler | None = None,
    ) -> None:
        """Make a batch at rest, and compile its step.

        Args:
            head: writes the tokens.
            tokenizer: decodes them.
            size: slots.
            rewind_limit: tokens of a slot that can be taken back.
            options: sampling options, of the head's own class.
            compiler: compiles the step; batches of the same head, tokenizer and options may share one, and the first
                of each size then takes half a second to make, others milliseconds.
        """
        self.head, self.size, self.rewind_limit, self.options = head, size, rewind_limit, options
        with torch.inference_mode():
            self._state: StreamState = head.init_state(size, rewind_limit)
            self._decoder = RewindableDecoder(tokenizer, size, rewind_limit)
        self.age, self.remaining, self.seed = (np.zeros(size, dtype=np.int64) for _ in range(3))
        self.guidance_scale = np.full(size, options.guidance_scale, dtype=np.float32)
        with torch.inference_mode():
            # Two thirds of the time of a small batch's step on a CPU, and it leaves Python to the sockets.
            self._compiled_step = (compiler or StepCompiler()).record(
                self._step, [*self._controls(), self._mask([])], self._state.tensors + self._decoder.tensors
            )

    @torch.inference_mode()
    def step(self, active: Sequence[int]) -> tuple[Tensor, np.ndarray, Tensor]:
        """Generate the next token of some slots.

        Args:
            active: the slots.

        Returns:
            codes (B, Q), whether each motion had ended before its token (B,) bool, and features (B, frames, D), all on
            the CPU; rows of slots that are not active are undefined.
        """
        codes, ended, frames = self._compiled_step(*self._controls(), self._mask(active))
        return codes.cpu(), ended.cpu().numpy(), frames.float().cpu()

    def _step(self, *tensors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One step as a function of tensors alone: the request's, the head state's and the decoder's."""
        request, states = TokenRequest(*tensors[:5]), tensors[5:]
        count = len(self._state.tensors)
        codes, ended = self.head.step(self._state.over(states[:count]), request, self.options)
        frames = self._decoder.over(states[count:]).step(codes, request.active)
        return codes, ended, frames

    def seeds_of(self, seed: int) -> list[int]:
        """Return the seeds of all that is drawn for a character of a seed: here of one stream."""
        return [seed]

    @torch.inference_mode()
    def set_text(self, slots: Sequence[int], condition: TextCondition) -> None:
        """Set the prompts of some slots, from their next token on.

        Args:
            slots: the slots.
            condition: an encoded prompt for each.
        """
        self.head.set_text(self._state, slots, condition)

    @torch.inference_mode()
    def rewind(self, slot: int, count: int) -> None:
        """Take back the last tokens of a slot.

        Args:
            slot: the slot.
            count: tokens, at most `rewind_limit`.
        """
        counts = torch.zeros(self.size, dtype=torch.long)
        counts[slot] = count
        counts = counts.to(self.head.device)
        self._state.rewind(counts)
        self._decoder.rewind(counts)

    @torch.inference_mode()
    def reset(self, slot: int) -> None:
        """Put a slot back to rest; its prompt stays.

        Args:
            slot: the slot.
        """
        mask = self._mask([slot])
        self._state.reset(mask)
        self._decoder.reset(mask)

    @torch.inference_mode()
    def push(self, slot: int, codes: Tensor, age: Tensor | None = None) -> Tensor:
        """Append tokens that the head did not write; return their features (n * frames, D) on the CPU.

        Args:
            slot: the slot.
            codes: (n, Q) tokens.
            age: (n,) tokens since the slot's prompt began, each included; left out where they do not obey it.
        """
        return self._push([slot], codes, age)[slot]

    def _push(self, slots: Sequence[int], codes: Tensor, age: Tensor | None) -> Tensor:
        """Append the same tokens to some slots; return features (B, n * frames, D) on the CPU."""
        mask, frames = self._mask(slots), []
        ages = torch.zeros(len(codes), dtype=torch.long) if age is None else age
        for code, old in zip(codes.to(self.head.device, torch.long), ages.to(self.head.device), strict=True):
            row = code.expand(self.size, -1)
            self.head.push(row[:, None], self._state, ~mask[:, None], old.expand(self.size, 1))
            frames.append(self._decoder.step(row, mask))
        return torch.cat(frames, dim=1).float().cpu()

    def _mask(self, slots: Sequence[int]) -> Tensor:
        mask = torch.zeros(self.size, dtype=torch.bool)
        mask[list(slots)] = True
        return mask.to(self.head.device)

    def _controls(self) -> list[Tensor]:
        values = (self.age, self.remaining, self.guidance_scale, self.seed)
        return [torch.from_numpy(value.copy()).to(self.head.device, non_blocking=True) for value in values]
