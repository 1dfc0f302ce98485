"""A small dancer with random weights, every part of it the real one, and sound to dance to."""

from functools import cache

import numpy as np
import torch

from motiongen.features import FEATURE_DIM
from motiongen.heads.badm.config import BADMConfig
from motiongen.heads.badm.model import BADM
from motiongen.heads.badm.spaces import MotionSpace
from motiongen.inference.dance_model import DanceModel

RATE = 15360
"""Samples a second: 512 of them a frame."""
FRAME = RATE // 30
SLICE = 6
"""Frames."""


@cache
def tiny_dance_model() -> DanceModel:
    """Return a model of slices of a fifth of a second, in the styles "break" and "pop"."""
    torch.manual_seed(0)
    config = BADMConfig(
        space="motion", channels=FEATURE_DIM, frames_per_step=1, slice_length=SLICE, slices=3, dim=16,
        num_layers=1, num_heads=2, feedforward_dim=16, music_width=8, styles=("break", "pop"),
    )  # fmt: skip
    head = BADM(config).eval().requires_grad_(False)
    return DanceModel(head, MotionSpace(), {"name": "tiny", "licence": "CC0"})


def tone(seconds: float, seed: int = 0) -> np.ndarray:
    """Return noise that comes and goes twice a second, float32."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).uniform(-1, 1, len(time))
    return (0.5 * noise * (np.sin(4 * np.pi * time) > 0)).astype(np.float32)
