"""The recipes of CARP: first its action tokenizer, then the transformer that writes the codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motiongen import checkpoint
from motiongen.heads.carp import CARP, CARPConfig
from motiongen.modules.observation import task_of
from motiongen.tokenizers.action_vq import ActionVQ
from motiongen.training.chunks import ChunkSampler, sized_for
from motiongen.training.demonstrations import Demonstrations
from motiongen.training.head import parameter_groups
from motiongen.training.model_card import model_card


@dataclass(frozen=True, kw_only=True)
class CARPTrainConfig:
    """Batches."""

    batch_size: int = 256
    licence: str = "Apache-2.0: demonstrations by scripted experts"
    """Terms of the demonstrations, for the model card."""

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"batch_size: expected >= 1, got {self.batch_size}; 256 is the paper's")


def carp_for(
    demonstrations: Sequence[Demonstrations], config: CARPConfig, camera: str | None = None
) -> tuple[CARP, ChunkSampler]:
    """Return a new CARP sized and normalised for demonstrations, and what draws its batches.

    Raises:
        ValueError: the demonstrations do not fit together, or have no such camera.
    """
    sized = sized_for(config, demonstrations)
    sampler = ChunkSampler(demonstrations, sized, camera)
    model = CARP(sized)
    sampler.fit(model.observation, model.action_normaliser)
    return model, sampler


class ActionVQRecipe:
    """Trains the action tokenizer of a CARP; see `Recipe`."""

    name = "action_vq"

    def __init__(self, policy: CARP, sampler: ChunkSampler, config: CARPTrainConfig) -> None:
        """Take the policy whose tokenizer is to be trained: that is trained in place."""
        self.policy, self.sampler, self.config = policy, sampler, config
        self.model = policy.tokenizer.requires_grad_(True)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return all parameters without decay, under the paper's betas."""
        return [{"params": list(self.model.parameters()), "weight_decay": 0.0, "betas": (0.5, 0.9)}]

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch of normalised chunks."""
        return {"action": self._normalised(self.sampler.sample(self.config.batch_size, generator))}

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch, in fp32: the network is small, and its codes are near each other."""
        with torch.autocast(batch["action"].device.type, enabled=False):
            return self.model.training_pass(batch["action"], generator)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the error of held-out chunks, of actions normalised to -1..1, and the share of codes in use."""
        assert isinstance(model, ActionVQ), type(model)
        actions = self._normalised(self.sampler.held_out).to(model.codebooks.device)
        codes = model.encode(actions)
        error = (model.decode(codes) - actions).abs()
        used = torch.tensor([len(part.unique()) for part in codes.flatten(0, 1).T]).float().mean()
        return {"reconstruction error": float(error.mean()), "codes in use": float(used)}

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Write the tokenizer."""
        assert isinstance(model, ActionVQ), type(model)
        checkpoint.save(
            model, model.config, directory, model_card("CARP's action tokenizer", {}, model, metrics)
        )

    def _normalised(self, batch: Mapping[str, Tensor]) -> Tensor:
        normaliser = self.policy.action_normaliser
        device = normaliser.shift.device
        return normaliser(batch["action"].to(device), task_of(batch).to(device)).cpu()


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
        return self.model.training_pass(batch, generator)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return cross-entropy and accuracy on held-out windows, and the error of the actions to be executed."""
        assert isinstance(model, CARP), type(model)
        batch = {key: value.to(model.device) for key, value in self.sampler.held_out.items()}
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
