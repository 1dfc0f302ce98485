"""Bootstrap confidence interval of a mean."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval, low to high."""

    mean: float
    low: float
    high: float


def mean_interval(
    values: Tensor, *, generator: torch.Generator, resamples: int = 2000, level: float = 0.95
) -> Interval:
    """Return the mean of values (N,) with its percentile bootstrap interval (Efron, Annals of Statistics 1979).

    Values have to be independent: one for each dance, not one for each beat. With fewer than about ten values the
    interval is too narrow.

    Args:
        values: (N,), finite.
        generator: on the CPU; draws the bootstrap samples.
        resamples: number of bootstrap samples.
        level: confidence level, between 0 and 1.

    Raises:
        ValueError: fewer than two values, or one that is not finite.
    """
    if values.dim() != 1 or len(values) < 2:
        raise ValueError(f"values: expected (N >= 2,), got {tuple(values.shape)}; measure more")
    if not torch.isfinite(values).all():
        bad = int((~torch.isfinite(values)).nonzero()[0, 0])
        raise ValueError(f"values: expected finite numbers, got {float(values[bad])} at {bad}; leave it out")
    values = values.double().cpu()
    picks = torch.randint(len(values), (resamples, len(values)), generator=generator)
    means = values[picks].mean(dim=1)  # (resamples,)
    low, high = means.quantile(means.new_tensor([(1 - level) / 2, (1 + level) / 2])).tolist()
    return Interval(float(values.mean()), low, high)
