"""A way over the floor that a driven character follows to its end: frame by frame, the velocity that keeps to it."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise

import torch

from motiongen.constraints import Avoid
from motiongen.constraints.obstacles import around
from motiongen.features import FPS
from motiongen.streaming.barrier import KEEPS_AWAY, pushed_out
from motiongen.streaming.gaits import MAX_SPEED

Point = tuple[float, float]
USUAL_SPEED = 1.2
"""Metres a second where none is asked."""
APPROACH = 3.0
"""Speed for each metre to the end, 1/s."""
LAST_SECONDS = 0.4
"""Time for which the last of the way takes longer than at an even speed."""
LOOKS_AHEAD, LOOKS_AHEAD_SECONDS = 0.2, 0.3
"""A character walks to the point of its way that is so far ahead of it, metres, and what it walks in that time."""
TURNS_BEFORE, TURNS_BEFORE_SECONDS = 0.5, 0.9
"""Way, metres, and time, seconds, before the end from which a character turns to the heading asked there."""
ARRIVED, ARRIVED_TURN, STOPPED = 0.04, math.radians(4), 0.12
"""It has arrived within so many metres and radians, with so many m/s at most."""
PATIENCE = 2.0
"""Seconds after which one that is as near as 0.3 m has arrived, too: something is in its way."""
SPACING, MOST_POINTS = 0.1, 600
"""Distance of points of a way round obstacles, metres, and how many there are at most."""


class Way:
    """A polyline to follow.

    Attributes:
        heading: radians, at the end; None for any.
        is_over: whether its end is reached.
    """

    def __init__(
        self,
        points: Sequence[Point],
        heading: float | None = None,
        seconds: float | None = None,
        speed: float = USUAL_SPEED,
    ) -> None:
        """Make a way.

        Args:
            points: at least two: where the character is, and where it goes.
            heading: radians, at the end; None for any.
            seconds: time of the arrival from now; None for that of the speed.
            speed: m/s.
        """
        self._points = [points[0], *(b for a, b in pairwise(points) if math.dist(a, b) > 1e-6)]
        lengths = (math.dist(a, b) for a, b in pairwise(self._points))
        self._marks = list(accumulate(lengths, initial=0.0))  # metres from the begin to each point
        self.heading, self._left, self._speed = heading, seconds, speed
        self._done = self._near = 0.0
        self.is_over = False

    def around(self, obstacles: Sequence[Avoid], here: Point) -> "Way":
        """Return what is left of the way, round obstacles.

        Args:
            obstacles: what to go around.
            here: where the character is, metres.
        """
        rest = (
            [here, *self._points[bisect_right(self._marks, self._done) :]]
            if self._done < self.length
            else [here]
        )
        return Way(
            around_obstacles([*rest, self._points[-1]], obstacles), self.heading, self._left, self._speed
        )

    @property
    def length(self) -> float:
        """Metres."""
        return self._marks[-1]

    def follow(
        self, x: float, z: float, heading: float, velocity: Point
    ) -> tuple[float, float, float | None]:
        """Return the velocity (x, z), m/s, and the facing, None for that of the way, of the next frame.

        Args:
            x: where the character is, metres.
            z: metres.
            heading: radians.
            velocity: m/s along x and z.
        """
        speed = math.hypot(*velocity)
        self._advance(x, z)
        end = self._points[-1]
        direct = math.hypot(end[0] - x, end[1] - z)
        left = max(self.length - self._done, direct)
        target = self._at(self._done + LOOKS_AHEAD + LOOKS_AHEAD_SECONDS * speed)
        pace = self._pace(left)
        turns = left < TURNS_BEFORE or (self._left is not None and self._left < TURNS_BEFORE_SECONDS)
        facing = self.heading if turns else None
        if facing is None and direct < TURNS_BEFORE / 2:
            facing = heading
        off = 0.0 if self.heading is None else abs(math.remainder(self.heading - heading, math.tau))
        self._near = self._near + 1 / FPS if direct < 0.3 else 0.0
        is_there = direct < ARRIVED and off < ARRIVED_TURN and speed < STOPPED
        self.is_over = self.is_over or is_there or self._near > PATIENCE
        if self._left is not None:
            self._left -= 1 / FPS
        away = math.hypot(target[0] - x, target[1] - z)
        scale = min(pace, APPROACH * direct) / max(away, 1e-6)
        return (target[0] - x) * scale, (target[1] - z) * scale, facing

    def _pace(self, left: float) -> float:
        """Return the speed for what is left of the way, m/s."""
        pace = self._speed if self._left is None else left / max(self._left - LAST_SECONDS, 1 / APPROACH)
        bend = self._bend()
        return min(pace, MAX_SPEED, APPROACH * left) * (1 - 0.5 * bend)

    def _bend(self) -> float:
        """Return how sharply the way bends just ahead, 0 for straight on to 1 for back."""
        here, near, far = (self._at(self._done + ahead) for ahead in (0.0, 0.3, 0.6))
        first, second = (
            math.atan2(near[0] - here[0], near[1] - here[1]),
            math.atan2(far[0] - near[0], far[1] - near[1]),
        )
        if near == here or far == near or self._left is not None:
            return 0.0
        return abs(math.remainder(second - first, math.tau)) / math.pi

    def _advance(self, x: float, z: float) -> None:
        """Go on along the way to the place nearest to a point; never back."""
        while self._done < self.length:
            ahead = self._at(self._done + 0.02)
            here = self._at(self._done)
            if math.hypot(ahead[0] - x, ahead[1] - z) > math.hypot(here[0] - x, here[1] - z):
                return
            self._done = min(self._done + 0.02, self.length)

    def _at(self, mark: float) -> Point:
        """Return the place so many metres along the way."""
        if mark >= self.length:
            return self._points[-1]
        n = bisect_right(self._marks, mark) - 1
        share = (mark - self._marks[n]) / (self._marks[n + 1] - self._marks[n])
        (ax, az), (bx, bz) = self._points[n], self._points[n + 1]
        return ax + (bx - ax) * share, az + (bz - az) * share


def around_obstacles(points: Sequence[Point], obstacles: Sequence[Avoid]) -> list[Point]:
    """Return a way that goes round obstacles, and whose end is outside of them.

    Args:
        points: at least two.
        obstacles: what to go around.
    """
    if not obstacles:
        return list(points)
    points = [points[0], *(pushed_out(obstacles, x, z, KEEPS_AWAY + 0.02) for x, z in points[1:])]
    length = sum(math.dist(a, b) for a, b in pairwise(points))
    spacing = max(SPACING, length / MOST_POINTS)
    dense = [points[0]]
    for a, b in pairwise(points):
        count = max(1, math.ceil(math.dist(a, b) / spacing))
        dense += [
            (a[0] + (b[0] - a[0]) * n / count, a[1] + (b[1] - a[1]) * n / count) for n in range(1, count + 1)
        ]
    found = around(torch.tensor(dense, dtype=torch.float64), obstacles, [0, len(dense) - 1], 1 / spacing)
    return [(float(x), float(z)) for x, z in found.tolist()]
