"""The recipes of the parts of CARP that are trained first: reading scenes, action tokenizer, observation encoder."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.data.chunks import ChunkSampler
from motiongen.heads.carp.config import CARPTrainConfig
from motiongen.heads.carp.model import CARP
from motiongen.modules.observation import Normaliser, ObservationEncoder, task_of
from motiongen.tokenizers.action_vq import ActionVQ
from motiongen.training.config import TrainConfig
from motiongen.training.loop import Recipe, Trainer
from motiongen.training.parameters import parameter_groups

HELD_OUT_PICTURES = 256
GUESSES = 8
"""Of the encoder's regression."""
LEAST_LOG_SPREAD = math.log(0.01)
"""Of a guess's numbers, where actions are -1..1: no finer than the tokenizer's."""


class ActionVQRecipe:
    """Trains the action tokenizer of a CARP; see `Recipe`."""

    name = "action_vq"

    def __init__(self, policy: CARP, sampler: ChunkSampler, config: CARPTrainConfig) -> None:
        """Take the policy whose tokenizer is to be trained: that is trained in place."""
        self.normaliser, self.sampler, self.config = policy.action_normaliser, sampler, config
        self.model = policy.tokenizer.requires_grad_(True)
        self.held_out = _normalised(sampler.held_out, policy.action_normaliser)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return all parameters without decay, under the paper's betas."""
        return [{"params": list(self.model.parameters()), "weight_decay": 0.0, "betas": (0.5, 0.9)}]

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch of normalised chunks."""
        batch = self.sampler.sample(self.config.tokenizer_batch_size, generator, images=False)
        return _normalised(batch, self.normaliser)

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch, in fp32: the network is small, and its codes are near each other."""
        with torch.autocast(batch["action"].device.type, enabled=False):
            return self.model.training_pass(batch["action"], generator)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the error of held-out chunks, of actions normalised to -1..1, and the share of codes in use."""
        assert isinstance(model, ActionVQ), type(model)
        actions = self.held_out["action"].to(model.codebooks.device)
        codes = model.encode(actions)
        error = (model.decode(codes) - actions).abs()
        used = torch.tensor([len(part.unique()) for part in codes.flatten(0, 1).T]).float().mean()
        return {"reconstruction error": float(error.mean()), "codes in use": float(used)}

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Write nothing: the policy holds it."""


