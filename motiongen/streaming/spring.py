"""Critically damped springs: what follows a goal without overshoot, also where the goal jumps at any frame."""

import math
from dataclasses import dataclass

from motiongen.features import FPS


@dataclass
class Spring:
    """A number that follows a goal.

    Attributes:
        at: the number.
        rate: its change a second.
    """

    at: float = 0.0
    rate: float = 0.0

    def follow(self, goal: float, stiffness: float, most: float = math.inf) -> float:
        """Go on by a frame, and return the number. 90 % of a step are done in 3.9 / stiffness seconds.

        Args:
            goal: what is followed.
            stiffness: radians a second.
            most: largest change a second.
        """
        away = self.at - goal
        push = self.rate + stiffness * away
        fades = math.exp(-stiffness / FPS)
        at = goal + fades * (away + push / FPS)
        self.rate = fades * (self.rate - stiffness * push / FPS)
        change = at - self.at
        if abs(change) > most / FPS:
            at = self.at + math.copysign(most / FPS, change)
            self.rate = math.copysign(most, change)
        self.at = at
        return at
