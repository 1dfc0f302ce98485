"""A walk made by hand, whose feet stand exactly still."""

from dataclasses import replace

import torch

from motiongen.constraints.easing import ease
from motiongen.constraints.footing import Footing, stand
from motiongen.rotation import quat_identity
from tests.core.motions import standing

SPEED, PERIOD, STANCE = 0.9, 32, 20
"""Metres a second; frames of two steps; frames for which a foot stands."""


def walk(frames: int = 150):
    """A walk along +Z at 0.9 m/s on two feet that stand for 20 of 32 frames each."""
    still = standing(frames)
    time = torch.arange(frames) / still.fps
    root = torch.stack([torch.zeros(frames), torch.full((frames,), 0.93), SPEED * time], dim=1)
    feet = torch.stack([_foot(frames, 0.09, 0), _foot(frames, -0.09, PERIOD // 2)], dim=1)
    moving = replace(still, root=root)
    return stand(moving, Footing(feet, quat_identity(frames, 2)), moving)


def _foot(frames: int, side: float, late: int) -> torch.Tensor:
    """Return places (T, 3) of an ankle that stands and swings in turn."""
    at = torch.arange(frames) - late + PERIOD
    step, phase = at // PERIOD, at % PERIOD
    swing = (phase - STANCE + 1).clamp_min(0) / (PERIOD - STANCE + 1)
    stride = SPEED * PERIOD / 30.0
    z = stride * (step + ease(swing)) + (late - PERIOD + STANCE / 2) / 30.0 * SPEED
    return torch.stack([torch.full((frames,), side), 0.085 + 0.08 * (torch.pi * swing).sin(), z], dim=1)
