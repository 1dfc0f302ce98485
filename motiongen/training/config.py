"""Training schedule and optimizer options."""

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Schedule and optimizer options. Give `steps`, `minutes`, with which the schedule follows the clock, or both."""

    steps: int = 0
    """Optimizer steps; 0 for as many as the minutes allow."""
    minutes: float = 0.0
    """Training time; 0 for as long as the steps take. With both, what ends first ends the run."""
    optimizer: Literal["adamw", "muon"] = "adamw"
    """muon learns several times faster where most parameters are convolutions; its rate is that of vectors."""
    learning_rate: float = 3e-4
    """Highest learning rate, between the rise and the fall."""
    warmup: float = 0.02
    """Share of the run in which the learning rate rises."""
    decay: float = 0.4
    """Share of the run, at its end, in which the learning rate falls to zero along a cosine; 1 for a full cosine."""
    weight_decay: float = 1e-4
    """Decoupled weight decay of the matrices."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    accumulate: int = 1
    """Batches of a step, whose gradients are added up; processes that torchrun starts share them evenly."""
    ema: float = 0.999
    """Decay of the moving average of the weights."""
    autocast: bool = True
    """Use bfloat16 matrix products if the device has them: without such instructions a CPU is fifty times slower."""
    seed: int = 0
    """Seed of the initial weights, of the batches and of dropout."""
    log_every: int = 20
    """Steps between two lines of the log."""
    validate_minutes: float = 10.0
    """Minutes between two validations."""
    save_minutes: float = 5.0
    """Minutes between two checkpoints."""

    def __post_init__(self) -> None:
        if self.steps < 0 or not 0 <= self.minutes < math.inf or not (self.steps or self.minutes):
            raise ValueError(
                f"steps, minutes: expected one of them more than 0, got {self.steps} and {self.minutes}; "
                "give --steps or --minutes"
            )
        for name in ("accumulate", "log_every"):
            if not 1 <= getattr(self, name) < 2**31:
                raise ValueError(f"{name}: expected >= 1, got {getattr(self, name)}; use the default")
        if abs(self.seed) >= 2**63:
            raise ValueError(f"seed: expected a number of 64 bits, got {self.seed}; 0 is as good")
        for name in ("warmup", "decay", "ema"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected 0..1, got {getattr(self, name)}; use the default")
        for name in ("learning_rate", "weight_decay", "validate_minutes", "save_minutes"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}; use the default")
        if not self.clip > 0:
            raise ValueError(f"clip: expected more than 0, got {self.clip}; 1 is usual, inf clips nothing")

    def rate(self, position: float) -> float:
        """Return the learning rate at a position 0..1 of the run."""
        if position < self.warmup:
            return self.learning_rate * (position / self.warmup)
        fall = max(0.0, (position - (1 - self.decay)) / max(self.decay, 1e-9))
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * min(fall, 1.0)))
