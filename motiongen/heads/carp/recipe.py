"""Training recipe of CARP's last stage, the transformer; see `parts` for the stages before it."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from motiongen import checkpoint
from motiongen.data.chunks import ChunkSampler, sized_for
from motiongen.data.demonstrations import Demonstrations, split_states
from motiongen.heads.carp.config import CARPConfig, CARPTrainConfig
from motiongen.heads.carp.loss import loss
from motiongen.heads.carp.model import CARP
from motiongen.heads.carp.parts import without_scenes
from motiongen.heads.carp.sampler import CARPSampler
from motiongen.modules.observation import task_of
from motiongen.modules.policy_config import PolicyConfig
from motiongen.training.model_card import model_card
from motiongen.training.parameters import parameter_groups

MAX_CHAINED = 8
"""Largest action dimension for which the coarsest codes are chained; each dimension takes one pass."""


def carp_for(
    demonstrations: Sequence[Demonstrations], config: CARPConfig, camera: str | None = None
) -> tuple[CARP, ChunkSampler]:
    """Return a new CARP with the sizes and normalisers of demonstrations, and the sampler of its training windows.

    Args:
        demonstrations: one or more datasets; those without images are used too if others have images and scene numbers
            for the same states.
        config: sizes that the data does not determine.
        camera: name of the camera; None for the only one.

    Raises:
        ValueError: the demonstrations do not match, or lack the camera.
    """
    demonstrations = split_states(demonstrations)
    sized = sized_for(config, demonstrations)
    sized = replace(sized, chained=sized.chained and sized.action_dim <= MAX_CHAINED)
    sampler = ChunkSampler(demonstrations, sized, camera)
    model = CARP(sized)
    sampler.fit(model.observation, model.action_normaliser)
    return model, sampler


def loss_precision(config: PolicyConfig) -> AbstractContextManager[Any]:
    """Return the autocast context of the loss: fp32 on a CPU for policies on numbers, whose layers are small."""
    uses_numbers_only = not config.image_size or config.scene_dim
    return torch.autocast("cpu", enabled=False) if uses_numbers_only else nullcontext()


class CARPRecipe:
    """Trains the transformer of a CARP; see `Recipe`. Baseline policies are trained by subclasses.

    Args:
        model: the policy, with fitted normalisers and, for a CARP, trained parts.
        sampler: its training windows.
        config: batches.
    """

    title = "CARP: observations to actions"
    """Title of the model card."""
    plain: tuple[str, ...] = ("place", "number", "tokenizer.", "observation.task")
    """Name prefixes of parameters without weight decay."""
    predicted = 1024
    """Largest number of held-out windows for the action error."""

    def __init__(self, model: Any, sampler: ChunkSampler, config: CARPTrainConfig) -> None:
        self.name = checkpoint.model_type(type(model))
        self.model, self.sampler, self.config = model, sampler, config

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return trainable matrices with weight decay, and other trainable parameters without."""
        groups = parameter_groups(self.model, self.plain)
        return [{**group, "params": [p for p in group["params"] if p.requires_grad]} for group in groups]

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a random batch of windows."""
        return self.sampler.sample(self.config.batch_size, generator)

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of the trained model on a batch."""
        with loss_precision(self.model.config):
            return self.loss_of(self.model, batch, generator)

    def loss_of(
        self, model: Any, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Return the losses of a model on a batch; see `loss`."""
        return loss(model, batch, generator)

    def predict(self, model: Any, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
        """Return the actions (B, H, A) that a model predicts for a batch of observations."""
        return CARPSampler(model).predict(batch, generator=generator)

    def validate(self, model: Any) -> dict[str, float]:
        """Return the losses on held-out windows, and the error of the actions that are executed."""
        batch = {key: value.to(model.device) for key, value in without_scenes(self.sampler.held_out).items()}
        losses = self.loss_of(model, batch, torch.Generator().manual_seed(0))
        some = {key: value[: self.predicted] for key, value in batch.items()}
        predicted = self.predict(model, some, torch.Generator().manual_seed(1))
        normalised, past = model.action_normaliser, model.config.obs_steps - 1
        error = (normalised(predicted, task_of(some)) - normalised(some["action"], task_of(some))).abs()
        metrics = {key: float(value) for key, value in losses.items()}
        return {**metrics, "action error": float(error[:, past : past + model.config.action_steps].mean())}

    def export(self, model: Any, directory: Path, metrics: Mapping[str, float]) -> None:
        """Save the policy in fp16, with normalisers, action tokenizer and model card."""
        facts = {
            "tasks": list(model.config.tasks),
            "data": f"{self.sampler.num_train:,} frames",
            "licence of the data": self.config.licence,
        }
        card = model_card(self.title, facts, model, metrics, "policy")
        checkpoint.save(model, model.config, directory, card, half=True)
