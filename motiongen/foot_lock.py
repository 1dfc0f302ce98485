"""Feet that stand are held where they stand: each leg is bent by two-bone inverse kinematics, the foot keeps its turn.

An optional last touch for motion that will be looked at closely; it changes hips, knees and ankles alone.
"""

from dataclasses import replace

import torch
from torch import Tensor

from motiongen.motion import Motion, local_rotations
from motiongen.rotation import quat_between, quat_from_axis_angle, quat_multiply, quat_rotate

MIN_FRAMES = 3
"""A contact shorter than this is a graze, not a step."""
EASE_SECONDS = 0.15
"""How long a foot takes to come to its place before a step, and to leave it after."""
REACH = 0.999
"""Part of the leg's length that may be asked for: a straight leg has no knee axis."""


def lock_feet(motion: Motion) -> Motion:
    """Return the motion with its standing feet held still.

    Args:
        motion: of SMPL's joint names, on y = 0.

    Raises:
        ValueError: other joints.
    """
    contacts = motion.contacts()  # (T, 4)
    turns, places = motion.global_rotations().clone(), motion.positions()
    for side, columns in (("left", slice(0, 2)), ("right", slice(2, 4))):
        hip, knee, ankle = (motion.skeleton.index(f"{side}_{part}") for part in ("hip", "knee", "ankle"))
        standing = contacts[:, columns].any(dim=1)  # (T,)
        target = _targets(places[:, ankle], standing, round(EASE_SECONDS * motion.fps))
        bend, swing = _reach(places[:, hip], places[:, knee], places[:, ankle], target)
        turns[:, hip] = quat_multiply(swing, turns[:, hip])
        turns[:, knee] = quat_multiply(swing, quat_multiply(bend, turns[:, knee]))
    return replace(motion, rotations=local_rotations(turns, motion.skeleton))


def _targets(path: Tensor, standing: Tensor, ease: int) -> Tensor:
    """Where an ankle (T, 3) is wanted: over the middle of each step's places while it stands, its own path else.

    The correction grows and fades over `ease` frames beside each step; heights stay as they are, for a heel may lift.
    """
    shift, weight = torch.zeros_like(path), torch.zeros_like(path[:, 0])
    for first, last in _spans(standing):
        wanted = path[first:last].median(dim=0).values
        begin, end = max(0, first - ease), min(len(path), last + ease)
        frames = torch.arange(begin, end)
        away = torch.maximum(first - frames, frames - (last - 1)).clamp_min(0)  # frames outside the step
        share = 0.5 + 0.5 * torch.cos(torch.pi * away / (ease + 1)).to(path)
        held = path[frames.clamp(first, last - 1)]  # beside the step the correction of its edge frame
        closer = share > weight[begin:end]
        shift[begin:end] = torch.where(closer[:, None], (wanted - held) * share[:, None], shift[begin:end])
        weight[begin:end] = torch.maximum(weight[begin:end], share)
    return path + shift * path.new_tensor([1.0, 0.0, 1.0])


def _spans(mask: Tensor) -> list[tuple[int, int]]:
    """Runs [first, last) of true of at least MIN_FRAMES."""
    edges = torch.diff(mask.int(), prepend=mask.new_zeros(1).int(), append=mask.new_zeros(1).int())
    starts, ends = (edges == 1).nonzero()[:, 0].tolist(), (edges == -1).nonzero()[:, 0].tolist()
    return [(first, last) for first, last in zip(starts, ends, strict=True) if last - first >= MIN_FRAMES]


def _reach(hip: Tensor, knee: Tensor, ankle: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """World turns (T, 4) of the shin about the knee, and of the leg about the hip, that bring ankle to target."""
    thigh, shin = hip - knee, ankle - knee
    a, b = thigh.norm(dim=-1), shin.norm(dim=-1)
    distance = torch.minimum((target - hip).norm(dim=-1), (a + b) * REACH)
    now = torch.acos(((thigh * shin).sum(-1) / (a * b)).clamp(-1, 1))
    wanted = torch.acos(((a**2 + b**2 - distance**2) / (2 * a * b)).clamp(-1, 1))
    axis = torch.linalg.cross(thigh, shin)  # turning the shin about it opens the knee
    length = axis.norm(dim=-1, keepdim=True)
    axis = torch.where(length > 1e-6, axis / length.clamp_min(1e-6), axis.new_tensor([-1.0, 0.0, 0.0]))
    bend = quat_from_axis_angle(axis * (wanted - now)[:, None])
    moved = knee + quat_rotate(bend, shin)
    return bend, quat_between(moved - hip, target - hip)
