"""A point that the head looks at."""

from dataclasses import dataclass
from typing import ClassVar

from motiongen.constraints import check


@dataclass(frozen=True, kw_only=True)
class LookAt:
    """The head is turned to a point, as far as a neck turns.

    Attributes:
        point: (x, y, z), metres.
        time: begin of the span, seconds.
        until: its end, seconds; None for the one time.
    """

    kind: ClassVar[str] = "look_at"

    point: tuple[float, float, float]
    time: float
    until: float | None = None

    def __post_init__(self) -> None:
        check.times(self.kind, self.time, self.until)
        check.finite(self.kind, "point", self.point, 3)

    @property
    def span(self) -> tuple[float, float]:
        """First and last time, seconds."""
        return self.time, self.time if self.until is None else self.until

    @property
    def label(self) -> str:
        """Short name for messages."""
        end = "" if self.until is None else f" to {self.until:.2f}"
        return f"look at {self.time:.2f}{end} s"
