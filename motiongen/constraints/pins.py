"""Tracks of joints that are held: where each is to be in every frame, and how much that counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.constraints.easing import ease, window
from motiongen.constraints.joint_key import JointKey
from motiongen.constraints.poses import frame_of
from motiongen.motion import Motion
from motiongen.rotation import quat_angle, quat_slerp

LEAST_SECONDS, MOST_SECONDS = 0.45, 1.2
"""Shortest and longest time in which a joint goes to where it is held, and back."""
SPEED, RATE = 1.3, 4.0
"""Speed at which it goes there, m/s, and turns, rad/s."""
FARTHEST = 1.3
"""Way from where a joint is over which it is out of reach, metres: it goes so far towards its goal."""


@dataclass(frozen=True)
class Pin:
    """A joint's goal.

    Attributes:
        joint: its index.
        place: (T, 3) where it is to be, metres; None where no place is asked.
        turn: (T, 4) its rotation in the world; None where none is asked.
        weight: (T,) how much of the way to the goal is asked, 0 to 1: of the place, or of the turn where none is asked.
    """

    joint: int
    place: Tensor | None
    turn: Tensor | None
    weight: Tensor


def pins(motion: Motion, keys: Sequence[JointKey], joint: str) -> Pin | None:
    """Return the goal of a joint of a motion; None where nothing holds it. Of keys that overlap the first counts."""
    index = motion.skeleton.index(joint)
    mine = sorted((key for key in keys if key.joint == joint), key=lambda key: key.time)
    own_place, own_turn = motion.positions()[:, index], motion.global_rotations()[:, index]
    placed = [(*_frames(key, motion), own_place.new_tensor(key.position)) for key in mine if key.position]
    turned = [(*_frames(key, motion), own_turn.new_tensor(key.rotation)) for key in mine if key.rotation]
    place = turn = weight = None
    if placed:
        distances = [float((own_place[first] - value).norm()) / SPEED for first, _, value in placed]
        placed = [(first, last, _near(own_place[first], value)) for first, last, value in placed]
        goal, weight = _goal(motion, placed, distances, _between)
        place = own_place + (goal - own_place) * weight[:, None]
    if turned:
        angles = [float(quat_angle(own_turn[first], value)) / RATE for first, _, value in turned]
        goal, share = _goal(motion, turned, angles, quat_slerp)
        turn = quat_slerp(own_turn, goal, share)
        weight = share if weight is None else weight
    return None if weight is None else Pin(index, place, turn, weight)


def _near(own: Tensor, value: Tensor) -> Tensor:
    """Return a goal (3,), or where on the way to it from a place (3,) a body still reaches."""
    way = value - own
    return own + way * (FARTHEST / way.norm().clamp_min(FARTHEST))


def _between(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    return a + (b - a) * share[:, None]


def _frames(key: JointKey, motion: Motion) -> tuple[int, int]:
    first, last = key.span
    return frame_of(first, motion), frame_of(last, motion)


def _goal(
    motion: Motion,
    spans: Sequence[tuple[int, int, Tensor]],
    seconds: Sequence[float],
    mix: Callable[[Tensor, Tensor, Tensor], Tensor],
) -> tuple[Tensor, Tensor]:
    """Return the goal (T, D) of spans (first, last, value), and its weight (T,): 1 in them, falling to 0 beside them.

    Args:
        motion: gives frames and their rate.
        spans: in order of time.
        seconds: time that each takes to be reached.
        mix: goes from one value to another by a share.
    """
    count = motion.num_frames
    goal = spans[0][2].expand(count, -1).clone()
    weight = torch.zeros(count).to(goal)
    held = -1, 0
    for (first, last, value), time in zip(spans, seconds, strict=True):
        first = max(first, held[0] + 1)
        if last < first:
            continue
        reach = round(min(max(time, LEAST_SECONDS), MOST_SECONDS) * motion.fps)
        if held[0] >= 0 and first - held[0] < reach + held[1]:  # straight from one to the next
            frames = torch.arange(held[0], first)
            share = ease((frames - held[0]) / (first - held[0])).to(goal)
            goal[frames] = mix(goal[frames], value.expand(len(frames), -1), share)
            weight[frames] = 1.0
        elif held[0] >= 0:
            goal[held[0] + held[1] : first] = value
        goal[first:] = value
        weight = torch.maximum(weight, window(count, first, last, reach).to(weight))
        held = last, reach
    return goal, weight
