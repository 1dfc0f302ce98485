"""Turns a standing body in place: the feet step round one after the other, by inverse kinematics of the legs."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from motiongen.foot_lock import move_leg
from motiongen.motion import Motion
from motiongen.rotation import quat_multiply, quat_rotate, quat_yaw
from motiongen.skeleton import local_rotations

STEP_ANGLE = math.radians(50)
"""Largest turn of a pair of steps."""
STEP_SECONDS = 0.34
"""Time of one step."""
MARGIN_SECONDS = 0.15
"""Time before the first step and after the last."""
LIFT = 0.07
"""Height of a swinging foot over its standing height, metres."""
SWAY = 0.25
"""How far the pelvis goes over the standing foot, as a share of the way there."""


def step_turn_seconds(angle: float) -> float:
    """Return the seconds that a turn in place takes.

    Args:
        angle: radians.
    """
    return 2 * MARGIN_SECONDS + 2 * STEP_SECONDS * _pairs(angle)


def step_turn(motion: Motion, angle: float) -> Motion:
    """Return a motion of SMPL-22 whose body turns in place by an angle, stepping; its pose above the hips stays.

    A motion shorter than the turn takes is stretched by holding its last frame.

    Args:
        motion: of somebody who stands, more or less.
        angle: radians, to the left where positive.
    """
    missing = round(step_turn_seconds(angle) * motion.fps) - motion.num_frames
    if missing > 0:
        motion = motion.at(torch.arange(motion.num_frames + missing))
    feet, swings = _schedule(angle, motion.num_frames, motion.fps)  # (2, T) radians, (2, T) 0 to 1
    body = _eased(feet.mean(dim=0), round(STEP_SECONDS * motion.fps))
    skeleton, positions, facing = motion.skeleton, motion.positions(), motion.global_rotations()
    ankles = [skeleton.index("left_ankle"), skeleton.index("right_ankle")]
    flat = positions.new_tensor([1.0, 0.0, 1.0])
    pivot = positions[:1, ankles].mean(dim=1) * flat  # (1, 3): the middle between the feet
    # The weight is on the foot that does not swing.
    towards = (positions[:, ankles[1]] - positions[:, ankles[0]]) * flat / 2
    sway = (
        SWAY * (_eased(swings[0], 5) - _eased(swings[1], 5))[:, None] * quat_rotate(quat_yaw(body), towards)
    )
    root = pivot + quat_rotate(quat_yaw(body), motion.root - pivot) + sway
    turned = quat_multiply(quat_yaw(body)[:, None], facing)
    moved = root[:, None] + quat_rotate(
        quat_yaw(body)[:, None], positions - motion.root[:, None]
    )  # (T, J, 3)
    for side, name in enumerate(("left", "right")):
        hip, knee, ankle = (skeleton.index(f"{name}_{part}") for part in ("hip", "knee", "ankle"))
        foot = skeleton.index(f"{name}_foot")
        around = quat_yaw(feet[side])
        target = pivot + quat_rotate(around, positions[:, ankle] - pivot)
        target = target + swings[side][:, None] * positions.new_tensor([0.0, LIFT, 0.0])
        move_leg(turned, moved, (hip, knee, ankle), target)
        turned[:, ankle] = quat_multiply(around, facing[:, ankle])
        turned[:, foot] = quat_multiply(around, facing[:, foot])
    return replace(motion, rotations=local_rotations(turned, skeleton), root=root)


def _pairs(angle: float) -> int:
    return max(1, math.ceil(abs(angle) / STEP_ANGLE - 1e-6))


def _schedule(angle: float, frames: int, fps: float) -> tuple[Tensor, Tensor]:
    """Return the angle of each foot and how far it is lifted, 0 to 1, both (2, T); the inner foot goes first."""
    pairs, step = _pairs(angle), STEP_SECONDS
    start = (frames / fps - 2 * step * pairs) / 2  # the turn is in the middle of the motion
    times = torch.arange(frames) / fps - start
    feet, swings = torch.zeros(2, frames), torch.zeros(2, frames)
    inner = 0 if angle > 0 else 1
    for n in range(2 * pairs):
        side = inner if n % 2 == 0 else 1 - inner
        phase = ((times - n * step) / step).clamp(0, 1)
        feet[side] += angle / pairs * (phase**2 * (3 - 2 * phase))
        swings[side] += (torch.pi * phase).sin()
    return feet, swings


def _eased(values: Tensor, width: int) -> Tensor:
    width |= 1
    padded = torch.nn.functional.pad(values[None, None], (width // 2, width // 2), mode="replicate")
    return torch.nn.functional.avg_pool1d(padded, width, stride=1)[0, 0]
