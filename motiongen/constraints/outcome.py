"""How well a constraint was met: what the model did, and what the correction left."""

import math
from dataclasses import dataclass

from motiongen.constraints.file import Constraint

MISSED_METRES, MISSED_RADIANS = 0.05, math.radians(10)
"""Errors from which a constraint counts as missed."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The errors of one constraint before and after the correction.

    Attributes:
        constraint: what was asked.
        before: distance from it in the motion as written, metres; None where no place is asked.
        after: the same in the corrected motion.
        turned_before: angle from it in the motion as written, radians; None where no direction is asked.
        turned_after: the same in the corrected motion.
    """

    constraint: Constraint
    before: float | None
    after: float | None
    turned_before: float | None = None
    turned_after: float | None = None

    @property
    def met(self) -> bool:
        """Whether nothing is off by more than MISSED_METRES and MISSED_RADIANS."""
        return (self.after or 0) <= MISSED_METRES and (self.turned_after or 0) <= MISSED_RADIANS

    def __str__(self) -> str:
        parts = []
        if self.before is not None and self.after is not None:
            parts.append(f"{100 * self.before:.1f} cm -> {100 * self.after:.1f} cm")
        if self.turned_before is not None and self.turned_after is not None:
            parts.append(
                f"{math.degrees(self.turned_before):.0f} -> {math.degrees(self.turned_after):.0f} degrees"
            )
        missed = "" if self.met else "  (missed: out of reach, or against another constraint)"
        return f"{self.constraint.label}: {', '.join(parts)}{missed}"
