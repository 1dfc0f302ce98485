"""Carries a driven character over the floor: its velocity and its facing follow a wish, its sway stays its own.

It works on frames as they are taken, one at a time: a new wish moves the very next frame, and nothing that waits has
to be made anew. While nobody drives, frames stay where they would be, as seen from where the character now is.
"""

import math
from dataclasses import dataclass

from motiongen.constraints import Avoid
from motiongen.features import FPS
from motiongen.streaming.barrier import pushed_out, turned_aside
from motiongen.streaming.spring import Spring
from motiongen.streaming.way import Way

SPEEDING, TURNING = 8.0, 7.0
"""Stiffness with which velocity and facing follow the wish, radians a second."""
MOST_TURN = 5.5
"""Radians a second that a driven character turns at most."""
SWAY_SECONDS, MOST_SWAY, STANDING_SWAY = 0.3, (0.04, 0.03, 0.2), (0.02, 0.02, 0.06)
"""Time of the mean of a gait; how far hips sway aside of, along and about their path, metres and radians; of one who
stands."""
SWAYS = 0.6
"""Speed from which hips sway as in a walk, m/s."""
EDGE, MOST_PUSH = 0.05, 3.0
"""Distance from an obstacle that hips never go below, metres, and how fast one who stands in it is pushed out, m/s."""
RESTS = 0.05
"""Speed of a wish that asks for standing, m/s."""
RELEASE_FRAMES = 15
"""Frames in which a character that is no longer driven comes to its own velocity."""


@dataclass(frozen=True)
class Wish:
    """Where to move.

    Attributes:
        x: m/s along the world's +X.
        z: m/s along the world's +Z.
        facing: heading, radians; None for the way.
    """

    x: float
    z: float
    facing: float | None = None

    @property
    def speed(self) -> float:
        """Metres a second."""
        return math.hypot(self.x, self.z)


