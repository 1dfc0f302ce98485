"""How long and how to train."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How long and how to train. Give `steps`, or `minutes` to let the schedule follow the clock."""

    steps: int = 0
    minutes: float = 0.0
    learning_rate: float = 3e-4
    warmup: float = 0.02
    """Part of the run in which the rate of learning rises."""
    decay: float = 0.4
    """Part of the run, at its end, in which it falls to zero along a cosine; 1 is a cosine throughout."""
    weight_decay: float = 1e-4
    clip: float = 1.0
    accumulate: int = 1
    ema: float = 0.999
    autocast: bool = True
    """Multiply in bfloat16 where the device can: a CPU without such instructions is fifty times slower at it."""
    seed: int = 0
    log_every: int = 20
    validate_minutes: float = 10.0
    save_minutes: float = 5.0

    def __post_init__(self) -> None:
        if (self.steps > 0) == (self.minutes > 0):
            raise ValueError(
                f"steps: expected steps or minutes, got {self.steps} and {self.minutes}; give one of them"
            )
        if self.accumulate < 1:
            raise ValueError(f"accumulate: expected >= 1, got {self.accumulate}; use 1")

    def rate(self, position: float) -> float:
        """Return the rate of learning at a position 0..1 of the run."""
        if position < self.warmup:
            return self.learning_rate * (position / self.warmup)
        fall = max(0.0, (position - (1 - self.decay)) / max(self.decay, 1e-9))
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * min(fall, 1.0)))
