"""Recipes of the first training stages of CARP: scene prediction, observation encoder, action tokenizer."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.checkpoint import read_json
from motiongen.data.chunks import ChunkSampler
from motiongen.heads.carp.config import CARPTrainConfig
from motiongen.heads.carp.model import CARP
from motiongen.modules.observation import Normaliser, ObservationEncoder, task_of
from motiongen.tokenizers.action_vq import ActionVQ
from motiongen.training import state as saved
from motiongen.training.config import TrainConfig
from motiongen.training.loop import Recipe, Trainer
from motiongen.training.parameters import parameter_groups

HELD_OUT_IMAGES = 256
FITTED_WINDOWS = 4096
"""Windows by which the errors of a regression are normalised."""
GUESSES = 8
"""Components of the mixture in the regression of the encoder."""
MIN_LOG_SPREAD = math.log(0.01)
"""Lower bound of the logarithmic spread of a component, for actions in -1..1: the resolution of the tokenizer."""


class ActionVQRecipe:
    """Trains the action tokenizer of a CARP in place; see `Recipe`.

    Args:
        policy: the CARP.
        sampler: its training windows.
        config: batches.
    """

    name = "action_vq"

    def __init__(self, policy: CARP, sampler: ChunkSampler, config: CARPTrainConfig) -> None:
        policy.freeze_codes()
        self.policy, self.sampler, self.config = policy, sampler, config
        self.model = policy.tokenizer.requires_grad_(True)
        self.seen: dict[str, Tensor] = {}
        if policy.regression is not None:
            self._fit(policy.regression.normaliser)
        self.held_out = self._written(without_scenes(sampler.held_out))

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return all parameters, without weight decay and with the betas of the paper."""
        return [{"params": list(self.model.parameters()), "weight_decay": 0.0, "betas": (0.5, 0.9)}]

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a random batch of action chunks, as the codes write them."""
        return self._written(self._draw(self.config.tokenizer_batch_size, generator))

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch, in fp32, since codes are close to each other."""
        with torch.autocast(batch["action"].device.type, enabled=False):
            losses, self.seen = self.model.training_pass(batch["action"], generator)
        return losses

    def learn(self, seen: Mapping[str, Tensor], generator: torch.Generator) -> None:
        """Count and revive the codes by those of a step; see `LearnsFromValues`."""
        self.model.learn(seen["codes"], seen["residuals"], generator)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the mean error of held-out actions, as the codes write them, and the mean number of codes in use."""
        assert isinstance(model, ActionVQ), type(model)
        actions = self.held_out["action"].to(model.codebooks.device)
        codes = model.encode(actions)
        error = (model.decode(codes) - actions).abs()
        used = torch.tensor([len(part.unique()) for part in codes.flatten(0, 1).T]).float().mean()
        return {"reconstruction error": float(error.mean()), "codes in use": float(used)}

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Do nothing: the part is saved with the policy."""

    def _draw(self, size: int, generator: torch.Generator) -> dict[str, Tensor]:
        return self.sampler.sample(size, generator, images=False if self.policy.regression is None else None)

    @torch.no_grad()
    def _written(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the actions (B, H, A) of a batch as the codes write them, on the CPU."""
        batch = {key: value.to(self.policy.device) for key, value in batch.items()}
        if self.policy.regression is None:
            written = self.policy.action_normaliser(batch["action"], task_of(batch))
        else:
            cond = self.policy.observation(batch)
            written = self.policy.written(batch["action"], cond, task_of(batch))
        return {"action": written.cpu()}

    @torch.no_grad()
    def _fit(self, normaliser: Normaliser) -> None:
        """Fit the normaliser of the regression's errors of each task."""
        regression = self.policy.regression
        assert regression is not None
        batch = self._draw(FITTED_WINDOWS, torch.Generator().manual_seed(0))
        batch = {key: value.to(self.policy.device) for key, value in batch.items()}
        actions = self.policy.action_normaliser(batch["action"], task_of(batch))
        errors = actions - regression(self.policy.observation(batch))
        for task in task_of(batch).unique().tolist():
            normaliser.fit_moments(task, errors[task_of(batch) == task].flatten(0, 1))


class Regressor(nn.Module):
    """Observation encoder with a regression layer that predicts the action chunk as a mixture of Laplace distributions.

    The mixture has several components, since several actions may be right; for a policy whose codes say what its
    regression leaves, it is that regression alone.

    Args:
        policy: the CARP whose observation encoder is trained.
    """

    def __init__(self, policy: CARP) -> None:
        super().__init__()
        config = policy.config
        guesses = GUESSES if policy.regression is None else 1
        self.observation = policy.observation.requires_grad_(True)
        self.guesses = (
            nn.Linear(config.cond_dim, guesses * config.horizon * config.action_dim)
            if policy.regression is None
            else policy.regression.requires_grad_(True).out
        )
        self.weights = nn.Linear(config.cond_dim, guesses)
        self.log_spread = nn.Parameter(torch.full((config.horizon * config.action_dim,), math.log(0.3)))

    def forward(
        self, batch: Mapping[str, Tensor], generator: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        """Return the `loss`, nats an action number, and the `error` of the likeliest component.

        Args:
            batch: observations, and normalised `action` (B, H, A).
            generator: draws random image crops; None for centre crops.
        """
        cond = F.silu(self.observation(batch, generator)).float()
        weights = self.weights(cond).log_softmax(-1)  # (B, G)
        guesses = self.guesses(cond).unflatten(1, (weights.shape[1], -1))  # (B, G, H * A)
        errors = (guesses - batch["action"].flatten(1)[:, None]).abs()
        log_spread = self.log_spread.clamp(min=MIN_LOG_SPREAD)
        likelihood = -(errors / log_spread.exp() + log_spread + math.log(2)).sum(-1)
        loss = -(weights + likelihood).logsumexp(-1).mean() / errors.shape[-1]
        likeliest = errors.mean(-1).gather(1, weights.argmax(-1, keepdim=True))
        return {"loss": loss, "error": likeliest.detach().mean()}


class SceneRecipe:
    """Trains the scene prediction of a CARP with images, in place; see `Recipe`.

    Not in the paper. Predicting object positions from images takes far fewer examples than predicting actions, which
    are then learned from the numbers, at the cost of a policy for states. The numbers are not perturbed in training: a
    policy for BlockPush tolerates errors of 2.5 mm without it.

    Args:
        policy: the CARP.
        sampler: its training windows.
        config: batches.
    """

    name = "scene"

    def __init__(self, policy: CARP, sampler: ChunkSampler, config: CARPTrainConfig) -> None:
        self.model, self.sampler, self.config = policy.observation.requires_grad_(True), sampler, config

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the matrices of image encoder and scene layer with weight decay, and their vectors without."""
        return parameter_groups(nn.ModuleList([self.model.visual, self.model.scene]), ())

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a random batch of windows with images."""
        return self.sampler.sample(self.config.scene_batch_size, generator, images=True)

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the mean absolute error of the scene numbers, in their standard deviations."""
        return {"loss": self._errors(self.model, batch, generator).mean()}

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the mean absolute error on held-out windows."""
        return {"reading error": float(self._held_out_errors(model).mean())}

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Do nothing: the part is saved with the policy."""

    @torch.no_grad()
    def finish(self) -> None:
        """Store the errors (E,) on held-out images, by which numbers that images do not show are excluded."""
        self.model.scene_error.copy_(self._held_out_errors(self.model).mean((0, 1)))

    def _held_out_errors(self, model: nn.Module) -> Tensor:
        device = self.model.scene_error.device
        batch = {key: value[:HELD_OUT_IMAGES].to(device) for key, value in self.sampler.held_out.items()}
        return self._errors(model, batch, None)

    def _errors(
        self, model: nn.Module, batch: Mapping[str, Tensor], generator: torch.Generator | None
    ) -> Tensor:
        assert isinstance(model, ObservationEncoder), type(model)
        scale = model.normaliser.of(task_of(batch))[1][..., model.config.state_dim :]
        return ((model.predict_scene(batch, generator) - batch["scene"]) / scale).abs()


class EncoderRecipe:
    """Trains the observation encoder of a CARP by regression, in place; see `Recipe`.

    Not in the paper. An encoder of states costs a thirtieth of the transformer over the codes, and the relations
    between positions that it has to learn take most of the examples.

    Args:
        policy: the CARP.
        sampler: its training windows.
        config: batches.
    """

    name = "encoder"

    def __init__(self, policy: CARP, sampler: ChunkSampler, config: CARPTrainConfig) -> None:
        self.normaliser, self.sampler, self.config = policy.action_normaliser, sampler, config
        self.model = Regressor(policy)
        self.held_out = _normalised(sampler.held_out, policy.action_normaliser)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return matrices with weight decay, and the other parameters without."""
        return parameter_groups(self.model, ("observation.task",))

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a random batch of windows with normalised actions."""
        batch = self.sampler.sample(self.config.encoder_batch_size, generator)
        return _normalised(batch, self.normaliser)

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the loss of a batch and the error of its actions; see `Regressor`."""
        losses: dict[str, Tensor] = self.model(batch, generator)
        return losses

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the loss and the action error on held-out windows."""
        device = next(model.parameters()).device
        losses = model({key: value.to(device) for key, value in without_scenes(self.held_out).items()})
        return {"loss": float(losses["loss"]), "action error": float(losses["error"])}

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Do nothing: the part is saved with the policy."""


def without_scenes(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a batch without its `scene`, which is not available when the policy is used."""
    return {key: value for key, value in batch.items() if key != "scene"}


def _normalised(batch: Mapping[str, Tensor], normaliser: Normaliser) -> dict[str, Tensor]:
    """Return a batch with normalised actions, on the CPU."""
    device = normaliser.shift.device
    return {**batch, "action": normaliser(batch["action"].to(device), task_of(batch).to(device)).cpu()}


PARTS = {SceneRecipe.name: 0.25, EncoderRecipe.name: 0.5, ActionVQRecipe.name: 0.05}
"""Folder of each of the first training stages -> share of a run's minutes that it takes at most; what they leave is
the last one's. In an hour on two cores those of `small` take their steps, and need no such limit."""


def left_minutes(directory: Path, minutes: float) -> float:
    """Return the minutes of a run that its first stages have left to the last one.

    Args:
        directory: folder of the policy.
        minutes: of the whole run; 0 for one that is bounded by steps alone.
    """
    records = [directory / name / "checkpoint" / saved.RECORD for name in PARTS]
    spent = sum(float(read_json(path)["seconds"]) for path in records if path.is_file()) / 60
    return max(minutes - spent, (1 - sum(PARTS.values())) * minutes)


def has_trained_parts(directory: Path) -> bool:
    """Return whether all first stages of a stopped run are done, that is, whether the policy has a checkpoint.

    Raises:
        ValueError: no stage has a checkpoint.
    """
    started = [name for name in (".", *PARTS) if (directory / name / "checkpoint").is_dir()]
    if not started:
        raise ValueError(f"{directory}: expected a run to go on with, got none; leave out --resume")
    return "." in started


def train_parts(
    model: CARP,
    sampler: ChunkSampler,
    config: CARPTrainConfig,
    schedule: TrainConfig,
    directory: Path,
    device: str = "cpu",
    resume: bool = False,
) -> None:
    """Run the first training stages of a CARP in place, each with a folder of its own.

    Args:
        model: from `carp_for`.
        sampler: from `carp_for`.
        config: steps and learning rate of the stages.
        schedule: of the whole run; with minutes each stage has a share of them, at most.
        directory: folder of the policy.
        device: device of the training.
        resume: continue from the checkpoints of the stages, where there are any.
    """
    stages: list[tuple[type[SceneRecipe | EncoderRecipe | ActionVQRecipe], int]] = [
        (EncoderRecipe, config.encoder_steps),
        (ActionVQRecipe, config.tokenizer_steps),
    ]
    if model.config.scene_dim:
        stages.insert(0, (SceneRecipe, config.scene_steps))
    model.to(device)
    for stage, steps in stages:
        if steps:
            recipe: Recipe = stage(model, sampler, config)
            minutes = PARTS[recipe.name] * schedule.minutes
            own = replace(schedule, steps=steps, minutes=minutes, learning_rate=config.parts_learning_rate)
            trainer = Trainer(recipe, own, directory / recipe.name, device)
            trainer.run(resume and (trainer.directory / "checkpoint").is_dir())
            recipe.model.load_state_dict(trainer.ema.model.state_dict())
            if isinstance(recipe, SceneRecipe):
                recipe.finish()
    model.freeze_codes()
