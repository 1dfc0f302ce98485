"""The gaits of a driven character: sentences that the head is told, by the speed and the direction that are wished."""

import math
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Gait:
    """A way to move.

    Attributes:
        text: sentence that the head is told.
        speed: m/s that it moves with by itself, about.
        direction: radians from its front to its left in which it goes.
        is_mirrored: whether its motion is the mirror image of what the sentence gives.
    """

    text: str
    speed: float
    direction: float = 0.0
    is_mirrored: bool = False


STAND = Gait("a person stands idle", 0.0)
FORWARD = (
    Gait("a person walks forward", 0.95),
    Gait("a person jogs forward", 2.1),
    Gait("a person runs forward", 3.2),
    Gait("a person sprints", 6.4),
)
LEFT = Gait("a person walks sideways to the left", 0.6, math.pi / 2)
RIGHT = Gait(LEFT.text, LEFT.speed, -math.pi / 2, is_mirrored=True)
"""The mirror image: heads know one side step better than the other."""
BACK = Gait("a person walks backwards", 0.55, math.pi)
MAX_SPEED = 6.5
"""Metres a second of the fastest gait."""
MOVING_SPEED = 0.12
"""Speed from which a character walks, m/s: below, it stands and steps where it must."""
SIDE, BEHIND = math.radians(55), math.radians(125)
"""Angles between front and way from which a character goes sideways, and backwards."""
STAYS = 1.15
"""A gait is kept until the wish is beyond its limits by this factor."""


def gait_for(speed: float, angle: float, current: Gait) -> Gait:
    """Return the gait for a velocity.

    Args:
        speed: m/s.
        angle: radians from the front, to the left, to the way.
        current: the present gait, which is kept near its limits.
    """
    if speed < MOVING_SPEED * (STAYS if current is STAND else 1 / STAYS):
        return STAND
    away = abs(math.remainder(angle, math.tau))
    side, behind = (
        limit * (STAYS if is_before else 1 / STAYS)
        for limit, is_before in ((SIDE, current in FORWARD), (BEHIND, current in (LEFT, RIGHT)))
    )
    if away > behind:
        return BACK
    if away > side and speed < 2 * math.sqrt(FORWARD[0].speed * FORWARD[1].speed):
        return LEFT if math.remainder(angle, math.tau) > 0 else RIGHT
    for slower, faster in pairwise(FORWARD):
        limit = math.sqrt(slower.speed * faster.speed)
        if speed < limit * (STAYS if current is slower else 1 / STAYS if current is faster else 1):
            return slower
    return FORWARD[-1]
