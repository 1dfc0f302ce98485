"""Draft, then refine: a head that revises writes the unsent part of a stream anew, in the time that is left."""

import torch
from torch import Tensor

from motiongen.heads import heads_for
from motiongen.inference.model import Model


class Refiner:
    """Rewrites the last tokens of a stream with BAMM, in both directions, under the same prompt.

    Attributes:
        kept: tokens before them that must wait to be taken, so that they play while BAMM writes.
        least: tokens that are worth it.
    """

    def __init__(self, model: Model, *, kept: int = 4, least: int = 4, seed: int = 0) -> None:
        """Take a model of the same tokenizer whose head revises; raises ValueError when it does not."""
        if not model.spec.edits:
            able = " or ".join(heads_for("words", edits=True))
            raise ValueError(
                f"model: expected a head that revises, got {type(model.head).__name__}; load {able}"
            )
        self.kept, self.least = kept, least
        self._model = model
        self._generator = torch.Generator().manual_seed(seed)
        self._options = model.spec.options()

    def rewrite(self, codes: Tensor, tokens: int, prompt: str) -> Tensor:
        """Return codes (N, Q), on the CPU, of which the last `tokens` are written anew."""
        keep = torch.arange(len(codes)) < len(codes) - tokens
        condition = self._model.text.encode([prompt])
        made = self._model.sampler.edit(
            [codes], [keep], condition, generator=self._generator, options=self._options
        )
        return made[0].cpu()
