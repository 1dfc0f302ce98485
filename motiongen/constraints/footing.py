"""Where feet stand when a body goes another way: each stays where it stands; what differs is made up in its swings.

A foot's places in the motion as written are carried rigidly, stance by stance, to where the body's new way puts them;
in between, in the air, they go from one to the next. A stance over which the new way goes on too far is cut by further
steps. Hips and knees follow by inverse kinematics, and the pelvis sinks a little where a step is long.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from motiongen.constraints.easing import ease, runs, smoothed, window
from motiongen.foot_lock import leg_rotations
from motiongen.motion import Motion
from motiongen.rotation import (
    heading_angle,
    quat_identity,
    quat_inverse,
    quat_multiply,
    quat_rotate,
    quat_slerp,
    quat_yaw,
)
from motiongen.skeleton import local_rotations

SWING_SECONDS = 0.3
"""Time of a further step."""
STANCE_SECONDS = 0.9
"""A stance that is no longer than this is not cut, up to LONGEST_SLIDE."""
LEAST_SLIDE, LONGEST_SLIDE = 0.06, 0.35
"""Way that a foot may be carried within a stance, metres: from the first a long stance is cut, from the second any."""
LONGEST_TURN = 0.7
"""The same for the turn of a foot, radians."""
LEAST_SECONDS = 0.45
"""Least time from one of a foot's further steps to the next."""
LEAST_STEP = 0.03
"""Way from which a further step is lifted, metres."""
LEAST_LIFT, LIFT, MOST_LIFT = 0.04, 0.2, 0.1
"""Height of the shortest further step, metres; what is added for each metre of its way; the most, metres."""
PLANTED = 0.11
"""Height of an ankle up to which a foot of a pose stands, metres."""
PASS_SECONDS = 0.25
"""Least time before and after a frame at which a foot in the air is asked to be elsewhere."""
GAP_SECONDS, FOLLOW_SECONDS = 0.7, 0.2
"""A foot that stands nowhere for the first follows the body, from one place to the next every so often."""
STRAIGHT, DEEPEST = 0.98, 0.12
"""Share of a leg's length from which the pelvis sinks, and by how much at most, metres."""
NEAR = 0.005
"""Distance from its place under which an ankle is left where it is, more or less, metres."""
_MIN_FRAMES = 3
SIDES = ("left", "right")


@dataclass(frozen=True)
class Anchor:
    """A stance: frames `first` to `last`, carried as the foot is at frame `at`; `whole` with its tilt and height."""

    first: int
    last: int
    at: int
    whole: bool = False


@dataclass(frozen=True)
class Footing:
    """Where the ankles are to be.

    Attributes:
        places: (T, 2, 3) left and right, metres.
        turns: (T, 2, 4) their rotations in the world.
    """

    places: Tensor
    turns: Tensor


def footing(own: Motion, moved: Motion, exact: Sequence[int]) -> Footing:
    """Return where feet are when a motion is moved.

    Args:
        own: of SMPL-22, as written.
        moved: the same with another way, or other poses; its feet slide.
        exact: frames at which the feet are as they are in `moved`.
    """
    contacts = own.contacts().unflatten(1, (2, 2)).any(dim=2)  # (T, 2)
    places, turns = [], []
    for number, side in enumerate(SIDES):
        ankle = own.skeleton.index(f"{side}_ankle")
        track = _Track(
            own.positions()[:, ankle], own.global_rotations()[:, ankle],
            moved.positions()[:, ankle], moved.global_rotations()[:, ankle],
        )  # fmt: skip
        anchors = _anchors(track, contacts[:, number], sorted(set(exact)), own.fps, late=bool(number))
        place, turn = _carried(track, anchors, contacts[:, number])
        for frame in exact:
            others = [abs(frame - other) for other in exact if other != frame]
            place, turn = _through(
                track, place, turn, anchors, frame, own.fps, min(others, default=own.num_frames)
            )
        places.append(place)
        turns.append(turn)
    return Footing(torch.stack(places, dim=1), torch.stack(turns, dim=1))


