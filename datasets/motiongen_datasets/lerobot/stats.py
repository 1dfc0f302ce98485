"""Statistics of columns, for each episode and for the whole dataset: range, mean, deviation, quantiles."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
"""Name -> probability of the quantile."""


@dataclass(frozen=True)
class Stats:
    """Statistics of rows of N numbers.

    Attributes:
        count: number of rows.
        min: minima (N,), of the numbers' own type.
        max: maxima (N,), likewise.
        mean: means (N,).
        std: standard deviations (N,).
        quantiles: (len(QUANTILES), N).
    """

    count: int
    min: NDArray[Any]
    max: NDArray[Any]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    quantiles: NDArray[np.float64]

    @classmethod
    def of(cls, rows: NDArray[Any]) -> "Stats":
        """Return the statistics of rows (R, N)."""
        precise = rows.astype(np.float64)
        quantiles = np.quantile(precise, list(QUANTILES.values()), axis=0)
        return cls(len(rows), rows.min(0), rows.max(0), precise.mean(0), precise.std(0), quantiles)

    @classmethod
    def of_pictures(cls, pictures: NDArray[np.uint8]) -> "Stats":
        """Return the statistics of the three colours, scaled to 0 to 1, of pictures (R, H, W, 3)."""
        levels = np.arange(256) / 255
        # Counts of 256 values are faster than sums over millions of pixels, and as exact.
        counts = np.stack(
            [np.bincount(pictures[..., c].ravel(), minlength=256) for c in range(3)]
        )  # (3, 256)
        share = counts / counts.sum(1, keepdims=True)
        mean = share @ levels
        std = np.sqrt((share * (levels - mean[:, None]) ** 2).sum(1))
        seen = [levels[one > 0] for one in counts]
        below = [[np.searchsorted(one.cumsum(), q) for one in share] for q in QUANTILES.values()]
        return cls(
            len(pictures),
            np.array([one[0] for one in seen]),
            np.array([one[-1] for one in seen]),
            mean,
            std,
            levels[np.minimum(below, 255)],
        )

    def __add__(self, other: "Stats") -> "Stats":
        """Return the statistics of both sets of rows (Chan et al. 1979, equation 2.1).

        Quantiles are averaged, as in LeRobot.
        """
        count = self.count + other.count
        apart = other.mean - self.mean
        squares = self.count * self.std**2 + other.count * other.std**2
        squares = squares + apart**2 * self.count * other.count / count
        return Stats(
            count,
            np.minimum(self.min, other.min),
            np.maximum(self.max, other.max),
            self.mean + apart * other.count / count,
            np.sqrt(squares / count),
            (self.quantiles * self.count + other.quantiles * other.count) / count,
        )

    def as_lists(self, shape: tuple[int, ...] = (-1,)) -> dict[str, list[Any]]:
        """Return name -> nested lists, as they are stored; `count` is a list of one number.

        Args:
            shape: of the stored arrays.
        """
        arrays = {"min": self.min, "max": self.max, "mean": self.mean, "std": self.std}
        arrays |= dict(zip(QUANTILES, self.quantiles, strict=True))
        lists = {name: array.reshape(shape).tolist() for name, array in arrays.items()}
        return {**lists, "count": [self.count]}
