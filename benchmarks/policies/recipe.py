"""The recipe of all baselines: the windows, batches and loop of CARP."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.policies import Baseline
from motiongen import checkpoint
from motiongen.modules.observation import task_of
from motiongen.training.carp import precise
from motiongen.training.carp_parts import CARPTrainConfig, untold
from motiongen.training.chunks import ChunkSampler
from motiongen.training.head import parameter_groups
from motiongen.training.model_card import model_card

PLAIN = (
    "place",
    "number",
    "action_place",
    "memory_place",
    "tokenizer.",
    "observation.task",
    "observation.frame.task",
)
"""Parameters without weight decay."""
PREDICTED = 128
"""Held-out windows whose actions are predicted: diffusion is slow."""


class BaselineRecipe:
    """Trains a baseline; see `Recipe`."""

    def __init__(self, model: Baseline, sampler: ChunkSampler, config: CARPTrainConfig) -> None:
        """Take a model whose normalisers are fitted, and what draws its batches."""
        self.name = checkpoint.model_name(type(model))
        self.model, self.sampler, self.config = model, sampler, config

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return matrices with weight decay; the rest without. An action tokenizer stays as it is."""
        groups = parameter_groups(self.model, PLAIN)
        return [{**group, "params": [p for p in group["params"] if p.requires_grad]} for group in groups]

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch of windows."""
        return self.sampler.sample(self.config.batch_size, generator)

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch."""
        with precise(self.model.config):
            return self.model.training_pass(batch, generator)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the losses on held-out windows, and the error of the actions to be executed of some of them."""
        assert isinstance(model, Baseline), type(model)
        batch = {key: value.to(model.device) for key, value in untold(self.sampler.held_out).items()}
        losses = model.training_pass(batch, torch.Generator().manual_seed(0))
        some = {key: value[:PREDICTED] for key, value in batch.items()}
        predicted = model.predict(some, generator=torch.Generator().manual_seed(1))
        normalised, past = model.action_normaliser, model.config.obs_steps - 1
        error = (normalised(predicted, task_of(some)) - normalised(some["action"], task_of(some))).abs()
        metrics = {key: float(value) for key, value in losses.items()}
        return {**metrics, "action error": float(error[:, past : past + model.config.action_steps].mean())}

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Write the policy in fp16, with its normalisers and its model card."""
        assert isinstance(model, Baseline), type(model)
        facts = {
            "tasks": list(model.config.tasks),
            "data": f"{self.sampler.num_train:,} frames",
            "licence of the data": self.config.licence,
        }
        card = model_card(f"Baseline {self.name}: observations to actions", facts, model, metrics)
        checkpoint.save(model, model.config, directory, card, half=True)
