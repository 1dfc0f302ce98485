"""One training loop for every model: mixed precision, accumulation, schedule, EMA, exact resume, logs.

What differs between models is a `Recipe`. The loop's own randomness is one generator on the CPU, whose state is saved,
so that ten steps and five steps, resumed for five, give the same bits.
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

from motiongen.training import state as saved
from motiongen.training.config import TrainConfig
from motiongen.training.ema import EMA
from motiongen.training.interrupt import Interrupt, deferred_interrupt
from motiongen.training.progress import TrainingLog

log = logging.getLogger(__name__)

Batch = Mapping[str, Tensor]


class Recipe(Protocol):
    """What the loop must know of a model and its data."""

    @property
    def name(self) -> str:
        """What is trained: names the checkpoint."""
        ...

    @property
    def model(self) -> nn.Module:
        """The model that is trained."""
        ...

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return AdamW's parameter groups."""
        ...

    def sample(self, generator: torch.Generator) -> Batch:
        """Return a random training batch, on the CPU."""
        ...

    def loss(self, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        """Return named scalars; `loss` is what is minimised. Runs under autocast; computes losses in fp32."""
        ...

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return metrics of a model (the averaged one) on held-out data."""
        ...

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Write the finished model for use."""
        ...


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies matrices of bfloat16 faster than of float32."""
    if device.type == "cpu":
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)


class Trainer:
    """Runs a recipe in a folder: `checkpoint/` to resume from, `log.jsonl`, TensorBoard events, the exported model."""

    def __init__(
        self, recipe: Recipe, config: TrainConfig, directory: str | Path, device: str = "cpu"
    ) -> None:
        self.recipe, self.config, self.directory = recipe, config, Path(directory)
        self.device = torch.device(device)
        self.directory.mkdir(parents=True, exist_ok=True)
        recipe.model.to(self.device)
        self.optimizer = torch.optim.AdamW(
            recipe.parameter_groups(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self.ema = EMA(recipe.model, config.ema)
        self._is_narrow = config.autocast and multiplies_bfloat16(self.device)
        self.generator = torch.Generator().manual_seed(config.seed)
        self.step, self.seconds = 0, 0.0
        self.metrics: dict[str, float] = {}

    @property
    def position(self) -> float:
        """How much of the run is done, 0..1."""
        if self.config.steps:
            return min(self.step / self.config.steps, 1.0)
        return min(self.seconds / (self.config.minutes * 60), 1.0)

    def train_step(self) -> dict[str, float]:
        """Make one step of the optimizer; return the losses of its last micro-batch and the gradient's norm."""
        rate = self.config.rate(self.position if self.config.minutes else (self.step + 1) / self.config.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group.get("lr_scale", 1.0)
        self.recipe.model.train()
        for _ in range(self.config.accumulate):
            batch = {key: value.to(self.device) for key, value in self.recipe.sample(self.generator).items()}
            with self._own_dropout(), torch.autocast(self.device.type, torch.bfloat16, self._is_narrow):
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
    def _own_dropout(self) -> Iterator[None]:
        """Let dropout, which draws from torch's global generator, draw what the loop's own says."""
        seed = int(torch.randint(2**62, (1,), generator=self.generator))
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(seed)
            yield

    def run(self, resume: bool = False) -> dict[str, float]:
        """Train to the end and return the last metrics; at Ctrl-C finish the step, save and raise KeyboardInterrupt."""
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
        """Write everything that the next step depends on, whole or not at all."""
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
        """Go on from the folder's checkpoint. Raises ValueError when there is none or it is another recipe's."""
        record = saved.load(
            self.directory / "checkpoint", self.recipe.model, self.ema.model, self.optimizer, self.generator
        )
        if record["recipe"] != self.recipe.name:
            raise ValueError(
                f"recipe: expected {self.recipe.name}, got {record['recipe']}; give another folder"
            )
        self.step, self.seconds, self.metrics = record["step"], record["seconds"], record["metrics"]
