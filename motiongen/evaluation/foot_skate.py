"""How much feet slide on the floor."""

import torch
from torch import Tensor

from motiongen.contacts import CLEARANCE, CONTACT_JOINTS
from motiongen.motion import Motion

FLOOR_HEIGHT = 0.025
"""H of Zhang et al.: a foot this far over its standing height, metres, no longer counts as grounded."""
SLIDE = 0.025
"""Karunratanakul et al.: a grounded foot that moves this far between two frames, metres, at 20 fps, slides."""


def foot_skate_speed(feet: Tensor, fps: float, floor_height: float = FLOOR_HEIGHT) -> Tensor:
    """Return the mean speed over the floor, m/s, of feet that are on it; 0 when none ever is.

    Mode-Adaptive Neural Networks for Quadruped Motion Control (Zhang et al., SIGGRAPH 2018, section 8.3): horizontal
    speed v at height h counts v (2 - 2^(h/H)) below H. Divided here by the sum of the weights, not by the frames, so
    that a clip of jumps is not better for its time in the air.

    Args:
        feet: (T, F, 3) positions of foot joints, metres over their standing height.
        fps: frames a second.
        floor_height: H, metres.
    """
    if feet.shape[0] < 2:
        return feet.new_zeros(())
    speed = (feet[1:, :, [0, 2]] - feet[:-1, :, [0, 2]]).norm(dim=-1) * fps  # (T - 1, F)
    height = torch.maximum(feet[1:, :, 1], feet[:-1, :, 1]).clamp(min=0)
    weight = (2 - 2 ** (height / floor_height)).clamp(min=0)  # 1 on the floor, 0 from H upwards
    return (speed * weight).sum() / weight.sum().clamp_min(1e-12)


def foot_skate_ratio(
    feet: Tensor, fps: float, floor_height: float = 2 * FLOOR_HEIGHT, slide: float = SLIDE
) -> Tensor:
    """Return the part of the frames in which a grounded foot slides.

    Guided Motion Diffusion (Karunratanakul et al., ICCV 2023, section 5.1): both frames under 5 cm, 2.5 cm apart at
    20 fps; the distance is scaled to the motion's rate.

    Args:
        feet: (T, F, 3) as above.
        fps: frames a second.
        floor_height: metres.
        slide: metres a frame, at 20 fps.
    """
    if feet.shape[0] < 2:
        return feet.new_zeros(())
    moved = (feet[1:, :, [0, 2]] - feet[:-1, :, [0, 2]]).norm(dim=-1)
    grounded = torch.maximum(feet[1:, :, 1], feet[:-1, :, 1]) < floor_height
    return ((moved > slide * 20.0 / fps) & grounded).any(dim=1).float().mean()


def toes_over_floor(motion: Motion) -> Tensor:
    """Return both toe joints (T, 2, 3) of a motion of SMPL-22, heights over that of standing."""
    joints = [name for name in CONTACT_JOINTS if name.endswith("foot")]
    feet = motion.positions()[:, [motion.skeleton.index(name) for name in joints]]
    lift = feet.new_tensor([[0.0, CLEARANCE[CONTACT_JOINTS.index(name)], 0.0] for name in joints])
    return feet - lift
