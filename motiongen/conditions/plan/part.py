"""Part: one act of a plan, a sentence for the head and what is done to the motion that the head writes for it."""

import math
from dataclasses import dataclass, fields

REST_SECONDS = 1.5
"""Length of a rest, unless another is asked for."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One act of a plan.

    Attributes:
        text: sentence for the head.
        clause: what was said, for people.
        repeats: how often the act is seen; 0 where nobody said.
        steps: steps after which it ends; 0 where nobody said.
        tempo: factor of its speed.
        turn: net turn of the body, radians, to the left where positive; 0 where nobody said.
        travels: whether it turns while it goes, in a curve, and not in place.
        sideways: whether going sideways is as good as turning.
        rests: whether it only stands.
        beside: sentence whose arms and trunk are seen meanwhile; empty for none.
    """

    text: str
    clause: str = ""
    repeats: int = 0
    steps: int = 0
    tempo: float = 1.0
    turn: float = 0.0
    travels: bool = False
    sideways: bool = False
    rests: bool = False
    beside: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether the head's motion stays as it is."""
        given = (getattr(self, field.name) != field.default for field in fields(self)[2:])
        return not any(given)

    def describe(self) -> str:
        """Return the part in words: its sentence, and what is done to the motion."""
        side = "left" if self.turn > 0 else "right"
        done = [
            {0: "", 1: "once", 2: "twice"}.get(self.repeats, f"{self.repeats} times"),
            f"{self.steps} steps" if self.steps else "",
            f"at {self.tempo:.2g} of its speed" if self.tempo != 1 else "",
            f"turned by {abs(math.degrees(self.turn)):.0f}° to the {side}" if self.turn else "",
            f"for {REST_SECONDS:g} s" if self.rests else "",
            f"with the arms of: {self.beside}" if self.beside else "",
        ]
        return " · ".join([self.text, *(words for words in done if words)])
