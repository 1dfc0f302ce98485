"""Where a hand, a foot or the head is, at a time or over a span."""

from dataclasses import dataclass
from typing import ClassVar

from motiongen.constraints import check
from motiongen.registry import suggest

PINNED = ("left_wrist", "right_wrist", "left_ankle", "right_ankle", "head")
"""Joints that can be held: hands are their wrists, feet their ankles."""
SAID = {
    "left_hand": "left_wrist", "right_hand": "right_wrist", "left_foot": "left_ankle", "right_foot": "right_ankle",
}  # fmt: skip
"""Other words for them."""


@dataclass(frozen=True, kw_only=True)
class JointKey:
    """A hand, a foot or the head is at a place, turned in a way, or both.

    Attributes:
        joint: one of `PINNED`.
        time: seconds.
        until: end of the span in which it is held, seconds; None for the one time.
        position: (x, y, z) in the world, metres; None for any.
        rotation: of the joint in the world, a unit quaternion x, y, z, w; identity is that of the T-pose facing +Z;
            None for any.
    """

    kind: ClassVar[str] = "joint"

    joint: str
    time: float
    until: float | None = None
    position: tuple[float, float, float] | None = None
    rotation: tuple[float, float, float, float] | None = None

    def __post_init__(self) -> None:
        if self.joint not in PINNED:
            nearest = SAID.get(self.joint) or suggest(str(self.joint), PINNED)
            hint = f"did you mean {nearest}?" if nearest else "pick one"
            raise ValueError(f"joint: expected one of {', '.join(PINNED)}, got {self.joint!r}; {hint}")
        check.times(self.kind, self.time, self.until)
        if self.position is None and self.rotation is None:
            raise ValueError(
                f"joint: expected a position or a rotation of {self.joint}, got neither; give one"
            )
        if self.position is not None:
            check.finite(self.kind, "position", self.position, 3)
        if self.rotation is not None:
            check.unit(self.kind, "rotation", self.rotation)

    @property
    def span(self) -> tuple[float, float]:
        """First and last time, seconds."""
        return self.time, self.time if self.until is None else self.until

    @property
    def label(self) -> str:
        """Short name for messages."""
        end = "" if self.until is None else f" to {self.until:.2f}"
        return f"{self.joint} at {self.time:.2f}{end} s"
