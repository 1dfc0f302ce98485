"""Generation for evaluations: batches of prompts, whose motions depend on the batch alone, whoever generates them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from motiongen.conditions.text import TextEncoder
from motiongen.motion import Motion
from motiongen.tokenizers.rvq_vae import RVQVAE


class Generator(Protocol):
    """Protocol of an evaluated model, such as `motiongen.inference.model.Model`."""

    tokenizer: RVQVAE
    text: TextEncoder

    def generate(self, prompts: Sequence[str], *, generator: Sequence[torch.Generator]) -> list[Motion]:
        """Return a motion for each prompt, sampled with its own generator."""
        ...


@dataclass(frozen=True)
class Batch:
    """Prompts that are generated together.

    Attributes:
        prompts: the prompts.
        seed: of the first one; the others have the next seeds.
    """

    prompts: tuple[str, ...]
    seed: int


def batches_of(prompts: Sequence[str], size: int, seed: int) -> list[Batch]:
    """Return batches of so many prompts, the last one of fewer; each prompt has the next seed."""
    starts = range(0, len(prompts), size)
    return [Batch(tuple(prompts[start : start + size]), seed + start) for start in starts]


class BatchMaker:
    """Generates batches; see `motiongen.engines.Worker`.

    Args:
        load: loads the model.
    """

    def __init__(self, load: Callable[[], Generator]) -> None:
        self._model = load()

    def run(self, batch: Batch) -> list[Motion]:
        """Return the motions of a batch."""
        seeds = range(batch.seed, batch.seed + len(batch.prompts))
        draws = [torch.Generator().manual_seed(seed) for seed in seeds]
        return self._model.generate(batch.prompts, generator=draws)

    def close(self) -> None:
        """Release nothing: the model may be another's, too."""
