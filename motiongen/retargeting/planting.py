"""Feet that stand: a correction of each foot's path that holds it while the source's foot is on the floor.

The rotations of a source, copied to a target of other proportions, let standing feet slide and sink. The source tells
how its heel and its ball move. While one of them is on the floor, the target's moves as much, times the size, and is
as high over the floor; in the air the correction fades as a critically damped spring does, so that nothing jumps.
Each frame depends on those before it alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motiongen.planes import Planes

Flags = NDArray[np.bool_]

SLOW, FAST = 0.25, 0.55
"""Speeds, m/s for a body of SMPL-22's size: up to the first a point near the floor stands, from the second not."""
STILL = 0.1, 0.3
"""Speeds, m/s likewise: up to the first a standing foot does not move, from the second it moves as its source."""
PIVOT = 0.05
"""Speed, m/s likewise: of heel and ball the slower one is held, about which a foot turns; equals share."""
NEAR, FAR = 0.03, 0.065
"""Heights over the floor, metres for a body of SMPL-22's size, likewise."""
SPRING = 10.0
"""Angular frequency, 1/s, of the spring by which a correction fades: to a tenth in 0.4 s, the time of a step."""
SETTLE_SECONDS = 0.04
"""Time constant in which a standing foot comes to the height of its source."""
CLEAR = 0.1
"""Height over the floor, metres for a body of SMPL-22's size, up to which a swinging foot is as high as its source."""
LEAST_STANDING = 0.15
"""Feet that stand in fewer frames than this part say nothing of the floor."""


@dataclass
class PlantingState:
    """What planting remembers of B characters, for both feet (2) and their points, heel and ball.

    Attributes:
        correction: (3, 2, B) of the ankle, metres.
        velocity: (3, 2, B) of the correction, m/s.
        wanted: (3, 2, 2, B) the source's points in the last frame.
        copied: (3, 2, 2, B) the target's points in the last frame, by rotations alone.
        is_fresh: (B,) whether there is no last frame.
    """

    correction: Planes
    velocity: Planes
    wanted: Planes
    copied: Planes
    is_fresh: Flags

    @classmethod
    def of(cls, batch_size: int) -> "PlantingState":
        """Return the state before the first frame."""
        points = np.zeros((3, 2, 2, batch_size))
        feet = np.zeros((3, 2, batch_size))
        return cls(feet, feet.copy(), points, points.copy(), np.ones(batch_size, dtype=bool))

    @classmethod
    def joined(cls, states: Sequence["PlantingState"]) -> "PlantingState":
        """Return the state of all characters of several states, in their order; shares nothing with them."""
        parts = zip(*(state._fields() for state in states), strict=True)
        return cls(*(np.concatenate(each, axis=-1) for each in parts))

    def _fields(self) -> tuple[Planes, Planes, Planes, Planes, Flags]:
        return self.correction, self.velocity, self.wanted, self.copied, self.is_fresh

    def split(self) -> list["PlantingState"]:
        """Return the state of each character alone; shares its numbers with this one."""
        parts: tuple[NDArray[Any], ...] = self._fields()
        return [PlantingState(*(each[..., n : n + 1] for each in parts)) for n in range(len(self.is_fresh))]


