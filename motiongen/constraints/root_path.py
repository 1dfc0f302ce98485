"""A path of the root over the floor."""

from dataclasses import dataclass
from typing import ClassVar

from motiongen.constraints import check


@dataclass(frozen=True, kw_only=True)
class RootPath:
    """The root goes along points, each at its time; its sway from step to step stays.

    Attributes:
        times: K times in rising order, seconds.
        points: K places (x, z) on the floor, metres.
        headings: K angles about +Y that the body faces, radians, 0 facing +Z; None to face along the path.
    """

    kind: ClassVar[str] = "root_path"

    times: tuple[float, ...]
    points: tuple[tuple[float, float], ...]
    headings: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not self.times or len(self.times) != len(self.points):
            raise ValueError(
                f"root_path: expected as many points as times, got {len(self.points)} and "
                f"{len(self.times)}; give one each"
            )
        for time, point in zip(self.times, self.points, strict=True):
            check.times(self.kind, time)
            check.finite(self.kind, "points", point, 2)
        for before, after in zip(self.times, self.times[1:], strict=False):
            if after <= before:
                raise ValueError(
                    f"root_path: expected rising times, got {before:g} before {after:g}; sort them"
                )
        if self.headings is not None:
            check.finite(self.kind, "headings", self.headings, len(self.times))

    @property
    def span(self) -> tuple[float, float]:
        """First and last time, seconds."""
        return self.times[0], self.times[-1]

    @property
    def label(self) -> str:
        """Short name for messages."""
        return f"path from {self.times[0]:.2f} to {self.times[-1]:.2f} s"
