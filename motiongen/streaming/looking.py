"""A head that is turned to a point, frame by frame, as far as a neck turns."""

import math

from motiongen.constraints.gaze import ASIDE, DOWN, NECK, UP
from motiongen.streaming.single_pose import Vector, between, blend, inverse, rotate, subtract
from motiongen.streaming.spring import Spring
from motiongen.streaming.upper_body import CHEST, HEAD, UpperBody
from motiongen.streaming.upper_body import NECK as NECK_JOINT

EASING, FOLLOWING = 8.0, 12.0
"""Stiffness with which a head leaves its motion and comes back, and follows a point that moves, radians a second."""
IDLE = 0.002
"""Share of the point below which a head is its motion's."""
_NONE, _AHEAD = (0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0)


class Looking:
    """The head of one character.

    Attributes:
        goal: the point in the world, metres; None where the head is its motion's.
    """

    def __init__(self) -> None:
        """Leave the head to its motion."""
        self.goal: Vector | None = None
        self._share, self._aside, self._up = Spring(), Spring(), Spring()

    @property
    def is_idle(self) -> bool:
        """Whether the head is its motion's."""
        return self.goal is None and self._share.at < IDLE

    def beyond(self, body: UpperBody, point: Vector) -> float:
        """Return by how much a point is more aside than a neck turns, radians; 0 where it is not.

        Args:
            body: a frame.
            point: metres.
        """
        return max(0.0, abs(_direction(body, point)[0]) - ASIDE)

    def apply(self, body: UpperBody) -> None:
        """Turn the head by a frame.

        Args:
            body: the frame, which is changed.
        """
        if self.is_idle:
            self._share = Spring()
            return
        if self.goal is not None:
            aside, up = _direction(body, self.goal)
            aside, up = min(max(aside, -ASIDE), ASIDE), min(max(up, -DOWN), UP)
            if self._share.at < IDLE:
                self._aside, self._up = Spring(aside), Spring(up)
            self._aside.follow(aside, FOLLOWING)
            self._up.follow(up, FOLLOWING)
        share = self._share.follow(0.0 if self.goal is None else 1.0, EASING)
        level = math.cos(self._up.at)
        way = math.sin(self._aside.at) * level, math.sin(self._up.at), math.cos(self._aside.at) * level
        looks = rotate(body.rotation(HEAD), _AHEAD)
        turn = blend(_NONE, between(looks, rotate(body.rotation(CHEST), way)), share)
        part = blend(_NONE, turn, NECK)
        body.turn(NECK_JOINT, part)
        rest = between(rotate(part, looks), rotate(turn, looks))
        body.turn(HEAD, rest)


def _direction(body: UpperBody, point: Vector) -> tuple[float, float]:
    """Return how far aside and up from the chest a point is, radians."""
    x, y, z = rotate(inverse(body.rotation(CHEST)), subtract(point, body.place(HEAD)))
    return math.atan2(x, z), math.atan2(y, math.hypot(x, z))