class Drive:
    """The path of one character.

    Attributes:
        wish: what is followed where somebody steers; None otherwise.
        way: the way that is followed; None otherwise.
        obstacles: what it never walks into.
        x, z: place on the floor, metres, without the sway of the hips.
        heading: radians, without their twist.
        slip: (2,) m/s along x and z by which the path runs ahead of the legs.
        legs: m/s of the gait by itself; 0 where it stands, or is not known.
    """

    def __init__(self) -> None:
        """Begin at the origin, with nobody driving."""
        self.wish: Wish | None = None
        self._next = Wish(0.0, 0.0)  # of the way; its own, for another thread may end the way at any time
        self.way: Way | None = None
        self.obstacles: tuple[Avoid, ...] = ()
        self.slip, self.legs = (0.0, 0.0), 0.0
        self._share = 0.0  # of the drive in the velocity
        self._x, self._z, self._turn = Spring(), Spring(), Spring()
        self.x = self.z = self.heading = 0.0
        self._sway, self._mean = [0.0] * 3, [0.0] * 3  # left, ahead, turn
        self._before: tuple[float, float, float] | None = None  # heading, x, z of the frame before as it came
        self._offset = (0.0, 0.0, 0.0)  # turn about the origin, then shift, of what nobody drives

    @property
    def is_active(self) -> bool:
        """Whether somebody drives, or has until a moment ago."""
        return self._share > 0.0 or self.is_driven

    @property
    def is_driven(self) -> bool:
        """Whether somebody drives."""
        return self.wish is not None or self.way is not None

    @property
    def aim(self) -> Wish | None:
        """What is followed, of a stick or of a way; None while nobody drives."""
        return self.wish if self.way is None else self._next

    @property
    def pace(self) -> float:
        """Metres a second of the legs' own motion."""
        return math.hypot(self._mean[0], self._mean[1]) * FPS

    @property
    def velocity(self) -> tuple[float, float]:
        """Metres a second along x and z."""
        return self._x.at, self._z.at

    @property
    def stride(self) -> float:
        """The path's speed as a multiple of the gait's own; 1 where nobody drives."""
        if not self.is_driven or not self.legs:
            return 1.0
        return math.hypot(*self.velocity) / self.legs

    def demand(self, braking: float) -> tuple[float, float]:
        """Return the speed that legs are to walk with, m/s, and the angle from the front to the way, radians.

        Args:
            braking: share of the present speed with which legs walk on where less is wished.
        """
        wish, (x, z) = self.aim, self.velocity
        now = braking * math.hypot(x, z)
        if wish is not None and wish.speed >= now:
            now, x, z = wish.speed, wish.x, wish.z
        facing = self.heading if wish is None or wish.speed < RESTS else wish.facing
        if facing is None:
            return now, 0.0
        return now, math.remainder(math.atan2(x, z) - facing, math.tau)

    def release(self) -> None:
        """Let the character move by itself again."""
        self.wish = self.way = None

    def cut(self) -> None:
        """Forget where the character was: the next frame is where it is said to be."""
        self._offset, self._before, self._share = (0.0, 0.0, 0.0), None, 0.0
        self._sway, self.slip = [0.0] * 3, (0.0, 0.0)
        self._x, self._z, self._turn = Spring(), Spring(), Spring()

    def place(self, heading: float, x: float, z: float) -> tuple[float, float, float]:
        """Return heading and place (x, z) of the next frame.

        Args:
            heading: radians, as the frame came.
            x: metres.
            z: metres.
        """
        before, self._before = self._before, (heading, x, z)
        if not self.is_active or before is None:
            turn, shift_x, shift_z = self._offset
            moved_x, moved_z = rotate_floor(x, z, turn)
            place = heading + turn, moved_x + shift_x, moved_z + shift_z
            self._follow_freely(place)
            return place
        own = math.remainder(heading - before[0], math.tau)
        own_x, own_z = rotate_floor(x - before[1], z - before[2], -heading)
        moving = min(1.0, math.hypot(*self.velocity) / SWAYS)
        for axis, step in enumerate((own_x, own_z, own)):
            self._mean[axis] += (step - self._mean[axis]) / (SWAY_SECONDS * FPS)
            sway = self._sway[axis] * (1 - 1 / (2 * SWAY_SECONDS * FPS)) + step - self._mean[axis]
            most = STANDING_SWAY[axis] + (MOST_SWAY[axis] - STANDING_SWAY[axis]) * moving
            self._sway[axis] = min(max(sway, -most), most)
        self._advance(own_x * FPS, own_z * FPS, own * FPS)
        legs = rotate_floor(self._mean[0] * FPS, self._mean[1] * FPS, self.heading)
        self.slip = self._x.at - legs[0], self._z.at - legs[1]
        aside = rotate_floor(self._sway[0], self._sway[1], self.heading)
        place = self.heading + self._sway[2], self.x + aside[0], self.z + aside[1]
        turn = place[0] - heading
        moved_x, moved_z = rotate_floor(x, z, turn)
        self._offset = turn, place[1] - moved_x, place[2] - moved_z
        return place

    def _advance(self, own_x: float, own_z: float, own_turn: float) -> None:
        """Move by a frame: as is wished, or ever more as the frame itself moves (m/s to the left, ahead; rad/s)."""
        way, wish = self.way, self.wish
        if way is not None:
            self._next = wish = Wish(*way.follow(self.x, self.z, self.heading, self.velocity))
        if wish is not None:
            self._share = 1.0
            goal = wish.x, wish.z
            if self.obstacles:
                goal = turned_aside(self.obstacles, (self.x, self.z), self.velocity, goal)
            self._x.follow(goal[0], SPEEDING)
            self._z.follow(goal[1], SPEEDING)
            facing = self.heading if wish.facing is None and wish.speed < RESTS else wish.facing
            if facing is None:
                facing = math.atan2(wish.x, wish.z)
            self._turn.at = 0.0
            self.heading += self._turn.follow(
                math.remainder(facing - self.heading, math.tau), TURNING, MOST_TURN
            )
        else:
            self._share = max(0.0, self._share - 1 / RELEASE_FRAMES)
            eased = self._share * self._share * (3 - 2 * self._share)
            free_x, free_z = rotate_floor(own_x, own_z, self.heading)
            self._x.at, self._z.at = (
                own + (spring.at - own) * eased for own, spring in ((free_x, self._x), (free_z, self._z))
            )
            self._turn.rate = own_turn + (self._turn.rate - own_turn) * eased
            self.heading += self._turn.rate / FPS
            self._sway = [sway * eased for sway in self._sway]
        self.x += self._x.at / FPS
        self.z += self._z.at / FPS
        if self.obstacles and wish is not None:
            x, z = pushed_out(self.obstacles, self.x, self.z, EDGE)
            softly = min(1.0, MOST_PUSH / FPS / max(math.hypot(x - self.x, z - self.z), 1e-9))
            self.x, self.z = self.x + (x - self.x) * softly, self.z + (z - self.z) * softly

    def _follow_freely(self, place: tuple[float, float, float]) -> None:
        """Remember where a frame is, and how fast, so that a drive can begin there."""
        heading, x, z = place
        step_x, step_z = x - self.x, z - self.z
        share = 1 / (SWAY_SECONDS * FPS)
        if math.hypot(step_x, step_z) < 0.5:
            self._x.at += (step_x * FPS - self._x.at) * share
            self._z.at += (step_z * FPS - self._z.at) * share
        turned = math.remainder(heading - self.heading, math.tau)
        left, ahead = rotate_floor(step_x, step_z, -heading)
        for axis, step in enumerate((left, ahead, turned)):
            self._mean[axis] += (step - self._mean[axis]) * share
        self.heading, self.x, self.z = heading, x, z
        self._sway = [0.0] * 3


def rotate_floor(x: float, z: float, angle: float) -> tuple[float, float]:
    """Return a point of the floor, turned about the origin.

    Args:
        x: metres.
        z: metres.
        angle: radians from +Z to +X.
    """
    sine, cosine = math.sin(angle), math.cos(angle)
    return cosine * x + sine * z, cosine * z - sine * x
