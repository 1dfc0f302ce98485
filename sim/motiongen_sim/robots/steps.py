"""Steps: when a robot that would fall, or whose feet are not where they should stand, steps, and where to.

A step ends where the capture point will be (Pratt et al. 2006): by the linear inverted pendulum it runs away from the
centre of pressure p as p + (point - p) exp(omega t).
"""

from dataclasses import dataclass

import numpy as np

from motiongen_sim.robots.footing import Footing, Home
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.soles import Sole

QUICK, CALM = 0.28, 0.45
"""Duration of a step against a fall, and of one without need, in seconds."""
REST = 0.1
"""Shortest time on both feet, in seconds."""
LIFT = 0.06
"""Height of a step, in metres."""
FAR, TURNED = 0.06, 0.25
"""Distance, in metres, and angle, in radians, to its home at which a foot steps without need."""
INNER = 0.03
"""Distance from the line between the feet at which a capture point is well supported, in metres."""
DEEP = 0.6
"""How deep in the other foot, of its middle, a capture point is when a foot steps without need."""
SHARE = 0.3, 0.7
"""Shares of the weight on the right foot that a motion may ask for while both stand."""
SHIFTS = 0.25
"""Speed at which the place of the capture point is moved, in m/s: what is moved faster shoots over the foot."""
LANDED = 0.1
"""Time in which a foot that has landed comes to bear all that it may, in seconds."""
STRIDE = 0.25
"""Longest step without need, from the other foot, in metres."""
REACH = 0.45
"""Longest step, from the other foot, in metres."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Swing:
    """What a foot in the air should do now.

    Attributes:
        place: of the sole's centre (3,), metres.
        speed: (3,) m/s.
        yaw: radians about z.
    """

    place: Array
    speed: Array
    yaw: float


class Steps:
    """Decides about the steps of a robot with two feet, the left one first.

    Args:
        footing: where the feet should stand.
    """

    def __init__(self, footing: Footing) -> None:
        self._footing = footing
        self.foot: int | None = None
        self._landed: int | None = None
        self._since, self._time = 1.0, CALM
        self._start, self._start_yaw = np.zeros(3), 0.0
        self._end = Home(place=np.zeros(2), yaw=0.0)
        self.support, self._goal, self._started = np.zeros(2), np.zeros(2), False
        self.count = 0

    def decide(self, soles: list[Sole], point: Array, omega: float, step: float) -> None:
        """Decide what the feet do in the next `step` seconds.

        Args:
            soles: of both feet.
            point: the capture point (2,), metres.
            omega: rate at which it runs away, 1/s.
            step: seconds.
        """
        self._footing.pull(soles)
        homes = self._footing.homes
        self._since += step
        self._choose(soles, point, omega, homes)
        way = self._goal - self.support
        far = float(np.linalg.norm(way))
        self.support = self.support + way * min(1.0, SHIFTS * step / max(far, 1e-9))

    def _choose(self, soles: list[Sole], point: Array, omega: float, homes: list[Home]) -> None:
        """Begin, go on with, or end a step, and set the place where the capture point should come to."""
        if self.foot is not None:
            self._go_on(soles, point, omega, homes)
            return
        self._goal = self._between(soles)
        if self._started is False:
            self._started, self.support = True, point
        if self._since < REST:
            return
        if outside(np.concatenate([s.corners[:, :2] for s in soles]), point) > 0.0:
            ends = [self._landing(soles, f, point, omega, homes[f], QUICK) for f in (0, 1)]
            missed = [miss for _, miss in ends]
            self._begin(soles, int(np.argmin(missed)), QUICK, homes)
            self._go_on(soles, point, omega, homes)
            return
        foot = self._astray(soles, homes)
        if foot is not None:
            stance = soles[1 - foot]
            self._goal = stance.centre[:2]
            if outside(stance.corners[:, :2], point) < DEEP * outside(
                stance.corners[:, :2], stance.centre[:2]
            ):
                self._begin(soles, foot, CALM, homes)
                self._go_on(soles, point, omega, homes)

    @property
    def is_quick(self) -> bool:
        """Whether a foot steps against a fall."""
        return self.foot is not None and self._time == QUICK

    def firmness(self, foot: int) -> float:
        """Return how much a foot on the floor may bear, in 0..1: one that has just landed would slide under all."""
        both_stand = self.foot is None
        return min(self._since / LANDED, 1.0) if both_stand and foot == self._landed else 1.0

    def swing(self) -> Swing:
        """Return what the foot in the air should do now."""
        part = min(self._since / self._time, 1.0)
        along, rate = part * part * (3 - 2 * part), 6 * part * (1 - part) / self._time
        way = self._end.place - self._start[:2]
        up = 16 * LIFT * part**2 * (1 - part) ** 2
        climb = 32 * LIFT * part * (1 - part) * (1 - 2 * part) / self._time
        late = max(self._since - self._time, 0.0)
        turn = angle_between(self._start_yaw, self._end.yaw)
        return Swing(
            place=np.array(
                [*(self._start[:2] + along * way), self._start[2] * (1 - along) + up - 0.3 * late]
            ),
            speed=np.array([*(rate * way), -0.3 if late else climb]),
            yaw=self._start_yaw + along * turn,
        )

    def _between(self, soles: list[Sole]) -> Array:
        """Return the place (2,) between the feet that bears weight as in the motion."""
        a, b = soles[0].centre[:2], soles[1].centre[:2]
        part = np.clip((self._footing.centre - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-9), *SHARE)
        place: Array = a + part * (b - a)
        return place

    def _begin(self, soles: list[Sole], foot: int, time: float, homes: list[Home]) -> None:
        self.foot, self._since, self._time = foot, 0.0, time
        self._start, self._start_yaw, self._end = soles[foot].centre, soles[foot].yaw, homes[foot]
        self.count += 1

    def _go_on(self, soles: list[Sole], point: Array, omega: float, homes: list[Home]) -> None:
        foot = self.foot
        assert foot is not None
        self._goal = soles[1 - foot].centre[:2]
        left = max(self._time - self._since, 0.0)
        if left > 0.03:
            self._end, _ = self._landing(soles, foot, point, omega, homes[foot], left)
        is_down = soles[foot].corners[:, 2].min() < 0.004 and soles[foot].centre[2] < 0.015
        if (self._since > 0.6 * self._time and is_down) or self._since > 2.0 * self._time:
            self.foot, self._landed, self._since = None, foot, 0.0
            self._goal = self._between(soles)
            self.support = _nearest_on_line(soles[0].centre[:2], soles[1].centre[:2], point)

    def _landing(
        self, soles: list[Sole], foot: int, point: Array, omega: float, home: Home, left: float
    ) -> tuple[Home, float]:
        """Return where a foot should land in `left` seconds, and how far the capture point will be off the feet."""
        stance = soles[1 - foot]
        pressure = nearest_inside(stance, point)
        there = pressure + (point - pressure) * np.exp(omega * left)
        base = stance.centre[:2]
        place = self._within_reach(stance, foot, home.place, STRIDE)
        for _ in range(2):
            away = there - _nearest_on_line(base, place, there)
            far = float(np.linalg.norm(away))
            if far <= INNER:
                break
            place = self._within_reach(stance, foot, place + away * (1 - INNER / far), REACH)
        away = there - _nearest_on_line(base, place, there)
        return Home(
            place=place, yaw=stance.yaw + np.clip(angle_between(stance.yaw, home.yaw), -0.4, 0.4)
        ), float(np.linalg.norm(away))

    def _within_reach(self, stance: Sole, foot: int, place: Array, reach: float) -> Array:
        """Return the place (2,) nearest to one that the foot can step to without crossing the other one."""
        c, s = np.cos(stance.yaw), np.sin(stance.yaw)
        axes = np.array([[c, -s], [s, c]])
        off = (place - stance.centre[:2]) @ axes
        side = 1.0 if foot == 0 else -1.0
        off[1] = side * np.clip(side * off[1], self._footing.apart, max(reach, 2 * self._footing.apart))
        off[0] = np.clip(off[0], -reach, reach)
        found: Array = stance.centre[:2] + axes @ off
        return found

    def _astray(self, soles: list[Sole], homes: list[Home]) -> int | None:
        """Return the foot that is farthest from its home, if one is far."""
        off = []
        for foot, home in enumerate(homes):
            sole, place = soles[foot], self._within_reach(soles[1 - foot], foot, home.place, STRIDE)
            turn = abs(angle_between(sole.yaw, home.yaw))
            off.append(max(float(np.linalg.norm(sole.centre[:2] - place)) / FAR, turn / TURNED))
        foot = int(np.argmax(off))
        return foot if off[foot] > 1.0 else None


def outside(corners: Array, point: Array) -> float:
    """Return how far a point (2,) is outside of the hull of corners (C, 2), in metres; inside it is negative."""
    hull = _hull(corners)
    edges = np.roll(hull, -1, axis=0) - hull
    normals = np.stack([edges[:, 1], -edges[:, 0]], axis=1) / np.linalg.norm(edges, axis=1, keepdims=True)
    return float(np.max(np.sum((point - hull) * normals, axis=1)))


def nearest_inside(sole: Sole, point: Array) -> Array:
    """Return the place (2,) on a sole that is nearest to a point (2,), in the sole's own box."""
    c, s = np.cos(sole.yaw), np.sin(sole.yaw)
    axes = np.array([[c, -s], [s, c]])
    corners = (sole.corners[:, :2] - sole.centre[:2]) @ axes
    off = np.clip((point - sole.centre[:2]) @ axes, 0.9 * corners.min(axis=0), 0.9 * corners.max(axis=0))
    found: Array = sole.centre[:2] + axes @ off
    return found


def _nearest_on_line(start: Array, end: Array, point: Array) -> Array:
    way = end - start
    part = np.clip((point - start) @ way / max(float(way @ way), 1e-9), 0.0, 1.0)
    found: Array = start + part * way
    return found


def _hull(points: Array) -> Array:
    """Return the corners of the convex hull of points (P, 2), counterclockwise (Andrew's monotone chain)."""
    ordered = sorted(map(tuple, points.tolist()))

    def half(run: list[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for p in run:
            while len(kept) > 1 and (
                (kept[-1][0] - kept[-2][0]) * (p[1] - kept[-2][1])
                <= (kept[-1][1] - kept[-2][1]) * (p[0] - kept[-2][0])
            ):
                kept.pop()
            kept.append(p)
        return kept[:-1]

    return np.array(half(ordered) + half(ordered[::-1]))


def angle_between(start: float, end: float) -> float:
    """Return the angle from one direction to another, in [-pi, pi)."""
    return (end - start + np.pi) % (2 * np.pi) - np.pi
