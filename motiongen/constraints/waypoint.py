"""A place where the root is at a time."""

from dataclasses import dataclass
from typing import ClassVar

from motiongen.constraints import check


@dataclass(frozen=True, kw_only=True)
class Waypoint:
    """The root is over a place at a time, and faces a direction there if one is given.

    Attributes:
        time: seconds.
        x: metres.
        z: metres.
        heading: angle about +Y, radians, 0 facing +Z; None for any.
    """

    kind: ClassVar[str] = "waypoint"

    time: float
    x: float
    z: float
    heading: float | None = None

    def __post_init__(self) -> None:
        check.times(self.kind, self.time)
        check.finite(self.kind, "x and z", (self.x, self.z), 2)
        if self.heading is not None:
            check.finite(self.kind, "heading", self.heading)

    @property
    def span(self) -> tuple[float, float]:
        """First and last time, seconds."""
        return self.time, self.time

    @property
    def label(self) -> str:
        """Short name for messages."""
        return f"waypoint at {self.time:.2f} s"
