"""A hand that is led to a point, frame by frame: the back leans where the arm is too short, then the arm follows."""

import math

from motiongen.features import FPS
from motiongen.streaming.single_pose import (
    Vector,
    add,
    between,
    blend,
    dot,
    inverse,
    rotate,
    solve_limb,
    subtract,
)
from motiongen.streaming.spring import Spring
from motiongen.streaming.upper_body import ARMS, BACK, CHEST, OFFSETS, UpperBody

EASING, FOLLOWING = 9.0, 22.0
"""Stiffness with which a hand leaves its motion and comes back, and follows a point that moves, radians a second."""
STRAIGHT, CLOSEST = 0.97, 0.3
"""Shares of an arm's length: that it reaches without help, and that a hand keeps from its shoulder."""
MOST_LEAN, LEAN_WAY = math.radians(35), 0.28
"""How far the back leans to help, radians; about so far a shoulder goes with it, metres."""
BEHIND, ACROSS = -0.45, -0.8
"""How far behind the chest, and over to the other side, an arm points at most, as shares of its length."""
FARTHEST_STEP, DRIFTING = 0.15, 0.35
"""Way in a frame from which a point jumps and does not move, metres; share of a frame in its estimated velocity."""
IDLE = 0.002
"""Share of the point below which a hand is its motion's."""
_NONE = (0.0, 0.0, 0.0, 1.0)


def arm_length(side: str) -> float:
    """Return the length of an arm from shoulder to wrist, metres.

    Args:
        side: "left" or "right".
    """
    _, _, elbow, wrist = ARMS[side]
    return math.hypot(*OFFSETS[elbow]) + math.hypot(*OFFSETS[wrist])


class Reaching:
    """One hand.

    Attributes:
        goal: the point in the world, metres; None where the hand is its motion's.
    """

    def __init__(self, side: str) -> None:
        """Leave a hand to its motion.

        Args:
            side: "left" or "right".
        """
        self.goal: Vector | None = None
        self._side, self._sign, self._length = side, 1.0 if side == "left" else -1.0, arm_length(side)
        self._share = Spring()
        self._at = (Spring(), Spring(), Spring())
        self._before: Vector | None = None  # the goal of the frame before
        self._drift = [0.0, 0.0, 0.0]  # its velocity, m/s

    @property
    def is_idle(self) -> bool:
        """Whether the hand is its motion's."""
        return self.goal is None and self._share.at < IDLE

    def beyond(self, body: UpperBody, point: Vector) -> float:
        """Return how far a point is out of reach, metres; 0 where it is not.

        Args:
            body: a frame.
            point: metres.
        """
        shoulder = body.place(ARMS[self._side][1])
        return max(0.0, math.dist(shoulder, point) - self._length - LEAN_WAY)

    def apply(self, body: UpperBody) -> None:
        """Lead the hand by a frame.

        Args:
            body: the frame, which is changed.
        """
        if self.is_idle:
            self._share, self._before = Spring(), None
            return
        if self.goal is not None:
            self._follow(self.goal)
        share = self._share.follow(0.0 if self.goal is None else 1.0, EASING)
        _, shoulder, elbow, wrist = ARMS[self._side]
        point = self._at[0].at, self._at[1].at, self._at[2].at
        self._lean(body, shoulder, point, share)
        here, hand = body.place(shoulder), body.place(wrist)
        goal = add(here, _toward(subtract(hand, here), self._limited(body, subtract(point, here)), share))
        hinge = rotate(body.rotation(shoulder), (0.0, self._sign, 0.0))
        bend, swing = solve_limb(here, body.place(elbow), hand, goal, hinge)
        body.turn(shoulder, swing)
        body.turn(elbow, _after(swing, bend))

    def _follow(self, goal: Vector) -> None:
        """Move the point that the hand is led to by a frame: to the goal, without a lag behind one that moves."""
        before, self._before = self._before, goal
        step = (0.0, 0.0, 0.0) if before is None else subtract(goal, before)
        jumps = before is None or math.hypot(*step) > FARTHEST_STEP
        for axis, spring in enumerate(self._at):
            drift = 0.0 if jumps else self._drift[axis] + DRIFTING * (step[axis] * FPS - self._drift[axis])
            self._drift[axis] = drift
            if self._share.at < IDLE:
                spring.at, spring.rate = goal[axis], 0.0
            spring.follow(goal[axis] + drift * 2 / FOLLOWING, FOLLOWING)

    def _lean(self, body: UpperBody, shoulder: int, point: Vector, share: float) -> None:
        """Turn the back towards a point that the arm is too short for, a third at each of its joints."""
        here, low = body.place(shoulder), body.place(BACK[0])
        way = subtract(point, here)
        distance = math.sqrt(dot(way, way))
        over = min(max(distance - STRAIGHT * self._length, 0.0), LEAN_WAY) * share
        if over < 1e-4:
            return
        arm = subtract(here, low)
        turn = between(
            arm, add(arm, (way[0] / distance * over, way[1] / distance * over, way[2] / distance * over))
        )
        angle = 2 * math.acos(min(1.0, turn[3]))
        part = blend(_NONE, turn, min(1.0, MOST_LEAN / max(angle, 1e-9)) / len(BACK))
        for joint in BACK:
            body.turn(joint, part)

    def _limited(self, body: UpperBody, way: Vector) -> Vector:
        """Return a way from the shoulder that an arm can point along, as near as can be."""
        chest = body.rotation(CHEST)
        x, y, z = rotate(inverse(chest), way)
        distance = math.sqrt(x * x + y * y + z * z)
        x = self._sign * max(self._sign * x, ACROSS * self._length)
        z = max(z, BEHIND * self._length)
        reached = min(max(distance, CLOSEST * self._length), self._length)
        scale = reached / max(math.sqrt(x * x + y * y + z * z), 1e-6)
        return rotate(chest, (x * scale, y * scale, z * scale))


def _toward(now: Vector, wanted: Vector, share: float) -> Vector:
    """Return a way from the shoulder that is turned and lengthened by a share: hands do not pass through the body."""
    turn = blend(_NONE, between(now, wanted), share)
    x, y, z = rotate(turn, now)
    short, long = math.sqrt(dot(now, now)), math.sqrt(dot(wanted, wanted))
    scale = 1 + share * (long / max(short, 1e-6) - 1)
    return x * scale, y * scale, z * scale


def _after(
    swing: tuple[float, float, float, float], bend: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """Return the turn of the second bone in the world, after the limb has swung."""
    x, y, z = rotate(swing, (bend[0], bend[1], bend[2]))
    return x, y, z, bend[3]
