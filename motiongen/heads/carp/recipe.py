"""The recipe of CARP, all of it but its parts that are trained before: see carp_parts."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from motiongen import checkpoint
from motiongen.data.chunks import ChunkSampler, sized_for
from motiongen.data.demonstrations import Demonstrations, parted
from motiongen.heads.carp.config import CARPConfig, CARPTrainConfig
from motiongen.heads.carp.loss import loss
from motiongen.heads.carp.model import CARP
from motiongen.heads.carp.parts import without_scenes
from motiongen.heads.carp.sampler import CARPSampler
from motiongen.modules.observation import task_of
from motiongen.modules.policy_config import PolicyConfig
from motiongen.training.model_card import model_card
from motiongen.training.parameters import parameter_groups

MOST_CHAINED = 8
"""Actions of which the coarsest codes are written in a chain; each link is a pass, and a body of 28 has one way."""


def carp_for(
    demonstrations: Sequence[Demonstrations], config: CARPConfig, camera: str | None = None
) -> tuple[CARP, ChunkSampler]:
    """Return a new CARP sized and normalised for demonstrations, and what draws its batches.

    Demonstrations without pictures serve a policy that sees where others with the same numbers have pictures and scene.

    Raises:
        ValueError: the demonstrations do not fit together, or have no such camera.
    """
    demonstrations = parted(demonstrations)
    sized = sized_for(config, demonstrations)
    sized = replace(sized, chained=sized.chained and sized.action_dim <= MOST_CHAINED)
    sampler = ChunkSampler(demonstrations, sized, camera)
    model = CARP(sized)
    sampler.fit(model.observation, model.action_normaliser)
    return model, sampler


def precise(config: PolicyConfig) -> AbstractContextManager[Any]:
    """Return in what a loss is computed: fp32 on a CPU, where 64 channels in bfloat16 take longer, but for pictures."""
    is_of_numbers = not config.image_size or config.scene_dim
    return torch.autocast("cpu", enabled=False) if is_of_numbers else nullcontext()


class CARPRecipe:
    """Trains a CARP whose parts are trained; see `Recipe`. Policies that it is compared with are trained alike."""

    title = "CARP: observations to actions"
    """Of the model card."""
    plain: tuple[str, ...] = ("place", "number", "tokenizer.", "observation.task")
    """Beginnings of the names of parameters without weight decay."""
    predicted = 1024
    """Held-out windows whose actions are predicted, at most."""

    def __init__(self, model: Any, sampler: ChunkSampler, config: CARPTrainConfig) -> None:
        """Take a model whose normalisers are fitted, and what draws its batches."""
        self.name = checkpoint.model_type(type(model))
        self.model, self.sampler, self.config = model, sampler, config

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return matrices with weight decay; the rest without. An action tokenizer stays as it is."""
        groups = parameter_groups(self.model, self.plain)
        return [{**group, "params": [p for p in group["params"] if p.requires_grad]} for group in groups]

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch of windows."""
        return self.sampler.sample(self.config.batch_size, generator)

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch."""
        with precise(self.model.config):
            return self.loss_of(self.model, batch, generator)

    def loss_of(
        self, model: Any, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Return the losses of a model on a batch."""
        return loss(model, batch, generator)

    def predict(self, model: Any, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
        """Return the actions (B, H, A) of a model for a batch of observations."""
        return CARPSampler(model).predict(batch, generator=generator)

    def validate(self, model: Any) -> dict[str, float]:
        """Return the losses on held-out windows, and the error of the actions to be executed."""
        batch = {key: value.to(model.device) for key, value in without_scenes(self.sampler.held_out).items()}
        losses = self.loss_of(model, batch, torch.Generator().manual_seed(0))
        some = {key: value[: self.predicted] for key, value in batch.items()}
        predicted = self.predict(model, some, torch.Generator().manual_seed(1))
        normalised, past = model.action_normaliser, model.config.obs_steps - 1
        error = (normalised(predicted, task_of(some)) - normalised(some["action"], task_of(some))).abs()
        metrics = {key: float(value) for key, value in losses.items()}
        return {**metrics, "action error": float(error[:, past : past + model.config.action_steps].mean())}

    def export(self, model: Any, directory: Path, metrics: Mapping[str, float]) -> None:
        """Write the policy in fp16, with its normalisers, its action tokenizer and its model card."""
        facts = {
            "tasks": list(model.config.tasks),
            "data": f"{self.sampler.num_train:,} frames",
            "licence of the data": self.config.licence,
        }
        card = model_card(self.title, facts, model, metrics)
        checkpoint.save(model, model.config, directory, card, half=True)
