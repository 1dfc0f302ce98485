"""Foot skate metrics: sliding of feet on the floor."""

import torch
from torch import Tensor

from motiongen.contacts import CLEARANCE, CONTACT_JOINTS
from motiongen.motion import Motion

FLOOR_HEIGHT = 0.025
"""H of Zhang et al.: height above the standing height from which a foot is not grounded, metres."""
SLIDE = 0.025
"""Karunratanakul et al.: displacement in a frame at 20 fps from which a grounded foot slides, metres."""


def foot_skate_speed(feet: Tensor, fps: float, floor_height: float = FLOOR_HEIGHT) -> Tensor:
    """Return the mean horizontal speed of grounded feet, m/s; 0 if no foot is ever grounded.

    Mode-Adaptive Neural Networks for Quadruped Motion Control (Zhang et al., SIGGRAPH 2018, section 8.3): a horizontal
    speed v at height h < H has weight 2 - 2^(h/H). The sum is divided by the sum of the weights, not by the number of
    frames, so that time in the air does not lower the score.

    Args:
        feet: (T, F, 3) positions of foot joints, metres, heights above their standing height.
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
    """Return the share of frames in which a grounded foot slides.

    Guided Motion Diffusion (Karunratanakul et al., ICCV 2023, section 5.1): two frames below 5 cm with a displacement
    of 2.5 cm at 20 fps, which is scaled to the frame rate of the motion.

    Args:
        feet: (T, F, 3) positions of foot joints, metres, heights above their standing height.
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
    """Return the positions (T, 2, 3) of both toe joints of a motion of SMPL-22, heights above the standing height."""
    joints = [name for name in CONTACT_JOINTS if name.endswith("foot")]
    feet = motion.positions()[:, [motion.skeleton.index(name) for name in joints]]
    lift = feet.new_tensor([[0.0, CLEARANCE[CONTACT_JOINTS.index(name)], 0.0] for name in joints])
    return feet - lift