@dataclass(frozen=True)
class _Track:
    """A foot (T, 3) and (T, 4), as written and as the moved body has it."""

    own: Tensor
    own_turn: Tensor
    moved: Tensor
    moved_turn: Tensor

    def yaw(self, frames: Tensor | slice = slice(None)) -> Tensor:
        """Return by how much the foot is turned about +Y (F,)."""
        return heading_angle(quat_multiply(self.moved_turn[frames], quat_inverse(self.own_turn[frames])))

    def carried(self, anchor: Anchor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return places (F, 3) and rotations (F, 4) of frames (F,), carried as an anchor is."""
        at = torch.tensor([anchor.at])
        yaw = quat_yaw(self.yaw(at))
        place = self.moved[at] + quat_rotate(yaw, self.own[frames] - self.own[at])
        if anchor.whole:
            place[:, 1] = place[:, 1].maximum(torch.minimum(self.moved[at, 1], self.own[frames, 1]))
            turn = quat_multiply(self.moved_turn[at], quat_inverse(self.own_turn[at]))
            return place, quat_multiply(turn, self.own_turn[frames])
        place[:, 1] = self.own[frames, 1]
        return place, quat_multiply(yaw, self.own_turn[frames])


def _anchors(track: _Track, stands: Tensor, exact: Sequence[int], fps: float, late: bool) -> list[Anchor]:
    """Return the stances of a foot in order, and what it follows where it does not stand."""
    found = []
    for first, last in runs(stands, _MIN_FRAMES):
        found += _stance(track, first, last, [k for k in exact if first <= k <= last], fps, late)
    standing = {k for anchor in found for k in range(anchor.first, anchor.last + 1)}
    for k in exact:  # a pose that stands where the motion does not is a step
        if k not in standing and float(track.moved[k, 1]) < PLANTED:
            found.append(Anchor(k, k, k, whole=True))
    found.sort(key=lambda anchor: anchor.first)
    ends = [anchor.first for anchor in found] + [len(stands)]
    begins = [-1] + [anchor.last for anchor in found]
    step, gap = max(1, round(FOLLOW_SECONDS * fps)), round(GAP_SECONDS * fps)
    for begin, end in zip(begins, ends, strict=True):
        outside = begin < 0 or end == len(stands)
        if end - begin - 1 > gap or (outside and end - begin > 1):
            frames = range(
                begin + step if begin >= 0 else 0, end - step // 2 if end < len(stands) else end, step
            )
            found += [Anchor(k, k, k, whole=True) for k in frames]
    if not found:
        found = [Anchor(0, 0, 0, whole=True)]
    return sorted(found, key=lambda anchor: anchor.first)


def _stance(
    track: _Track, first: int, last: int, exact: Sequence[int], fps: float, late: bool
) -> list[Anchor]:
    """Return the anchors of one stance [first, last]: one, or several with steps between them."""
    frames = torch.arange(first, last + 1)
    yaw = track.yaw(frames)
    where = track.moved[frames] + quat_rotate(quat_yaw(yaw), track.own[first] - track.own[frames])
    where = where[:, [0, 2]]
    slide = float((where.amax(dim=0) - where.amin(dim=0)).norm())
    turned = float((yaw - yaw[len(yaw) // 2]).abs().amax())
    short = last - first < STANCE_SECONDS * fps and slide < LONGEST_SLIDE and turned < LONGEST_TURN
    if not exact and (short or (slide < LEAST_SLIDE and turned < LONGEST_TURN / 4)):
        return [Anchor(first, last, (first + last) // 2)]
    if exact and short:
        ats = list(exact)
    else:
        ats = sorted({*_stops(where, yaw, first, round(LEAST_SECONDS * fps)), *exact})
    swing = max(2, round(SWING_SECONDS * fps))
    ats = [k for k in ats if k in exact or all(abs(k - e) >= swing for e in exact)]
    anchors, begin = [], first
    for at, after in zip(ats, [*ats[1:], None], strict=True):
        if after is None:
            anchors.append(Anchor(begin, last, at, at in exact))
            break
        length = min(swing, after - at)
        start = at + round((after - at - length) * (0.75 if late else 0.25))
        anchors.append(Anchor(begin, max(begin, start), at, at in exact))
        begin = max(begin, start) + length
    return anchors


def _stops(where: Tensor, yaw: Tensor, first: int, apart: int) -> list[int]:
    """Return frames of a stance, apart, between which the foot is carried too far to stay: where it stands anew."""
    found = [0]
    for i in range(len(where)):
        if i - found[-1] < apart:
            continue
        far = float((where[i] - where[found[-1]]).norm()) > LONGEST_SLIDE
        if far or abs(float(yaw[i] - yaw[found[-1]])) > LONGEST_TURN:
            found.append(i)
    rest = float((where[-1] - where[found[-1]]).norm()) > LEAST_SLIDE
    if len(where) - 1 - found[-1] >= apart and (
        rest or abs(float(yaw[-1] - yaw[found[-1]])) > LONGEST_TURN / 4
    ):
        found.append(len(where) - 1)
    return [first + i for i in found]


def _carried(track: _Track, anchors: Sequence[Anchor], stands: Tensor) -> tuple[Tensor, Tensor]:
    """Return places (T, 3) and rotations (T, 4) of a foot that goes from anchor to anchor."""
    places, turns = track.own.clone(), track.own_turn.clone()
    count = len(places)
    for i, anchor in enumerate(anchors):
        first = 0 if i == 0 else anchor.first
        last = count - 1 if i + 1 == len(anchors) else anchor.last
        last = max(first, last)
        held = torch.arange(first, last + 1)
        places[held], turns[held] = track.carried(anchor, held)
        if i + 1 == len(anchors):
            break
        after = anchors[i + 1]
        between = torch.arange(last + 1, max(after.first, last + 1))
        if not len(between):
            continue
        share = ease((between - last) / (after.first - last)).to(places)
        before, then = track.carried(anchor, between), track.carried(after, between)
        places[between] = before[0] + (then[0] - before[0]) * share[:, None]
        turns[between] = quat_slerp(before[1], then[1], share)
        way = (then[0] - before[0])[0, [0, 2]].norm()
        if (
            bool(stands[between].all()) and float(way) > LEAST_STEP
        ):  # a step that the motion itself does not make
            places[between, 1] += (LEAST_LIFT + LIFT * way).clamp(max=MOST_LIFT) * (torch.pi * share).sin()
    return places, turns


def _through(
    track: _Track, places: Tensor, turns: Tensor, anchors: Sequence[Anchor], frame: int, fps: float, most: int
) -> tuple[Tensor, Tensor]:
    """Return places and rotations that are at a frame as the moved body has them, without a stop in the air.

    At most so many frames before and after it are changed.
    """
    least = round(PASS_SECONDS * fps)
    before = max((a.last for a in anchors if a.last < frame), default=frame - least)
    after = min((a.first for a in anchors if a.first > frame), default=frame + least)
    at = torch.arange(len(places))
    span = torch.where(
        at < frame, min(max(frame - before, least), most), min(max(after - frame, least), most)
    )
    weight = 1 - ease((at - frame).abs() / span).to(places)
    missing = quat_multiply(track.moved_turn[frame], quat_inverse(turns[frame]))
    turned = quat_multiply(missing.expand_as(turns), turns)
    through = places + weight[:, None] * (track.moved[frame] - places[frame])
    through[:, 1] = torch.maximum(through[:, 1], torch.minimum(places[:, 1], track.moved[frame, 1]))
    return through, quat_slerp(turns, turned, weight)


def stand(motion: Motion, feet: Footing, own: Motion, exact: Sequence[int] = ()) -> Motion:
    """Return a motion of SMPL-22 whose ankles are where a footing says, as far as legs reach.

    Args:
        motion: with its root where it is to be.
        feet: places and rotations.
        own: the motion as written, whose legs may be as straight as they are.
        exact: frames at which the root stays where it is.
    """
    sinking, reach = _sinking(motion, feet, own), round(SWING_SECONDS * motion.fps)
    for frame in exact:
        sinking = sinking * (1 - window(motion.num_frames, frame, frame, reach).to(sinking))[:, None]
    motion = replace(motion, root=motion.root - sinking)
    world, positions = motion.global_rotations().clone(), motion.positions()
    for number, side in enumerate(SIDES):
        hip, knee, ankle, toe = (
            motion.skeleton.index(f"{side}_{part}") for part in ("hip", "knee", "ankle", "foot")
        )
        bend, swing = leg_rotations(
            positions[:, hip], positions[:, knee], positions[:, ankle], feet.places[:, number]
        )
        # A leg that is where it has to be stays as it is, however straight.
        share = ((positions[:, ankle] - feet.places[:, number]).norm(dim=1) / NEAR).clamp(max=1.0)
        bend, swing = (quat_slerp(quat_identity(1, dtype=share.dtype), each, share) for each in (bend, swing))
        world[:, hip] = quat_multiply(swing, world[:, hip])
        world[:, knee] = quat_multiply(swing, quat_multiply(bend, world[:, knee]))
        world[:, ankle] = feet.turns[:, number]
        world[:, toe] = quat_multiply(feet.turns[:, number], motion.rotations[:, toe])
    return replace(motion, rotations=local_rotations(world, motion.skeleton))


def _sinking(motion: Motion, feet: Footing, own: Motion) -> Tensor:
    """Return by how much the root sinks (T, 3) so that legs reach, metres."""
    deepest = torch.zeros(motion.num_frames, 1).to(motion.root)
    for number, side in enumerate(SIDES):
        hip, knee, ankle = (motion.skeleton.index(f"{side}_{part}") for part in ("hip", "knee", "ankle"))
        length = motion.skeleton.offsets[[knee, ankle]].norm(dim=1).sum()
        straight = (own.positions()[:, hip] - own.positions()[:, ankle]).norm(dim=1)
        reach = torch.maximum(straight, STRAIGHT * length)
        down = motion.positions()[:, hip] - feet.places[:, number]
        level = down[:, [0, 2]].norm(dim=1)
        needed = down[:, 1] - (reach**2 - level**2).clamp_min(0).sqrt()
        needed = torch.where(down[:, 1] > 0, needed, torch.zeros_like(needed)).clamp(0, DEEPEST)
        deepest = torch.maximum(deepest, needed[:, None])
    width = max(1, round(0.12 * motion.fps))
    widest = torch.nn.functional.max_pool1d(deepest.T[None], 2 * width + 1, stride=1, padding=width)[0].T
    soft = smoothed(widest, width / 1.5).clamp_min(0)
    return torch.cat([torch.zeros_like(soft), soft, torch.zeros_like(soft)], dim=1)
