"""Small motions that tests are made of."""

from dataclasses import replace

import torch

from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle
from motiongen.skeleton import SMPL22


def wobble(frames: int = 40, seed: int = 0, fps: float = 30.0) -> Motion:
    """A body that sways, turns and drifts smoothly: arbitrary, but never still."""
    generator = torch.Generator().manual_seed(seed)
    phase, rate = torch.rand(2, 22, 3, generator=generator)
    time = torch.arange(frames)[:, None, None] / fps
    vectors = 0.5 * torch.sin(2 * torch.pi * (rate * time + phase))  # (T, 22, 3)
    vectors[:, 0, 1] += time[:, 0, 0]
    path = torch.stack(
        [time[:, 0, 0] * 0.5, 0.97 + 0.02 * torch.sin(6 * time[:, 0, 0]), time[:, 0, 0]], dim=-1
    )
    return Motion(SMPL22, quat_from_axis_angle(vectors), path, fps)


def t_pose(frames: int = 8, fps: float = 30.0) -> Motion:
    """A T-pose that stands still on the floor."""
    rotations = SMPL22.rest_rotations.expand(frames, 22, 4)
    return Motion(SMPL22, rotations, torch.tensor([0.0, 0.97, 0.0]).expand(frames, 3), fps)


def standing(frames: int) -> Motion:
    """The canonical body at rest with its arms hanging."""
    motion = t_pose(frames)
    rotations = motion.rotations.clone()
    for side, sign in (("left", -1), ("right", 1)):
        half = torch.tensor(sign * 0.6)  # half of 69 degrees, about +Z
        rotations[:, SMPL22.index(f"{side}_shoulder"), 2:] = torch.stack([half.sin(), half.cos()])
    return replace(motion, rotations=rotations)
