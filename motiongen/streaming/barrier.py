"""Keeps a driven character out of obstacles: what of a velocity leads into one is turned along its edge."""

import math
from collections.abc import Sequence

from motiongen.constraints import Avoid

KEEPS_AWAY = 0.3
"""How far hips keep away from an obstacle, so that arms and feet do as well, metres."""
SLOWING, AHEAD_SECONDS = 4.0, 0.2
"""Speed towards an obstacle for each metre to it, 1/s; time that a velocity needs until it is turned."""


def outside(obstacle: Avoid, x: float, z: float) -> tuple[float, float, float]:
    """Return how far a point is outside an obstacle, metres, and the direction (x, z) straight out of it.

    Args:
        obstacle: a circle or a box.
        x: metres.
        z: metres.
    """
    x, z = x - obstacle.center[0], z - obstacle.center[1]
    if obstacle.radius is not None:
        away = math.hypot(x, z)
        return away - obstacle.radius, *((x / away, z / away) if away > 1e-9 else (1.0, 0.0))
    assert obstacle.size is not None
    cosine, sine = math.cos(obstacle.turn), math.sin(obstacle.turn)
    along, across = x * cosine - z * sine, x * sine + z * cosine  # in the box's own axes
    over = abs(along) - obstacle.size[0] / 2, abs(across) - obstacle.size[1] / 2
    if max(over) <= 0:
        away = max(over)
        out = (math.copysign(1.0, along), 0.0) if over[0] > over[1] else (0.0, math.copysign(1.0, across))
    else:
        away = math.hypot(max(over[0], 0.0), max(over[1], 0.0))
        out = (
            math.copysign(max(over[0], 0.0), along) / away,
            math.copysign(max(over[1], 0.0), across) / away,
        )
    return away, out[0] * cosine + out[1] * sine, out[1] * cosine - out[0] * sine


def turned_aside(
    obstacles: Sequence[Avoid], at: tuple[float, float], now: tuple[float, float], wish: tuple[float, float]
) -> tuple[float, float]:
    """Return a velocity that does not lead into obstacles, m/s along x and z.

    Args:
        obstacles: what to go around.
        at: place, metres.
        now: velocity, m/s.
        wish: velocity that is wished, m/s.
    """
    x, z = wish
    for _ in range(2):  # the edge of one may lead into another
        for obstacle in obstacles:
            away, out_x, out_z = outside(
                obstacle, at[0] + AHEAD_SECONDS * now[0], at[1] + AHEAD_SECONDS * now[1]
            )
            inward = -(x * out_x + z * out_z)
            excess = inward - SLOWING * (away - KEEPS_AWAY)
            if excess <= 0:
                continue
            x, z = x + excess * out_x, z + excess * out_z
            if inward > 0:  # what cannot go in goes along, to the side that it goes to already
                side = math.copysign(min(excess, inward), -out_z * x + out_x * z)
                x, z = x - side * out_z, z + side * out_x
    return x, z


def pushed_out(obstacles: Sequence[Avoid], x: float, z: float, margin: float = 0.0) -> tuple[float, float]:
    """Return the nearest place outside of obstacles, metres.

    Args:
        obstacles: what to stay out of.
        x: metres.
        z: metres.
        margin: distance to keep, metres.
    """
    for _ in range(8):
        before = x, z
        for obstacle in obstacles:
            away, out_x, out_z = outside(obstacle, x, z)
            if away < margin:
                x, z = x + (margin - away) * out_x, z + (margin - away) * out_z
        if (x, z) == before:
            break
    return x, z
