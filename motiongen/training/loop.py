"""Training loop for all models: mixed precision, gradient accumulation, schedule, EMA, exact resume, logs.

What differs between models is a `Recipe`. All randomness comes from one generator on the CPU, whose state is saved: ten
steps give the same bits as five steps and, after a resume, five more.

The batches of a step (`accumulate`) may be shared among processes (`processes.py`). Where there are several, each has a
generator of its own, seeded by that of the loop: who computes it, and beside what, changes nothing.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from motiongen.devices import resolve_device
from motiongen.training import state as saved
from motiongen.training.config import TrainConfig
from motiongen.training.ema import EMA
from motiongen.training.interrupt import Interrupt, deferred_interrupt
from motiongen.training.muon import Muon
from motiongen.training.processes import Processes
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


@runtime_checkable
class LearnsFromValues(Protocol):
    """Protocol of a recipe whose model learns from a batch without gradients, too, as codebooks do by moving averages.

    It learns once a step, from all its batches together, whichever process has computed them.
    """

    @property
    def seen(self) -> Mapping[str, Tensor]:
        """What is learned from the batch of the last `loss`: tensors (B, ...), of the same shapes for every batch."""
        ...

    def learn(self, seen: Mapping[str, Tensor], generator: torch.Generator) -> None:
        """Learn from what was seen of all batches of a step, joined along the first axis."""
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

    Raises:
        ValueError: batches of a step that the processes of the training cannot share evenly.
    """

    def __init__(
        self, recipe: Recipe, config: TrainConfig, directory: str | Path, device: str = "cpu"
    ) -> None:
        self.recipe, self.config, self.directory = recipe, config, Path(directory)
        self.device = resolve_device(device)
        self.processes = Processes.current(self.device)
        if config.accumulate % self.processes.count:
            raise ValueError(
                f"accumulate: expected a multiple of the {self.processes.count} processes, which share the batches of "
                f"a step, got {config.accumulate}; give --accumulate {self.processes.count}"
            )
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
        self._is_alike = self.processes.count == 1  # the models of all processes

    @property
    def position(self) -> float:
        """Share of the run that is done, 0..1."""
        return min(self._position_after(self.step), 1.0)

    def _position_after(self, step: int) -> float:
        config = self.config
        by_steps = step / config.steps if config.steps else 0.0
        return max(by_steps, self.seconds / (config.minutes * 60) if config.minutes else 0.0)

    def train_step(self) -> dict[str, float]:
        """Run one optimizer step; return the mean losses of its batches, gradient `norm` and learning `rate`."""
        rate = self.config.rate(min(self._position_after(self.step + 1), 1.0))
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group.get("lr_scale", 1.0)
        model, count = self.recipe.model.train(), self.config.accumulate
        losses, seen = self._backward(self._generators())
        self.processes.sum_gradients(model.parameters())
        if isinstance(self.recipe, LearnsFromValues):
            self.recipe.learn(self._joined(seen), self.generator)
        norm = nn.utils.clip_grad_norm_(model.parameters(), self.config.clip)
        if bool(torch.isfinite(norm)):
            self.optimizer.step()
        elif self.processes.is_first:
            log.warning("step %d: the gradient is not finite, skipped", self.step)
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.ema.update(model, self.step)
        means = self.processes.sum([sum(float(each[key]) for each in losses) / count for key in losses[0]])
        return {**dict(zip(losses[0], means, strict=True)), "norm": float(norm), "rate": rate}

    def _generators(self) -> list[torch.Generator]:
        """Return the generators of the batches of a step: that of the loop, if there is one batch."""
        count = self.config.accumulate
        if count == 1:
            return [self.generator]
        seeds = torch.randint(2**62, (count,), generator=self.generator).tolist()
        return [torch.Generator().manual_seed(seed) for seed in seeds]

    def _backward(
        self, generators: Sequence[torch.Generator]
    ) -> tuple[list[dict[str, Tensor]], list[Mapping[str, Tensor]]]:
        """Add up the gradients of this process's batches; return the losses of each, and what it has seen."""
        losses, seen = [], []
        for number in self.processes.own(len(generators)):
            if number and not self._is_alike:
                self._be_alike()
            generator = generators[number]
            sample = self.recipe.sample(generator)
            batch = {key: value.to(self.device) for key, value in sample.items()}
            with (
                self._seeded_dropout(generator),
                torch.autocast(self.device.type, torch.bfloat16, self._uses_bfloat16),
            ):
                found = self.recipe.loss(batch, generator)
            (found["loss"] / len(generators)).backward()
            losses.append({key: value.detach() for key, value in found.items()})
            if isinstance(self.recipe, LearnsFromValues):
                seen.append(self.recipe.seen)
            if not self._is_alike:
                self._be_alike()
        return losses, seen

    def _be_alike(self) -> None:
        """Give all processes the model of the first one, after its first batch, by which codebooks may begin."""
        self.processes.spread([*self.recipe.model.parameters(), *self.recipe.model.buffers()])
        self._is_alike = True

    def _joined(self, seen: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """Return what was seen of all batches of a step, joined."""
        if self.config.accumulate == 1:
            return dict(seen[0])
        return {key: torch.cat(self.processes.gather([each[key] for each in seen])) for key in seen[0]}

    @contextmanager
    def _seeded_dropout(self, generator: torch.Generator) -> Iterator[None]:
        """Seed dropout, which draws from torch's global generator, by the generator of a batch."""
        seed = int(torch.randint(2**62, (1,), generator=generator))
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
        is_first, shared = self.processes.is_first, self.processes.count > 1
        facts = asdict(self.config)
        log_of_all = TrainingLog(self.directory, self.recipe.name, facts) if is_first else nullcontext()
        with log_of_all as training_log:
            with deferred_interrupt(repeats=not shared) as interrupt:
                self._run(training_log, interrupt)
                if interrupt.pending:
                    self._stop()
            if training_log is not None:
                self.metrics = self._validate(training_log)
        if is_first:
            self.save()
            self.recipe.export(self.ema.model, self.directory, self.metrics)
        self.processes.wait()  # who reads these files finds them whole
        return self.metrics

    def _stop(self) -> NoReturn:
        """Save a checkpoint, and raise KeyboardInterrupt."""
        if self.processes.is_first:
            self.save()
            log.warning("stopped at step %d; %s is saved, go on with --resume", self.step, self.directory)
        self.processes.wait()  # a launcher ends all when one has ended
        raise KeyboardInterrupt

    def _run(self, training_log: TrainingLog | None, interrupt: Interrupt) -> None:
        last_saved = last_validated = self.seconds
        while self.position < 1 and not interrupt.pending:
            began = time.perf_counter()
            losses = self.train_step()
            self._pass_time(time.perf_counter() - began, interrupt)
            if training_log is None:  # the first process does the rest, and the others wait in the next step
                continue
            if self.step % self.config.log_every == 0 or self.step == 1:
                training_log.losses(self.step, self.seconds, self.position, losses)
            if self.seconds - last_validated > self.config.validate_minutes * 60:
                last_validated = self.seconds
                self.metrics = self._validate(training_log)
                self.recipe.export(self.ema.model, self.directory, self.metrics)
            if self.seconds - last_saved > self.config.save_minutes * 60:
                last_saved = self.seconds
                self.save()

    def _pass_time(self, seconds: float, interrupt: Interrupt) -> None:
        """Add the seconds of a step, as the first process measured them; an interrupt of one process is that of all."""
        seconds, interrupts = self.processes.sum(
            [seconds * self.processes.is_first, float(interrupt.pending)]
        )
        self.seconds += seconds
        interrupt.pending = interrupts > 0

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
        """Load the checkpoint in the folder.

        Raises:
            ValueError: there is none, or it is of another recipe or of another number of batches a step.
        """
        record = saved.load(
            self.directory / "checkpoint", self.recipe.model, self.ema.model, self.optimizer, self.generator
        )
        if record["recipe"] != self.recipe.name:
            raise ValueError(
                f"recipe: expected {self.recipe.name}, got {record['recipe']}; give another folder"
            )
        before = record.get("config", {}).get("accumulate", self.config.accumulate)
        if before != self.config.accumulate:
            raise ValueError(
                f"accumulate: expected {before} batches a step, as this run began, got {self.config.accumulate}; "
                f"give --accumulate {before}, with any number of processes that divides it"
            )
        self.step, self.seconds, self.metrics = record["step"], record["seconds"], record["metrics"]
