"""EDGE's frame: 151 numbers that say a pose of SMPL's 24 joints and where it stands, at 30 fps.

Four contacts, the root's place, 24 rotations in 6-D (Tseng et al., CVPR 2023, section 3.1). As the released code has
it, the world's up is Z here and a rotation's six numbers are the first two rows of its matrix, where the rest of this
project has Y and columns. Our body lacks SMPL's two hands: they are at rest on the way in and left out on the way out.
"""

import math

import torch
from torch import Tensor

from motiongen.kinematics import joint_positions
from motiongen.motion import Motion
from motiongen.rotation import quat_from_6d, quat_multiply, quat_rotate, sixd_from_quat
from motiongen.skeleton import SMPL22

FPS = 30.0
LAYOUT: dict[str, slice] = {
    "contacts": slice(0, 4),  # left ankle, right ankle, left foot, right foot
    "root": slice(4, 7),  # metres, Z up
    "rotations": slice(7, 151),  # 24 local rotations, the root's to a Z-up world
}
FEATURE_DIM = 151
CONTACT_ORDER = (0, 2, 1, 3)
"""EDGE's contacts, in our order of contacts.CONTACT_JOINTS, and the other way round."""
_TO_Z_UP = (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))
"""A quarter turn about x: (x, y, z) -> (x, -z, y)."""


def encode(motion: Motion) -> Tensor:
    """Return frames (T, 151) of a motion of SMPL-22 at 30 fps that stands on y = 0.

    Raises:
        ValueError: another skeleton or rate.
    """
    if motion.skeleton.names != SMPL22.names or abs(motion.fps - FPS) > 0.01:
        raise ValueError(
            f"motion: expected SMPL's 22 joints at {FPS:g} fps, got {motion.skeleton.num_joints} joints at "
            f"{motion.fps:g}; use motion.retarget(SMPL22).resample({FPS:g})"
        )
    upright = motion.root.new_tensor(_TO_Z_UP)
    pelvis = quat_multiply(upright, motion.rotations[:, :1])
    rest = torch.zeros_like(motion.rotations[:, :2])
    rest[..., 3] = 1.0
    rotations = torch.cat([pelvis, motion.rotations[:, 1:], rest], dim=1)  # (T, 24, 4)
    contacts = motion.contacts().to(motion.root)[:, list(CONTACT_ORDER)]
    return torch.cat(
        [contacts, quat_rotate(upright, motion.root), _rows_from_quat(rotations).flatten(1)], dim=-1
    )


def decode(frames: Tensor) -> Motion:
    """Return the motion of frames (T, 151)."""
    frames = frames.float()
    back = frames.new_tensor(_TO_Z_UP) * frames.new_tensor([-1.0, 1, 1, 1])
    sixd = _columns_from_rows(frames[:, LAYOUT["rotations"]].unflatten(-1, (24, 6))[:, :22])
    rotations = quat_from_6d(sixd)
    rotations = torch.cat([quat_multiply(back, rotations[:, :1]), rotations[:, 1:]], dim=1)
    return Motion(SMPL22, rotations, quat_rotate(back, frames[:, LAYOUT["root"]]), FPS)


def positions(frames: Tensor) -> Tensor:
    """Return joint positions (..., 22, 3), metres, Z up, of frames (..., 151); differentiable."""
    rows = frames[..., LAYOUT["rotations"]].unflatten(-1, (24, 6))[..., :22, :].float()
    return joint_positions(_columns_from_rows(rows)) + frames[..., None, LAYOUT["root"]].float()


def _rows_from_quat(rotations: Tensor) -> Tensor:
    """First two rows (..., 6) of rotations (..., 4): the first two columns of the inverse."""
    return sixd_from_quat(rotations * rotations.new_tensor([-1.0, -1, -1, 1]))


def _columns_from_rows(rows: Tensor) -> Tensor:
    """First two columns (..., 6), one behind the other, from the first two rows (..., 6)."""
    first = torch.nn.functional.normalize(rows[..., :3], dim=-1, eps=1e-2)
    second = rows[..., 3:] - (first * rows[..., 3:]).sum(-1, keepdim=True) * first
    second = torch.nn.functional.normalize(second, dim=-1, eps=1e-2)
    third = torch.cross(first, second, dim=-1)
    matrix = torch.stack([first, second, third], dim=-2)  # (..., 3, 3) rows
    return torch.cat([matrix[..., 0], matrix[..., 1]], dim=-1)
