"""A fixed number of streams that take their steps together: a head, a decoder, and what each stream is about.

A batch never changes its shape. Streams come and go in its places, and those that take no step are masked, so that what
a stream writes does not depend on its neighbours, and a step can be captured as a CUDA graph.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from motiongen.conditions.text import TextCondition
from motiongen.heads.code_config import CodeOptions
from motiongen.heads.streaming_head import StreamingHead, TokenRequest
from motiongen.step_compiler import StepCompiler
from motiongen.tokenizers.rewindable import RewindableDecoder
from motiongen.tokenizers.rvq_vae import RVQVAE


class StreamBatch:
    """B streams of one head and one tokenizer.

    Attributes:
        age: (B,) int64, tokens since each stream's prompt began, the next one included; 0 for no saying.
        remaining: (B,) int64, tokens to the end of its motion, the next one included; 0 for no saying.
        guidance_scale: (B,) float32, how strictly it follows its words.
        seed: (B,) int64.
    """

    def __init__(
        self,
        head: StreamingHead,
        tokenizer: RVQVAE,
        size: int,
        spare: int,
        options: CodeOptions,
        compiler: StepCompiler | None = None,
    ) -> None:
        """Make a batch of `size` streams of which `spare` tokens can be taken back.

        Blocks of the same head, tokenizer and options may share a compiler: the first of each size takes half a second
        to make, others milliseconds.
        """
        self.head, self.size, self.spare, self.options = head, size, spare, options
        with torch.inference_mode():
            self._state = head.init_state(size, spare)
            self._decoder = RewindableDecoder(tokenizer, size, spare)
        self.age, self.remaining, self.seed = (np.zeros(size, dtype=np.int64) for _ in range(3))
        self.guidance_scale = np.full(size, options.guidance_scale, dtype=np.float32)
        with torch.inference_mode():
            # Two thirds of the time of a small batch's step on a CPU, and it leaves Python to the sockets.
            self._recorded = (compiler or StepCompiler()).record(
                self._step, [*self._wishes(), self._mask([])], self._state.tensors + self._decoder.tensors
            )

    @torch.inference_mode()
    def step(self, active: Sequence[int]) -> tuple[Tensor, np.ndarray, Tensor]:
        """Write the next token of the active streams.

        Returns:
            codes (B, Q), whether each motion had ended before it (B,) bool, and its features (B, frames, D), all on the
            CPU; those of streams that are not active mean nothing.
        """
        codes, ended, frames = self._recorded(*self._wishes(), self._mask(active))
        return codes.cpu(), ended.cpu().numpy(), frames.float().cpu()

    def _step(self, *tensors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One step as a function of tensors alone: those of the request, of the head's state and of the decoder's."""
        request, states = TokenRequest(*tensors[:5]), tensors[5:]
        head = len(self._state.tensors)
        codes, ended = self.head.step(self._state.over(states[:head]), request, self.options)
        frames = self._decoder.over(states[head:]).step(codes, request.active)
        return codes, ended, frames

    @torch.inference_mode()
    def set_text(self, items: Sequence[int], condition: TextCondition) -> None:
        """Give streams new prompts, from their next token on."""
        self.head.set_text(self._state, items, condition)

    @torch.inference_mode()
    def rewind(self, item: int, count: int) -> None:
        """Take back the last tokens of a stream, at most `spare`."""
        counts = torch.zeros(self.size, dtype=torch.long)
        counts[item] = count
        counts = counts.to(self.head.device)
        self._state.rewind(counts)
        self._decoder.rewind(counts)

    @torch.inference_mode()
    def reset(self, item: int) -> None:
        """Put a stream back to rest; its prompt stays."""
        mask = self._mask([item])
        self._state.reset(mask)
        self._decoder.reset(mask)

    @torch.inference_mode()
    def push(self, item: int, codes: Tensor, age: Tensor | None = None) -> Tensor:
        """Give a stream tokens (n, Q) that it did not write; return their features (n * frames, D) on the CPU.

        Args:
            item: the stream.
            codes: (n, Q) tokens.
            age: (n,) tokens since its prompt began, each included; left out where they do not obey it.
        """
        mask, frames = self._mask([item]), []
        ages = torch.zeros(len(codes), dtype=torch.long) if age is None else age
        for code, old in zip(codes.to(self.head.device, torch.long), ages.to(self.head.device), strict=True):
            row = code.expand(self.size, -1)
            self.head.push(row[:, None], self._state, ~mask[:, None], old.expand(self.size, 1))
            frames.append(self._decoder.step(row, mask)[item])
        return torch.cat(frames).float().cpu()

    def _mask(self, items: Sequence[int]) -> Tensor:
        mask = torch.zeros(self.size, dtype=torch.bool)
        mask[list(items)] = True
        return mask.to(self.head.device)

    def _wishes(self) -> list[Tensor]:
        values = (self.age, self.remaining, self.guidance_scale, self.seed)
        return [torch.from_numpy(value.copy()).to(self.head.device, non_blocking=True) for value in values]