class Regressor(nn.Module):
    """An observation encoder, and a layer that makes several guesses at the chunk from what it says.

    The guesses are the modes of a mixture of Laplace distributions: several, for where several ways lead on.
    """

    def __init__(self, policy: CARP) -> None:
        super().__init__()
        config = policy.config
        self.observation = policy.observation
        self.guesses = nn.Linear(config.cond_dim, GUESSES * config.horizon * config.action_dim)
        self.weights = nn.Linear(config.cond_dim, GUESSES)
        self.log_spread = nn.Parameter(torch.full((config.horizon * config.action_dim,), math.log(0.3)))

    def forward(
        self, batch: Mapping[str, Tensor], generator: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        """Return the `loss`, nats a number, and the likeliest guess's `error`; actions (B, H, A) are normalised."""
        cond = F.silu(self.observation(batch, generator)).float()
        guesses = self.guesses(cond).unflatten(1, (GUESSES, -1))  # (B, G, H * A)
        weights = self.weights(cond).log_softmax(-1)
        errors = (guesses - batch["action"].flatten(1)[:, None]).abs()
        log_spread = self.log_spread.clamp(min=LEAST_LOG_SPREAD)
        likelihood = -(errors / log_spread.exp() + log_spread + math.log(2)).sum(-1)
        loss = -(weights + likelihood).logsumexp(-1).mean() / errors.shape[-1]
        likeliest = errors.mean(-1).gather(1, weights.argmax(-1, keepdim=True))
        return {"loss": loss, "error": likeliest.detach().mean()}


class SceneRecipe:
    """Trains a CARP that reads scenes to read them from pictures; see `Recipe`.

    Not in the paper. To say where things are takes pictures far fewer examples than to say what to do, and what is then
    to be done is learnt from the numbers, at the price of a policy for states. No errors are added to them: as it is, a
    policy for BlockPush bears positions that are off by 2.5 mm.
    """

    name = "scene"

    def __init__(self, policy: CARP, sampler: ChunkSampler, config: CARPTrainConfig) -> None:
        """Take the policy whose reading is to be trained: that is trained in place."""
        self.model, self.sampler, self.config = policy.observation, sampler, config

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the matrices of what reads, with weight decay; the rest of it without."""
        return parameter_groups(nn.ModuleList([self.model.visual, self.model.scene]), ())

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch of windows."""
        return self.sampler.sample(self.config.scene_batch_size, generator, images=True)

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the mean error of the numbers that are read, in their own deviations."""
        return {"loss": self._errors(self.model, batch, generator).mean()}

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the same on held-out windows."""
        return {"reading error": float(self._held_out_errors(model).mean())}

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Write nothing: the policy holds it."""

    @torch.no_grad()
    def finish(self) -> None:
        """Note the errors (E,) that are made on held-out pictures: what is not shown is left out by them."""
        self.model.scene_error.copy_(self._held_out_errors(self.model).mean((0, 1)))

    def _held_out_errors(self, model: nn.Module) -> Tensor:
        device = self.model.scene_error.device
        batch = {key: value[:HELD_OUT_PICTURES].to(device) for key, value in self.sampler.held_out.items()}
        return self._errors(model, batch, None)

    def _errors(
        self, model: nn.Module, batch: Mapping[str, Tensor], generator: torch.Generator | None
    ) -> Tensor:
        assert isinstance(model, ObservationEncoder), type(model)
        scale = model.normaliser.of(task_of(batch))[1][..., model.config.state_dim :]
        return ((model.predict_scene(batch, generator) - batch["scene"]) / scale).abs()


class EncoderRecipe:
    """Trains the observation encoder of a CARP by regression, before the rest; see `Recipe`.

    Not in the paper. An encoder of states costs a thirtieth of the transformer over the codes, and what it has to find,
    where things are from each other, takes most examples.
    """

    name = "encoder"

    def __init__(self, policy: CARP, sampler: ChunkSampler, config: CARPTrainConfig) -> None:
        """Take the policy whose encoder is to be trained: that is trained in place."""
        self.normaliser, self.sampler, self.config = policy.action_normaliser, sampler, config
        self.model = Regressor(policy)
        self.held_out = _normalised(sampler.held_out, policy.action_normaliser)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return matrices with weight decay; the rest without."""
        return parameter_groups(self.model, ("observation.task",))

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch of windows whose actions are normalised."""
        batch = self.sampler.sample(self.config.encoder_batch_size, generator)
        return _normalised(batch, self.normaliser)

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the loss of a batch, and the error of its actions."""
        losses: dict[str, Tensor] = self.model(batch, generator)
        return losses

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the same on held-out windows."""
        device = next(model.parameters()).device
        losses = model({key: value.to(device) for key, value in without_scenes(self.held_out).items()})
        return {"loss": float(losses["loss"]), "action error": float(losses["error"])}

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Write nothing: the policy holds it."""


def without_scenes(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a batch without its scenes, which a policy that acts is not given."""
    return {key: value for key, value in batch.items() if key != "scene"}


def _normalised(batch: Mapping[str, Tensor], normaliser: Normaliser) -> dict[str, Tensor]:
    """Return a batch whose actions are normalised, on the CPU."""
    device = normaliser.shift.device
    return {**batch, "action": normaliser(batch["action"].to(device), task_of(batch).to(device)).cpu()}


PARTS = (SceneRecipe.name, ActionVQRecipe.name, EncoderRecipe.name)
"""Folders of the parts that are trained first."""


def has_trained_parts(directory: Path) -> bool:
    """Return whether a stopped run goes on with the whole policy, and not with its parts.

    Raises:
        ValueError: no part has a checkpoint either.
    """
    begun = [name for name in (".", *PARTS) if (directory / name / "checkpoint").is_dir()]
    if not begun:
        raise ValueError(f"{directory}: expected a run to go on with, got none; leave out --resume")
    return "." in begun


def train_parts(
    model: CARP,
    sampler: ChunkSampler,
    config: CARPTrainConfig,
    schedule: TrainConfig,
    directory: Path,
    device: str = "cpu",
    resume: bool = False,
) -> None:
    """Train a CARP's parts in place: what reads scenes, the tokenizer, the observation encoder; a folder for each.

    Args:
        model, sampler: from `carp_for`.
        config: says for how many steps.
        schedule: of the whole; the parts have their own steps and rate of learning.
        directory: the policy's.
        device: where to compute.
        resume: go on from what the folders hold.
    """
    stages: list[tuple[Recipe, int]] = [
        (ActionVQRecipe(model, sampler, config), config.tokenizer_steps),
        (EncoderRecipe(model, sampler, config), config.encoder_steps),
    ]
    if model.config.scene_dim:
        stages.insert(0, (SceneRecipe(model, sampler, config), config.scene_steps))
    for recipe, steps in stages:
        if steps:
            own = replace(schedule, steps=steps, minutes=0.0, learning_rate=config.parts_learning_rate)
            trainer = Trainer(recipe, own, directory / recipe.name, device)
            trainer.run(resume and (trainer.directory / "checkpoint").is_dir())
            recipe.model.load_state_dict(trainer.ema.model.state_dict())
            if isinstance(recipe, SceneRecipe):
                recipe.finish()
    model.tokenizer.requires_grad_(False)
