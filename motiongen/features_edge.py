"""EDGE's motion features: 151 numbers a frame for a pose of SMPL's 24 joints and its position, at 30 fps.

Four contacts, the root's position, 24 rotations in 6-D (Tseng et al., CVPR 2023, section 3). As in the released code, Z
is up and a rotation's six numbers are the first two rows of its matrix (pytorch3d); elsewhere in this project Y is up
and they are columns. SMPL-22 lacks SMPL's two hands: encoding leaves them at rest, decoding leaves them out.

Two things differ from EDGE. Contacts are those of contacts.py: slow since the frame before, and near the floor; EDGE
takes a foot that moves less than 1 cm until the next frame, at any height. And the floor is z = 0; EDGE keeps AIST++'s
translations, so the output of a published checkpoint needs `decode(frames).grounded()`.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor

from motiongen.contacts import CONTACT_JOINTS as OUR_CONTACT_JOINTS
from motiongen.kinematics import joint_positions
from motiongen.motion import Motion
from motiongen.rotation import (
    quat_from_6d,
    quat_identity,
    quat_inverse,
    quat_multiply,
    quat_rotate,
    sixd_from_quat,
)
from motiongen.skeleton import SMPL22

FPS = 30.0
LAYOUT: dict[str, slice] = {
    "contacts": slice(0, 4),  # 0..1 in the order of CONTACT_JOINTS below
    "root": slice(4, 7),  # metres, Z up
    "rotations": slice(7, 151),  # 24 local rotations, two rows each, the root's to a Z-up world
}
FEATURE_DIM = 151
CONTACT_JOINTS = ("left_ankle", "right_ankle", "left_foot", "right_foot")
"""EDGE's order; contacts.CONTACT_JOINTS has another."""
CONTACT_INDEX = [SMPL22.index(name) for name in CONTACT_JOINTS]
"""Their indices in SMPL-22."""
CONTACT_ORDER = tuple(OUR_CONTACT_JOINTS.index(name) for name in CONTACT_JOINTS)
"""Index of each in contacts.CONTACT_JOINTS."""
_JOINTS = 24
_TO_Z_UP = (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))
"""A quarter turn about x: (x, y, z) -> (x, -z, y)."""


def encode(motion: Motion) -> Tensor:
    """Return frames (T, 151) of a motion of SMPL-22 at 30 fps that stands on y = 0.

    Raises:
        ValueError: the motion has another skeleton or rate.
    """
    if motion.skeleton.names != SMPL22.names or abs(motion.fps - FPS) > 0.01:
        raise ValueError(
            f"motion: expected SMPL's 22 joints at {FPS:g} fps, got {motion.skeleton.num_joints} joints at "
            f"{motion.fps:g}; use motion.retarget(SMPL22).resample({FPS:g})"
        )
    upright = motion.root.new_tensor(_TO_Z_UP)
    pelvis = quat_multiply(upright, motion.rotations[:, :1])
    hands = quat_identity(motion.num_frames, 2, dtype=motion.rotations.dtype).to(motion.rotations.device)
    rotations = torch.cat([pelvis, motion.rotations[:, 1:], hands], dim=1)  # (T, 24, 4)
    rows = sixd_from_quat(quat_inverse(rotations)).flatten(1)  # a matrix's rows are its inverse's columns
    contacts = motion.contacts().to(motion.root)[:, list(CONTACT_ORDER)]
    return torch.cat([contacts, quat_rotate(upright, motion.root), rows], dim=-1)  # (T, 151)


def decode(frames: Tensor) -> Motion:
    """Return the motion, Y up, of frames (T, 151); their contacts and hands are left out."""
    frames = frames.float().cpu()
    back = quat_inverse(frames.new_tensor(_TO_Z_UP))
    rotations = quat_inverse(quat_from_6d(_rows(frames)))
    rotations = torch.cat([quat_multiply(back, rotations[:, :1]), rotations[:, 1:]], dim=1)
    return Motion(SMPL22, rotations, quat_rotate(back, frames[:, LAYOUT["root"]]), FPS)


def positions(frames: Tensor) -> Tensor:
    """Return joint positions (..., 22, 3) in the world, metres, Z up, of frames (..., 151); differentiable."""
    return joint_positions(_rows(frames), rows=True) + frames[..., None, LAYOUT["root"]].float()


def mirror(frames: Tensor) -> Tensor:
    """Return frames (..., 151) of the mirrored motion, those of encode(motion.mirror())."""
    permutation, signs = _mirror_map()
    return frames[..., permutation.to(frames.device)] * signs.to(frames)


@lru_cache(maxsize=1)
def _mirror_map() -> tuple[Tensor, Tensor]:
    """Channel order and signs: mirrored matrices are S R S with S = diag(-1, 1, 1), which the turn to Z up leaves."""
    joints = torch.tensor([*SMPL22.mirror_index, 23, 22])  # the hands are exchanged, too
    rotations = LAYOUT["rotations"].start + joints[:, None] * 6 + torch.arange(6)
    order = [torch.tensor([1, 0, 3, 2]), torch.arange(4, 7), rotations.flatten()]
    row_signs = torch.tensor([1.0, -1.0, -1.0, -1.0, 1.0, 1.0])
    signs = [torch.ones(4), torch.tensor([-1.0, 1.0, 1.0]), row_signs.repeat(_JOINTS)]
    return torch.cat(order), torch.cat(signs)


def _rows(frames: Tensor) -> Tensor:
    """Return the first two rows (..., 22, 6) of the rotation matrices, without the hands."""
    return frames[..., LAYOUT["rotations"]].unflatten(-1, (_JOINTS, 6))[..., : SMPL22.num_joints, :]
