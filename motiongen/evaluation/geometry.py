"""Geometric description of a motion: acting hand or foot, direction of turns and of travel."""

import math

import torch
from torch import Tensor

from motiongen.motion import Motion

MIN_RISE = 0.10
"""Least rise of a wrist above its lowest level for an acting hand, metres."""
MIN_STEP = 0.25
"""Least rise of an ankle for a kicking leg, metres."""
DOMINANCE = 2.0
"""One side acts alone if it rises this many times as far as the other."""
MIN_TURN = math.radians(40.0)
MIN_TRAVEL = 0.5


def describe_motion(motion: Motion) -> dict[str, str]:
    """Return sides and directions of a motion of SMPL-22; a key is missing if the motion is ambiguous.

    Returns:
        "hand" and "foot": "left", "right" or "both", by which wrist or ankle rises; "turn": "left" or "right", by the
        change of the root's heading; "travel": "forward", "backward", "left" or "right", in the root's own frame.
    """
    positions = motion.positions()
    found = {
        "hand": _acting_side(motion, positions, "wrist", MIN_RISE),
        "foot": _acting_side(motion, positions, "ankle", MIN_STEP),
        "turn": _turn(motion),
        "travel": _travel(motion),
    }
    return {key: value for key, value in found.items() if value is not None}


def wrist_rise(motion: Motion) -> tuple[float, float]:
    """Return the rise of the left and of the right wrist above their lowest level, metres, relative to the pelvis."""
    return _rise(motion, motion.positions(), "wrist")


def _rise(motion: Motion, positions: Tensor, joint: str) -> tuple[float, float]:
    sides = [motion.skeleton.index(f"{side}_{joint}") for side in ("left", "right")]
    heights = positions[:, sides, 1] - (positions[:, :1, 1] if joint == "wrist" else 0)  # (T, 2)
    # Quantiles, to ignore single bad frames.
    rise = heights.quantile(0.97, dim=0) - heights.quantile(0.03, dim=0)
    return float(rise[0]), float(rise[1])


def _acting_side(motion: Motion, positions: Tensor, joint: str, least: float) -> str | None:
    left, right = _rise(motion, positions, joint)
    if max(left, right) < least:
        return None
    if left > DOMINANCE * right:
        return "left"
    if right > DOMINANCE * left:
        return "right"
    return "both" if min(left, right) > 0.6 * max(left, right) else None


def _turn(motion: Motion) -> str | None:
    heading = motion.heading()
    step = heading[1:] - heading[:-1]
    total = float(torch.atan2(step.sin(), step.cos()).sum())
    if abs(total) < MIN_TURN:
        return None
    return "left" if total > 0 else "right"  # +Y turns +Z towards +X, the character's left


def _travel(motion: Motion) -> str | None:
    if motion.num_frames < 2:
        return None
    step, heading = motion.root[1:] - motion.root[:-1], motion.heading()[:-1]
    left = float((step[:, 0] * heading.cos() - step[:, 2] * heading.sin()).sum())
    forward = float((step[:, 0] * heading.sin() + step[:, 2] * heading.cos()).sum())
    if max(abs(left), abs(forward)) < MIN_TRAVEL:
        return None
    if abs(forward) >= abs(left):
        return "forward" if forward > 0 else "backward"
    return "left" if left > 0 else "right"
