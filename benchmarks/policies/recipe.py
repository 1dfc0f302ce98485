"""Training recipe of the baselines: windows, batches and loop of CARP."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from benchmarks.policies import Baseline
from motiongen.data.chunks import ChunkSampler
from motiongen.heads.carp.config import CARPTrainConfig
from motiongen.heads.carp.recipe import CARPRecipe


class BaselineRecipe(CARPRecipe):
    """Trains a baseline; see `Recipe`."""

    plain = (*CARPRecipe.plain, "action_place", "memory_place", "observation.frame.task")
    predicted = 128  # diffusion is slow

    def __init__(self, model: Baseline, sampler: ChunkSampler, config: CARPTrainConfig) -> None:
        super().__init__(model, sampler, config)
        self.title = f"Baseline {self.name}: observations to actions"

    def loss_of(
        self, model: Any, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = model.training_pass(batch, generator)
        return losses

    def predict(self, model: Any, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
        actions: Tensor = model.predict(batch, generator=generator)
        return actions
