"""Poses at times: what differs from them is added to the motion, growing towards each and fading after it."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from motiongen.constraints.easing import faded
from motiongen.constraints.pose_key import PoseKey
from motiongen.motion import Motion
from motiongen.rotation import (
    axis_angle_from_quat,
    heading_angle,
    quat_from_axis_angle,
    quat_inverse,
    quat_multiply,
    quat_yaw,
)

LEAST_SECONDS, MOST_SECONDS = 0.4, 1.0
"""Shortest and longest time in which a pose is gone over to."""
RATE = 3.5
"""Speed at which joints go over to a pose, rad/s."""


def with_poses(motion: Motion, keys: Sequence[PoseKey]) -> Motion:
    """Return a motion of SMPL-22 that has poses at their times; its feet slide.

    Args:
        motion: whose root is at the keys' places already, but for height.
        keys: poses; of several at one frame the first counts.
    """
    by_frame: dict[int, PoseKey] = {}
    for key in keys:
        by_frame.setdefault(frame_of(key.time, motion), key)
    if not by_frame:
        return motion
    frames = sorted(by_frame)
    turns, shifts, reach = [], [], []
    for frame in frames:
        rotations, root = pose_of(by_frame[frame], motion, frame)
        turn = axis_angle_from_quat(quat_multiply(quat_inverse(motion.rotations[frame]), rotations))  # (J, 3)
        turns.append(turn)
        shifts.append(root - motion.root[frame])
        seconds = min(max(float(turn.norm(dim=1).max()) / RATE, LEAST_SECONDS), MOST_SECONDS)
        reach.append(round(seconds * motion.fps))
    offset = faded(motion.num_frames, frames, torch.stack(turns).flatten(1), reach).unflatten(1, (-1, 3))
    return replace(
        motion,
        rotations=quat_multiply(motion.rotations, quat_from_axis_angle(offset)),
        root=motion.root + faded(motion.num_frames, frames, torch.stack(shifts), reach),
    )


def pose_of(key: PoseKey, motion: Motion, frame: int) -> tuple[Tensor, Tensor]:
    """Return local rotations (J, 4) and root (3,) of a key; one that is in place is where the motion is at a frame."""
    rotations, root = (motion.root.new_tensor(each) for each in (key.rotations, key.root))
    if not key.in_place:
        return rotations, root
    turn = quat_yaw(motion.heading()[frame] - heading_angle(rotations[0]))
    rotations = torch.cat([quat_multiply(turn, rotations[0])[None], rotations[1:]])
    return rotations, torch.stack([motion.root[frame, 0], root[1], motion.root[frame, 2]])


def frame_of(time: float, motion: Motion) -> int:
    """Return the frame of a time in seconds."""
    return min(round(time * motion.fps), motion.num_frames - 1)
