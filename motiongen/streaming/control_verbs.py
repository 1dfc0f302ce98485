"""The verbs that drive a character's body while it moves: each says where something is to be, not what is done."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from motiongen.constraints import Avoid
from motiongen.streaming.verb_checks import VerbError, array, number, one_of

FRAMES = ("world", "character")
"""Frames of reference: the world's axes, or those of the character where it is, its left and its front."""
MAX_POINTS, MAX_OBSTACLES = 256, 32
"""Points of a path, and obstacles, at most."""
FARTHEST = 1e4
"""Largest coordinate of the floor, metres."""
LONGEST = 600.0
"""Seconds ahead that a time may be."""
MAX_WISHED_SPEED = 100.0
"""Metres a second that a wish may name; what is faster than a body runs is told."""


@dataclass(frozen=True)
class Steer:
    """Move with a velocity, as a stick or arrow keys give it. The newest wins; a velocity of 0 stops.

    Attributes:
        velocity: (2,) m/s along x and z: of the world, or to the left and ahead of the character.
        facing: heading, radians from +Z to +X, or from the character's front to its left; where it goes when None.
        frame: "world" or "character": that of the numbers above, as the character is when it hears them.
    """

    velocity: np.ndarray
    facing: float | None = None
    frame: str = "world"

    def __post_init__(self) -> None:
        velocity = array("velocity", self.velocity, (2,))
        for value in velocity.tolist():
            number("velocity", value, -MAX_WISHED_SPEED, MAX_WISHED_SPEED)
        object.__setattr__(self, "velocity", velocity)
        if self.facing is not None:
            object.__setattr__(self, "facing", number("facing", self.facing, -4 * math.pi, 4 * math.pi))
        one_of("frame", self.frame, FRAMES)


@dataclass(frozen=True)
class Goto:
    """Go to a point of the floor.

    Attributes:
        x: metres along the world's +X.
        z: metres along the world's +Z.
        heading: where to look there, radians from +Z to +X; any when None.
        seconds: time until it is there; that of its usual speed when None.
    """

    x: float
    z: float
    heading: float | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", number("x", self.x, -FARTHEST, FARTHEST))
        object.__setattr__(self, "z", number("z", self.z, -FARTHEST, FARTHEST))
        _check_arrival(self)


@dataclass(frozen=True)
class Path:
    """Follow a polyline over the floor, from where the character is to its last point.

    Attributes:
        points: (n, 2) x and z, metres, 1 to MAX_POINTS.
        heading: where to look at the end, radians from +Z to +X; any when None.
        seconds: time until it is there; that of the speed when None.
        speed: m/s; its usual one when None.
    """

    points: np.ndarray
    heading: float | None = None
    seconds: float | None = None
    speed: float | None = None

    def __post_init__(self) -> None:
        count = len(self.points) if isinstance(self.points, Sequence | np.ndarray) else 0
        if not 1 <= count <= MAX_POINTS:
            raise VerbError("bad_value", f"points: expected 1 to {MAX_POINTS} points [x, z], got {count}")
        points = array("points", self.points, (count, 2))
        for value in (points.min(), points.max()):
            number("points", float(value), -FARTHEST, FARTHEST)
        object.__setattr__(self, "points", points)
        _check_arrival(self)
        if self.speed is not None:
            if self.seconds is not None:
                raise VerbError("bad_value", "path: expected seconds or a speed, got both; leave one out")
            object.__setattr__(self, "speed", number("speed", self.speed, 0.1, MAX_WISHED_SPEED))


@dataclass(frozen=True)
class Reach:
    """Lead a hand to a point, which may move: the newest wins.

    Attributes:
        hand: "left" or "right".
        point: (3,) of the wrist, metres; None to let go.
        frame: "world", or "character" for metres to its left, up from the floor, and ahead: the point goes along.
    """

    hand: str
    point: np.ndarray | None = None
    frame: str = "world"

    def __post_init__(self) -> None:
        one_of("hand", self.hand, ("left", "right"))
        _check_point(self)


@dataclass(frozen=True)
class Look:
    """Turn the head to a point, which may move: the newest wins.

    Attributes:
        point: (3,) metres; None to let go.
        frame: "world", or "character" for metres to its left, up from the floor, and ahead: the point goes along.
    """

    point: np.ndarray | None = None
    frame: str = "world"

    def __post_init__(self) -> None:
        _check_point(self)


@dataclass(frozen=True)
class Obstacles:
    """Go around circles and boxes from now on; they replace those of before.

    Attributes:
        obstacles: as `motiongen.constraints.Avoid`, or its fields by name; none to forget them.
    """

    obstacles: Sequence[Avoid | dict[str, Any]]

    @property
    def shapes(self) -> tuple[Avoid, ...]:
        """The circles and boxes."""
        return tuple(_obstacle(one) for one in self.obstacles)

    def __post_init__(self) -> None:
        given = self.obstacles
        if not isinstance(given, list | tuple) or len(given) > MAX_OBSTACLES:
            raise VerbError(
                "bad_value", f"obstacles: expected a list of at most {MAX_OBSTACLES}; leave some out"
            )
        object.__setattr__(self, "obstacles", self.shapes)


def _check_point(verb: Reach | Look) -> None:
    one_of("frame", verb.frame, FRAMES)
    if verb.point is not None:
        point = array("point", verb.point, (3,))
        for value in point.tolist():
            number("point", value, -FARTHEST, FARTHEST)
        object.__setattr__(verb, "point", point)


def _check_arrival(verb: Goto | Path) -> None:
    if verb.heading is not None:
        object.__setattr__(verb, "heading", number("heading", verb.heading, -4 * math.pi, 4 * math.pi))
    if verb.seconds is not None:
        object.__setattr__(verb, "seconds", number("seconds", verb.seconds, 0.1, LONGEST))


def _obstacle(given: Avoid | dict[str, Any]) -> Avoid:
    if isinstance(given, Avoid):
        return given
    known = [field.name for field in fields(Avoid)]
    if not isinstance(given, dict) or not set(given) <= set(known):
        raise VerbError("bad_value", f"obstacles: expected {', '.join(known)} of each, got {given!r:.60}")
    pairs: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    try:
        return Avoid(**pairs)
    except (TypeError, ValueError) as error:
        raise VerbError("bad_value", f"obstacles: {error}") from None
