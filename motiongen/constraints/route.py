"""The way of the root over the floor: where each frame goes, and how far it is turned, so that places are met in time.

Between places the body goes on as its own steps do: progress along the way is that of the motion's own path.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from motiongen.constraints.avoid import Avoid
from motiongen.constraints.easing import curve, faded, smoothed, window
from motiongen.constraints.file import Constraint
from motiongen.constraints.obstacles import around
from motiongen.constraints.pose_key import PoseKey
from motiongen.constraints.poses import frame_of
from motiongen.constraints.root_path import RootPath
from motiongen.constraints.waypoint import Waypoint
from motiongen.motion import Motion
from motiongen.rotation import quat_multiply, quat_rotate, quat_yaw

SWAY_SECONDS = 0.2
"""Deviation of the Gaussian that parts the way of a root from its sway."""
STANDING_SPEED = 0.05
"""Speed that a root counts as having at least: who does not step at all is moved evenly, m/s."""
FASTEST = 7.0
"""Speed over which a place is out of reach in its time, m/s."""
DENSE_SECONDS = 0.4
"""Points of a path that are no further apart than this leave the sway of the root as it is."""
TURN_RATE, TURN_SECONDS = 2.0, 0.7
"""Speed at which a body turns to a heading that is asked, rad/s, and the least time in which."""
_STILL, _MOVING = (
    0.15,
    0.4,
)  # m/s: up to the first a body stays as it faces, from the second on it faces along its way
_SOFT_SECONDS = 0.25  # deviation of the Gaussian under which ways and turns are even
_GAIT_SECONDS = 0.8  # deviation of the Gaussian under which it is told whether a body goes ahead or backwards
_ROUNDS = 4
_PACED = 0.6  # metres: who goes less far is not asked for other steps


@dataclass(frozen=True)
class Place:
    """Where the root is to be at a frame.

    Attributes:
        frame: its number.
        point: (x, z), metres.
        heading: radians; None for any.
        sways: whether the root may sway about the point.
    """

    frame: int
    point: tuple[float, float]
    heading: float | None
    sways: bool = False


@dataclass(frozen=True)
class Route:
    """A transform of each frame over the floor.

    Attributes:
        own: (T, 2) the motion's own way, metres.
        place: (T, 2) where that goes.
        turn: (T,) by how much the frame is turned about it, radians.
    """

    own: Tensor
    place: Tensor
    turn: Tensor

    def points(self, points: Tensor, frames: Tensor | slice = slice(None)) -> Tensor:
        """Return points (F, ..., 3) of frames (F,) where the route takes them; heights stay."""
        shape = (-1, *[1] * (points.dim() - 2))
        own, place = (_flat(each[frames]).reshape(*shape, 3) for each in (self.own, self.place))
        return quat_rotate(quat_yaw(self.turn[frames]).reshape(*shape, 4), points - own) + place

    def apply(self, motion: Motion) -> Motion:
        """Return a motion whose body goes along the route; its feet slide."""
        pelvis = quat_multiply(quat_yaw(self.turn), motion.rotations[:, 0])
        rotations = torch.cat([pelvis[:, None], motion.rotations[:, 1:]], dim=1)
        return replace(motion, rotations=rotations, root=self.points(motion.root))


def places(constraints: Sequence[Constraint], motion: Motion) -> list[Place]:
    """Return where constraints ask the root to be, by frame; of several at one frame the mean."""
    found: list[Place] = []
    for each in constraints:
        if isinstance(each, Waypoint):
            found.append(Place(frame_of(each.time, motion), (each.x, each.z), each.heading))
        elif isinstance(each, PoseKey) and not each.in_place:
            heading = 2 * math.atan2(each.rotations[0][1], each.rotations[0][3])
            found.append(Place(frame_of(each.time, motion), (each.root[0], each.root[2]), heading))
        elif isinstance(each, RootPath):
            found += _along(each, motion)
    by_frame: dict[int, list[Place]] = {}
    for place in found:
        by_frame.setdefault(place.frame, []).append(place)
    return [_mean(by_frame[frame]) for frame in sorted(by_frame)]


def pace(motion: Motion, constraints: Sequence[Constraint]) -> float:
    """Return how much further a motion has to go than it does, between the places that are asked; 1 where none is.

    Args:
        motion: of SMPL-22.
        constraints: of which paths, waypoints and poses count.
    """
    own = smoothed(motion.root[:, [0, 2]], SWAY_SECONDS * motion.fps)
    stops = within_reach(places(constraints, motion), motion.fps, own)
    if not stops or stops[-1].frame == 0:
        return 1.0
    ways = [math.dist(a.point, b.point) for a, b in pairwise(stops)]
    goes = float((own[1:] - own[:-1]).norm(dim=1)[: stops[-1].frame].sum())
    if max(sum(ways), goes) < _PACED:
        return 1.0
    return sum(ways) / max(goes, 0.1)


def _along(path: RootPath, motion: Motion) -> list[Place]:
    gaps = [b - a for a, b in zip(path.times, path.times[1:], strict=False)]
    sways = bool(gaps) and max(gaps) <= DENSE_SECONDS
    headings = path.headings or [None] * len(path.times)
    return [
        Place(frame_of(time, motion), point, heading, sways)
        for time, point, heading in zip(path.times, path.points, headings, strict=True)
    ]


def _mean(same: Sequence[Place]) -> Place:
    """Return the place in the middle of several; places that must be met exactly outweigh those of a path."""
    exact = [place for place in same if not place.sways] or same
    x, z = (sum(place.point[i] for place in exact) / len(exact) for i in range(2))
    said = [place.heading for place in same if place.heading is not None]
    heading = math.atan2(sum(map(math.sin, said)), sum(map(math.cos, said))) if said else None
    return Place(same[0].frame, (x, z), heading, exact[0].sways)


def route(motion: Motion, asked: Sequence[Place], obstacles: Sequence[Avoid], first: int = 0) -> Route:
    """Return the route of a motion by places, round obstacles.

    Args:
        motion: of SMPL-22.
        asked: places by frame, in rising order.
        obstacles: what to go around.
        first: frames before it stay as they are.
    """
    flat = motion.root[:, [0, 2]]
    own = smoothed(flat, SWAY_SECONDS * motion.fps)
    sway = _flat(flat - own)
    if first:
        held = [
            Place(i, (float(own[i, 0]), float(own[i, 1])), float(motion.heading()[i]), True)
            for i in range(first)
        ]
        asked = held + [place for place in asked if place.frame >= first]
    stops = within_reach(asked, motion.fps, own)
    frames = torch.tensor([place.frame for place in stops])
    targets = torch.tensor([place.point for place in stops]).to(flat)
    exact = torch.tensor([not place.sways for place in stops])
    progress = _progress(own, motion.fps)
    turn = torch.zeros_like(flat[:, 0])
    place = own
    for number in range(_ROUNDS):
        swayed = quat_rotate(quat_yaw(turn[frames]), sway[frames])[:, [0, 2]]
        centre = targets - torch.where(exact[:, None], swayed, torch.zeros_like(swayed))
        place = (
            _way(own, frames, centre, exact, progress, turn, motion.fps)
            if len(stops) > 1
            else own + centre - own[frames]
        )
        if number >= _ROUNDS - 2:  # when the way is nearly what it will be
            place = around(place, obstacles, sorted({0, *frames.tolist()}) if asked else [0], motion.fps)
        turn = _turned(motion, own, place, stops)
    return Route(own, place, turn)


def within_reach(asked: Sequence[Place], fps: float, own: Tensor) -> list[Place]:
    """Return places from the first frame on, of which none is further from the one before than FASTEST allows.

    Those that are come nearer. Where the first frame is not asked to be anywhere, it stays on the motion's own way.
    """
    start = Place(0, (float(own[0, 0]), float(own[0, 1])), None, True)
    stops = list(asked) if asked and asked[0].frame <= 0 else [start, *asked]
    found = [stops[0]]
    for place in stops[1:]:
        before = found[-1]
        way = math.dist(before.point, place.point)
        share = min(1.0, FASTEST * (place.frame - before.frame) / fps / max(way, 1e-9))
        x, z = (a + share * (b - a) for a, b in zip(before.point, place.point, strict=True))
        found.append(replace(place, point=(x, z)))
    return found


def _progress(own: Tensor, fps: float) -> Tensor:
    """Return how far along its way each frame (T,) is, rising at every frame."""
    speed = torch.zeros_like(own[:, 0])
    speed[1:] = (own[1:] - own[:-1]).norm(dim=1) * fps
    return (speed + STANDING_SPEED).cumsum(0)


def _way(
    own: Tensor, frames: Tensor, targets: Tensor, exact: Tensor, progress: Tensor, turn: Tensor, fps: float
) -> Tensor:
    """Return a way (T, 2) by targets (K, 2) at frames; after the last it is the motion's own, turned as it is there.

    It is soft, and then bent back to the targets that are exact (K,).
    """
    last = int(frames[-1])
    place = curve(progress[frames], targets, progress)
    after = quat_rotate(quat_yaw(turn[last]), _flat(own[last:] - own[last]))[:, [0, 2]]
    place = torch.cat([place[:last], targets[-1] + after])
    soft = smoothed(place, _SOFT_SECONDS * fps)
    exact = exact | (frames == 0)
    if not exact.any():
        return soft
    missing = (targets - soft[frames])[exact]
    reach = round(TURN_SECONDS * fps)
    return soft + faded(len(place), frames[exact].tolist(), missing, [reach] * len(missing))


def _turned(motion: Motion, own: Tensor, place: Tensor, stops: Sequence[Place]) -> Tensor:
    """Return the turn (T,) with which the body faces its way as it did its own, and headings where they are asked."""
    facing, fps = motion.heading(), motion.fps
    goes = _velocity(place, fps)
    angle = torch.atan2(goes[:, 0], goes[:, 1]) - _way_of_going(own, facing, fps)
    weight = ((goes.norm(dim=1) - _STILL) / (_MOVING - _STILL)).clamp(0, 1)
    asked = {
        place.frame: place.heading - float(facing[place.frame])
        for place in stops
        if place.heading is not None
    }
    for frame in asked:  # close to a heading the way does not count
        weight = weight * (1 - window(len(weight), frame, frame, round(TURN_SECONDS * fps)).to(weight))
    angles = _unrolled(angle.tolist(), (weight > 0.05).tolist(), asked)
    if not angles:  # who goes nowhere is not turned
        return torch.zeros_like(angle)
    knots, values = torch.tensor([*angles]).to(own), torch.tensor([*angles.values()]).to(own)
    angle = _straight(knots, values, torch.arange(len(own)).to(own))
    even = _averaged(torch.stack([angle, torch.ones_like(angle)], dim=1), _SOFT_SECONDS * fps)
    turn = even[:, 0] / even[:, 1]
    if not asked:
        return turn
    frames = sorted(asked)
    missing = (angle - turn)[frames]
    reach = [round(max(TURN_SECONDS, abs(each) / TURN_RATE) * fps) for each in missing.tolist()]
    return turn + faded(len(own), frames, missing[:, None], reach)[:, 0]


def _way_of_going(own: Tensor, facing: Tensor, fps: float) -> Tensor:
    """Return the direction (T,) in which a body goes as it goes at that time, radians: ahead, aside or backwards.

    That is where it faces, and how it goes from there on average over seconds: steps of somebody who hardly goes have
    no direction of their own.
    """
    flat = quat_rotate(quat_yaw(-facing), _flat(_velocity(own, fps)))[:, [0, 2]]
    aside = _averaged(flat, _GAIT_SECONDS * fps) + flat.new_tensor([0.0, 0.05])
    faces = _averaged(torch.stack([facing.sin(), facing.cos()], dim=1), _SOFT_SECONDS * fps)
    return torch.atan2(faces[:, 0], faces[:, 1]) + torch.atan2(aside[:, 0], aside[:, 1])


def _unrolled(way: Sequence[float], counts: Sequence[bool], asked: Mapping[int, float]) -> dict[int, float]:
    """Return the turn of each frame for which there is one, without jumps by whole turns.

    Args:
        way: turn with which each frame faces its way.
        counts: whether it does go.
        asked: turn with which frames face as they are asked, which stands in place of that of the way.
    """
    found: dict[int, float] = {}
    last_way: float | None = None
    last: float | None = None
    for frame, (angle, goes) in enumerate(zip(way, counts, strict=True)):
        if goes:
            near = last_way if last_way is not None else last
            found[frame] = last_way = last = _near(angle, near)
        if frame in asked:
            found[frame] = last = _near(asked[frame], last)
    return found


def _near(angle: float, other: float | None) -> float:
    """Return the same angle, less than half a turn from another; from 0 for None."""
    other = other or 0.0
    return other + math.remainder(angle - other, math.tau)


def _straight(knots: Tensor, values: Tensor, at: Tensor) -> Tensor:
    """Return values (T,) on straight lines through those at knots (K,), and the outer ones beyond them."""
    after = torch.searchsorted(knots, at).clamp(max=len(knots) - 1)
    before = (after - 1).clamp_min(0)
    share = ((at - knots[before]) / (knots[after] - knots[before]).clamp_min(1e-9)).clamp(0, 1)
    return values[before] + (values[after] - values[before]) * share


def _averaged(values: Tensor, sigma: float) -> Tensor:
    """Return values (T, D) under a Gaussian of so many frames, with none beyond the ends."""
    reach = max(1, min(round(3 * sigma), len(values)))
    taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1).to(values) / sigma) ** 2)
    return torch.nn.functional.conv1d(values.T[:, None], (taps / taps.sum())[None, None], padding=reach)[
        :, 0
    ].T


def _velocity(path: Tensor, fps: float) -> Tensor:
    if len(path) < 2:
        return torch.zeros_like(path)
    return torch.gradient(path, dim=0)[0] * fps


def _flat(points: Tensor) -> Tensor:
    """Return points (..., 2) on the floor as (..., 3) at height 0."""
    return torch.stack([points[..., 0], torch.zeros_like(points[..., 0]), points[..., 1]], dim=-1)
