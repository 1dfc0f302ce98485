"""The recipe of CARP, all of it but its parts that are trained before: see carp_parts."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motiongen import checkpoint
from motiongen.heads.carp import CARP, CARPConfig
from motiongen.modules.observation import PolicyConfig, task_of
from motiongen.training.carp_parts import CARPTrainConfig, untold
from motiongen.training.chunks import ChunkSampler, sized_for
from motiongen.training.demonstrations import Demonstrations, parted
from motiongen.training.head import parameter_groups
from motiongen.training.model_card import model_card

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
    """Trains a CARP whose tokenizer is trained; see `Recipe`."""

    name = "carp"

    def __init__(
        self,
        model: CARP,
        sampler: ChunkSampler,
        config: CARPTrainConfig,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Take the model, what draws its batches, and facts for the model card."""
        self.model, self.sampler, self.config, self.facts = model, sampler, config, dict(facts or {})
        model.tokenizer.requires_grad_(False)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return matrices with weight decay; the rest without. The tokenizer stays as it is."""
        plain = ("place", "number", "tokenizer.", "observation.task")
        groups = parameter_groups(self.model, plain)
        return [{**group, "params": [p for p in group["params"] if p.requires_grad]} for group in groups]

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch of windows."""
        return self.sampler.sample(self.config.batch_size, generator)

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch."""
        with precise(self.model.config):
            return self.model.training_pass(batch, generator)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return cross-entropy and accuracy on held-out windows, and the error of the actions to be executed."""
        assert isinstance(model, CARP), type(model)
        batch = {key: value.to(model.device) for key, value in untold(self.sampler.held_out).items()}
        losses = model.training_pass(batch, torch.Generator().manual_seed(0))
        task, past = task_of(batch), model.config.obs_steps - 1
        executed = slice(past, past + model.config.action_steps)
        wanted = model.action_normaliser(batch["action"], task)
        error = (model.action_normaliser(model.predict(batch), task) - wanted).abs()
        metrics = {key: float(value) for key, value in losses.items()}
        return {**metrics, "action error": float(error[:, executed].mean())}

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Write the policy in fp16, with its tokenizer, its normalisers and its model card."""
        assert isinstance(model, CARP), type(model)
        facts = {
            "tasks": list(model.config.tasks),
            "data": f"{self.sampler.num_train:,} frames",
            "licence of the data": self.config.licence,
            **self.facts,
        }
        checkpoint.save(
            model,
            model.config,
            directory,
            model_card("CARP: observations to actions", facts, model, metrics),
            half=True,
        )
