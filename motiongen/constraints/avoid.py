"""A circle or a box on the floor that the path goes around."""

from dataclasses import dataclass
from typing import ClassVar

from motiongen.constraints import check


@dataclass(frozen=True, kw_only=True)
class Avoid:
    """Nobody walks through here.

    Attributes:
        center: (x, z), metres.
        radius: of a circle, metres; None for a box.
        size: of a box along x and z before it is turned, metres; None for a circle.
        turn: of the box about +Y, radians.
    """

    kind: ClassVar[str] = "avoid"

    center: tuple[float, float]
    radius: float | None = None
    size: tuple[float, float] | None = None
    turn: float = 0.0

    def __post_init__(self) -> None:
        check.finite(self.kind, "center", self.center, 2)
        check.finite(self.kind, "turn", self.turn)
        if (self.radius is None) == (self.size is None):
            raise ValueError(
                "avoid: expected a radius (a circle) or a size (a box), got both or neither; give one"
            )
        sizes = (self.radius,) if self.size is None else self.size
        for size in sizes:
            assert size is not None
            check.finite(self.kind, "radius or size", size)
            if size <= 0:
                raise ValueError(f"avoid: expected a radius or a size over 0, got {size:g}; metres are meant")
        if self.size is not None and len(self.size) != 2:
            raise ValueError(f"avoid: expected a size along x and z, got {len(self.size)} numbers; give both")

    @property
    def span(self) -> tuple[float, float]:
        """No time: an obstacle is always there."""
        return 0.0, 0.0

    @property
    def label(self) -> str:
        """Short name for messages."""
        what = "circle" if self.size is None else "box"
        return f"{what} at ({self.center[0]:g}, {self.center[1]:g})"
