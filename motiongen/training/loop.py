"""Training loop for all models: mixed precision, gradient accumulation, schedule, EMA, exact resume, logs.

What differs between models is a `Recipe`. All randomness comes from one generator on the CPU, whose state is saved: ten
steps give the same bits as five steps and, after a resume, five more.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from motiongen.devices import resolve_device
from motiongen.training import state as saved
from motiongen.training.config import TrainConfig
from motiongen.training.ema import EMA
from motiongen.training.interrupt import Interrupt, deferred_interrupt
from motiongen.training.muon import Muon
from motiongen.training.progress import TrainingLog

log = logging.getLogger(__name__)

Batch = Mapping[str, Tensor]


class Recipe(Protocol):
    """Protocol of a recipe: the model, data, loss, validation and export of a training."""

    @property
    def name(self) -> str:
        """Name of the trained model, stored in checkpoints."""
        ...

    @property
    def model(self) -> nn.Module:
        """The model that is trained."""
        ...

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the parameter groups for AdamW."""
        ...

    def sample(self, generator: torch.Generator) -> Batch:
        """Return a random training batch, on the CPU."""
        ...

    def loss(self, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        """Return named scalar losses, of which `loss` is minimised; called under autocast, computes losses in fp32."""
        ...

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return metrics of a model, the averaged one, on held-out data."""
        ...

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Save a model for inference.

        Args:
            model: the averaged one.
            directory: destination folder.
            metrics: of the last validation, for the model card.
        """
        ...


def multiplies_bfloat16(device: torch.device) -> bool:
    """Return whether a device has hardware support for bfloat16 matrix products."""
    if device.type == "cpu":
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)


class Trainer:
    """Runs a recipe and writes checkpoints, logs and the exported model to a folder.

    Args:
        recipe: what is trained.
        config: schedule and optimizer options.
        directory: for `checkpoint/`, `log.jsonl`, TensorBoard events and the exported model; created if missing.
        device: device of the training.
    """

    def __init__(
        self, recipe: Recipe, config: TrainConfig, directory: str | Path, device: str = "cpu"
    ) -> None:
        self.recipe, self.config, self.directory = recipe, config, Path(directory)
        self.device = resolve_device(device)
        self.directory.mkdir(parents=True, exist_ok=True)
        recipe.model.to(self.device)
        groups, rate, decay = recipe.parameter_groups(), config.learning_rate, config.weight_decay
        self.optimizer: torch.optim.Optimizer = (
            Muon(groups, lr=rate, weight_decay=decay)
            if config.optimizer == "muon"
            else torch.optim.AdamW(groups, lr=rate, weight_decay=decay, fused=True)
        )
        self.ema = EMA(recipe.model, config.ema)
        self._uses_bfloat16 = config.autocast and multiplies_bfloat16(self.device)
        self.generator = torch.Generator().manual_seed(config.seed)
        self.step, self.seconds = 0, 0.0
        self.metrics: dict[str, float] = {}

    @property
    def position(self) -> float:
        """Share of the run that is done, 0..1."""
        return min(self._position_after(self.step), 1.0)

    def _position_after(self, step: int) -> float:
        config = self.config
        by_steps = step / config.steps if config.steps else 0.0
        return max(by_steps, self.seconds / (config.minutes * 60) if config.minutes else 0.0)

    def train_step(self) -> dict[str, float]:
        """Run one optimizer step; return the losses of its last micro-batch, gradient `norm` and learning `rate`."""
        rate = self.config.rate(min(self._position_after(self.step + 1), 1.0))
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group.get("lr_scale", 1.0)
        self.recipe.model.train()
        for _ in range(self.config.accumulate):
            batch = {key: value.to(self.device) for key, value in self.recipe.sample(self.generator).items()}
            with (
                self._seeded_dropout(),
                torch.autocast(self.device.type, torch.bfloat16, self._uses_bfloat16),
            ):
                losses = self.recipe.loss(batch, self.generator)
            (losses["loss"] / self.config.accumulate).backward()
        norm = nn.utils.clip_grad_norm_(self.recipe.model.parameters(), self.config.clip)
        if bool(torch.isfinite(norm)):
            self.optimizer.step()
        else:
            log.warning("step %d: the gradient is not finite, skipped", self.step)
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.ema.update(self.recipe.model, self.step)
        return {
            **{key: float(value.detach()) for key, value in losses.items()},
            "norm": float(norm),
            "rate": rate,
        }

    @contextmanager
    def _seeded_dropout(self) -> Iterator[None]:
        """Seed dropout, which draws from torch's global generator, by the generator of the loop."""
        seed = int(torch.randint(2**62, (1,), generator=self.generator))
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(seed)
            yield

    def run(self, resume: bool = False) -> dict[str, float]:
        """Train to the end, export the model, and return the last metrics.

        Args:
            resume: continue from the checkpoint in the folder.

        Raises:
            KeyboardInterrupt: at Ctrl-C, after the current step is finished and a checkpoint saved.
            ValueError: nothing to resume, or the checkpoint of another recipe.
        """
        if resume:
            self.load()
        with TrainingLog(self.directory, self.recipe.name, asdict(self.config)) as training_log:
            with deferred_interrupt() as interrupt:
                self._run(training_log, interrupt)
            if interrupt.pending:
                self.save()
                log.warning("stopped at step %d; %s is saved, go on with --resume", self.step, self.directory)
                raise KeyboardInterrupt
            self.metrics = self._validate(training_log)
        self.save()
        self.recipe.export(self.ema.model, self.directory, self.metrics)
        return self.metrics

    def _run(self, training_log: TrainingLog, interrupt: Interrupt) -> None:
        last_saved = last_validated = self.seconds
        while self.position < 1 and not interrupt.pending:
            began = time.perf_counter()
            losses = self.train_step()
            self.seconds += time.perf_counter() - began
            if self.step % self.config.log_every == 0 or self.step == 1:
                training_log.losses(self.step, self.seconds, self.position, losses)
            if self.seconds - last_validated > self.config.validate_minutes * 60:
                last_validated = self.seconds
                self.metrics = self._validate(training_log)
                self.recipe.export(self.ema.model, self.directory, self.metrics)
            if self.seconds - last_saved > self.config.save_minutes * 60:
                last_saved = self.seconds
                self.save()

    def _validate(self, training_log: TrainingLog) -> dict[str, float]:
        with torch.no_grad():
            metrics = self.recipe.validate(self.ema.model.eval())
        training_log.metrics(self.step, self.seconds, metrics)
        return metrics

    def save(self) -> None:
        """Write a checkpoint with everything that the next step depends on."""
        record = {
            "step": self.step,
            "seconds": self.seconds,
            "metrics": self.metrics,
            "recipe": self.recipe.name,
            "config": asdict(self.config),
        }
        folder = self.directory / "checkpoint"
        saved.save(folder, self.recipe.model, self.ema.model, self.optimizer, self.generator, record)

    def load(self) -> None:
        """Load the checkpoint in the folder. Raises ValueError if there is none or it is of another recipe."""
        record = saved.load(
            self.directory / "checkpoint", self.recipe.model, self.ema.model, self.optimizer, self.generator
        )
        if record["recipe"] != self.recipe.name:
            raise ValueError(
                f"recipe: expected {self.recipe.name}, got {record['recipe']}; give another folder"
            )
        self.step, self.seconds, self.metrics = record["step"], record["seconds"], record["metrics"]
