"""Bends the heading of a motion to a net turn: the body rotates about the foot that it stands on, so no foot slides."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from motiongen.contacts import CONTACT_INDEX
from motiongen.motion import Motion
from motiongen.rotation import quat_multiply, quat_rotate, quat_yaw
from motiongen.shaping.step_turn import step_turn

MOVING_RATE = 1.8
"""Highest turn rate while a foot is in the air, rad/s."""
STANDING_RATE = 0.6
"""Highest turn rate on both feet, rad/s: a foot 10 cm from the middle then slides at 6 cm/s."""
CURVE_RATE = 1.2
"""Turn rate that a walk in a curve is given time for, rad/s."""
ENOUGH = math.radians(12)
"""A turn that misses its angle by less stays as it is."""
_SMOOTHING_SECONDS = 0.8
"""Window over which the speed of the root is averaged: a curve bends with the path, not with each step."""


def net_turn(motion: Motion) -> float:
    """Return the angle that a motion's heading turns by, radians, to the left where positive; full turns count."""
    return float(_turned(motion).sum())


def goes_aside(motion: Motion, left: bool) -> bool:
    """Return whether a motion travels to a side of where it looks at first, by more than it travels ahead.

    Args:
        motion: of SMPL-22.
        left: to the left, or else to the right.
    """
    way = quat_rotate(quat_yaw(-motion.heading()[0]), motion.root[-1] - motion.root[0])
    aside, ahead = float(way[0]) * (1 if left else -1), abs(float(way[2]))
    return aside > max(0.5, ahead)


def with_turn(motion: Motion, angle: float, *, is_curve: bool = False) -> Motion:
    """Return a motion of SMPL-22 that turns by an angle in all.

    What it turns by itself counts. Where its steps have time for the rest, the body turns with them; where it stands,
    it turns in place with steps of its own.

    Args:
        motion: to be turned.
        angle: net turn, radians, to the left where positive. Of half a turn either side will do.
        is_curve: spread the turn evenly over the path, which a whole turn then closes.
    """
    missing = angle - net_turn(motion)
    other_side = missing - math.copysign(math.tau, angle)
    if abs(abs(angle) - math.pi) < 1e-3 and abs(other_side) < abs(missing) - ENOUGH:
        missing = other_side
    if abs(missing) < ENOUGH:
        return motion
    rates = _rates(motion)
    room = float(rates.sum()) / motion.fps
    if not is_curve and room < abs(missing):
        return step_turn(motion, missing)
    shares = _shares(motion, rates, is_curve)
    if not is_curve:
        return turned_on_feet(motion, missing * shares)
    own = _smooth(_turned(motion), motion.fps)  # an even curve keeps no bends of its own
    return turned_on_feet(motion, (missing + own.sum()) * shares - own)


def turned_on_feet(motion: Motion, steps: Tensor) -> Motion:
    """Return a motion turned by so much in each frame, about the foot that stands in it.

    Args:
        motion: of SMPL-22.
        steps: (T,) radians by which each frame turns more than the one before.
    """
    positions, contacts = motion.positions()[:, CONTACT_INDEX], motion.contacts()  # (T, 4, 3), (T, 4)
    weights = contacts.to(positions)
    planted = (positions * weights[..., None]).sum(dim=1) / weights.sum(dim=1, keepdim=True).clamp_min(1)
    pivots = torch.where(contacts.any(dim=1, keepdim=True), planted, motion.root)  # (T, 3)
    angles = steps.cumsum(0)
    # Each frame's pivot stays where it was with the angle before: shifts add up, and nothing else moves it.
    before = torch.cat([angles.new_zeros(1), angles[:-1]])
    shifts = (quat_rotate(quat_yaw(before), pivots) - quat_rotate(quat_yaw(angles), pivots)).cumsum(0)
    yaw = quat_yaw(angles.to(motion.root))
    pelvis = quat_multiply(yaw, motion.rotations[:, 0])
    flat = motion.root.new_tensor([1.0, 0.0, 1.0])
    return replace(
        motion,
        rotations=torch.cat([pelvis[:, None], motion.rotations[:, 1:]], dim=1),
        root=quat_rotate(yaw, motion.root) + shifts * flat,
    )


def _turned(motion: Motion) -> Tensor:
    """Return the angle (T,) by which each frame is turned from the one before, radians."""
    step = motion.heading().diff(prepend=motion.heading()[:1])
    return torch.atan2(step.sin(), step.cos())


def _smooth(values: Tensor, fps: float) -> Tensor:
    """Return the means of values (T,) over _SMOOTHING_SECONDS."""
    width = max(1, min(round(_SMOOTHING_SECONDS * fps), len(values))) | 1
    padded = torch.nn.functional.pad(values[None, None], (width // 2, width // 2), mode="replicate")
    return torch.nn.functional.avg_pool1d(padded, width, stride=1)[0, 0]


def _rates(motion: Motion) -> Tensor:
    """Return how fast each frame (T,) may turn, rad/s."""
    contacts = motion.contacts()
    both = contacts[:, :2].any(dim=1) & contacts[:, 2:].any(dim=1)
    return torch.where(both, STANDING_RATE, MOVING_RATE)


def _shares(motion: Motion, rates: Tensor, is_curve: bool) -> Tensor:
    """Return the share (T,) of the turn that each frame takes; they add up to 1."""
    shares = rates.clone()
    if is_curve:
        step = torch.zeros_like(rates)
        step[1:] = (motion.root[1:, [0, 2]] - motion.root[:-1, [0, 2]]).norm(dim=-1)
        shares = shares * _smooth(step, motion.fps).clamp_min(1e-4)
    ease = torch.linspace(0, 1, motion.num_frames).to(shares)
    shares = shares * (torch.minimum(ease, 1 - ease) * 12).clamp(0.1, 1)  # begins and ends gently
    return shares / shares.sum()