class Planting:
    """The correction of both ankles, frame by frame.

    Args:
        size: of the target, in bodies of SMPL-22's size.
        fps: frames a second.
    """

    def __init__(self, size: float, fps: float) -> None:
        self._size, self._step = size, 1.0 / fps
        self._decay = float(np.exp(-SPRING / fps))
        self._settle = 1.0 - float(np.exp(-self._step / SETTLE_SECONDS))

    def step(self, wanted: Planes, copied: Planes, state: PlantingState) -> tuple[Planes, Planes]:
        """Return by how much each ankle moves (3, 2, T, B), metres, and how surely it stands (2, T, B).

        The state is updated.

        Args:
            wanted: (3, 2 feet, 2 points, T, B) heel and ball of the source, scaled, over a floor at y = 0, metres.
            copied: likewise of the target, by rotations alone.
            state: of the frames before.
        """
        moved = wanted - _shifted(wanted, state.wanted, state.is_fresh)  # (3, 2, 2, T, B)
        squares = moved * moved
        speed = np.sqrt(squares[0] + squares[1] + squares[2]) / (self._step * self._size)  # (2, 2, T, B)
        standing = _fall(speed, SLOW, FAST) * _fall(wanted[1] / self._size, NEAR, FAR)
        meant = moved * (1.0 - _fall(speed, *STILL))
        drift = meant - (copied - _shifted(copied, state.copied, state.is_fresh))
        contact = np.maximum(standing[:, 0], standing[:, 1])  # (2, T, B)
        share = (standing + 1e-9) / (speed * speed + PIVOT * PIVOT)
        share = share / (share[:, 0] + share[:, 1])[:, None]
        drift = drift * share
        drift = drift[:, :, 0] + drift[:, :, 1]  # (3, 2, T, B)
        rise = (wanted[1] - copied[1]) * share
        rise = rise[:, 0] + rise[:, 1]  # (2, T, B)
        corrections = self._integrated(drift, rise, contact, state)
        state.wanted, state.copied = wanted[..., -1, :].copy(), copied[..., -1, :].copy()
        state.is_fresh = np.zeros_like(state.is_fresh)
        lift = _lift(corrections[1], wanted[1], copied[1], CLEAR * self._size)
        return corrections + lift, contact

    def _integrated(self, drift: Planes, rise: Planes, contact: Planes, state: PlantingState) -> Planes:
        """Return the corrections (3, 2, T, B): held against the drift in contact, fading else."""
        corrections = np.empty_like(drift)
        correction, velocity = state.correction, state.velocity
        if state.is_fresh.any():  # whoever stands in the first frame stands at its height at once
            at_once = np.zeros_like(correction)
            at_once[1] = contact[:, 0] * rise[:, 0]
            correction = np.where(state.is_fresh, at_once, correction)
        for frame in range(drift.shape[2]):
            pull = velocity + SPRING * correction
            free = (correction + pull * self._step) * self._decay
            free_velocity = (velocity - SPRING * self._step * pull) * self._decay
            held = correction + drift[:, :, frame]
            held[1] = correction[1] + (rise[:, frame] - correction[1]) * self._settle
            weight = contact[:, frame]
            held_velocity = (held - correction) / self._step
            correction = free + weight * (held - free)
            velocity = free_velocity + weight * (held_velocity - free_velocity)
            corrections[:, :, frame] = correction
        state.correction, state.velocity = correction, velocity
        return corrections


def _fall(values: Planes, start: float, end: float) -> Planes:
    """Return 1 up to `start`, 0 from `end` on, and a smooth step between."""
    part = np.clip((end - values) / (end - start), 0.0, 1.0)
    return np.asarray(part * part * (3 - 2 * part))


def _shifted(points: Planes, last: Planes, is_fresh: Flags) -> Planes:
    """Return the points (..., T, B) of the frame before each frame; before the first of all, its own."""
    first = np.where(is_fresh, points[..., 0, :], last)
    return np.concatenate([first[..., None, :], points[..., :-1, :]], axis=-2)


def _lift(rise: Planes, wanted: Planes, copied: Planes, most: float) -> Planes:
    """Return what lifts a foot (3, 2, T, B) until its lowest point is as high as the source's, up to a height `most`.

    Feet that are longer for their legs would else pierce the floor, or brush it as they swing.
    """
    lowest = np.minimum(copied[:, 0], copied[:, 1]) + rise  # (2, T, B)
    floor = np.minimum(np.minimum(wanted[:, 0], wanted[:, 1]), most)
    lift = np.zeros((3, *lowest.shape))
    lift[1] = np.maximum(floor - lowest, 0.0)
    return lift


def find_floor(points: Planes, fps: float, size: float) -> float | None:
    """Return the height of the floor that the feet of a clip stand on, metres; None if they hardly ever stand.

    The 15th percentile of the lowest point of each foot while it is slow, as for training data.

    Args:
        points: heels and balls (3, 2 feet, 2 points, T), metres.
        fps: frames a second.
        size: of the body, in bodies of SMPL-22's size.
    """
    way = np.diff(points, axis=-1) if points.shape[-1] > 1 else np.zeros_like(points)
    speed = np.sqrt((way * way).sum(0)).min(1) * (fps / size)  # (2, T - 1)
    lowest = points[1].min(0)[:, -speed.shape[-1] :]
    slow = lowest[speed < SLOW]
    if len(slow) < LEAST_STANDING * lowest.shape[-1]:
        return None
    return float(np.quantile(slow, 0.15))
