"""The head turned to points, as far as a neck turns: a part by the neck, the rest by the head."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from motiongen.constraints.easing import window
from motiongen.constraints.look_at import LookAt
from motiongen.constraints.poses import frame_of
from motiongen.motion import Motion
from motiongen.rotation import (
    quat_between,
    quat_identity,
    quat_inverse,
    quat_multiply,
    quat_rotate,
    quat_slerp,
)
from motiongen.skeleton import local_rotations

ASIDE, UP, DOWN = math.radians(80), math.radians(55), math.radians(55)
"""How far the head looks aside of the chest, up and down, radians."""
SECONDS = 0.45
"""Time in which the head turns to a point, and back."""
NECK = 0.4
"""Share of the neck in the turn."""
AHEAD = (0.0, 0.0, 1.0)
"""Where a head at rest looks."""


def with_looks(motion: Motion, looks: Sequence[LookAt]) -> Motion:
    """Return a motion of SMPL-22 whose head looks at points in their spans; of spans that overlap the first counts."""
    if not looks:
        return motion
    neck, head = motion.skeleton.index("neck"), motion.skeleton.index("head")
    reach = round(SECONDS * motion.fps)
    free = torch.ones(motion.num_frames).to(motion.root)
    turn = quat_identity(motion.num_frames, dtype=motion.root.dtype)
    for look in looks:
        first, last = (frame_of(time, motion) for time in look.span)
        weight = window(motion.num_frames, first, last, reach).to(motion.root) * free
        turn = quat_slerp(turn, _turn(motion, look), weight)
        free = free * (1 - window(motion.num_frames, first, last, 1).to(motion.root))
    world = motion.global_rotations().clone()
    world[:, neck] = quat_multiply(quat_slerp(quat_identity(1), turn, NECK), world[:, neck])
    world[:, head] = quat_multiply(turn, world[:, head])
    return replace(motion, rotations=local_rotations(world, motion.skeleton))


def _turn(motion: Motion, look: LookAt) -> Tensor:
    """Return the turn of the head in the world (T, 4) with which it looks at a point, or as near as it can."""
    head, chest = motion.skeleton.index("head"), motion.global_rotations()[:, motion.skeleton.index("spine3")]
    way = motion.root.new_tensor(look.point) - motion.positions()[:, head]
    x, y, z = quat_rotate(quat_inverse(chest), way).unbind(-1)
    aside = torch.atan2(x, z).clamp(-ASIDE, ASIDE)
    up = torch.atan2(y, torch.hypot(x, z)).clamp(-DOWN, UP)
    limited = torch.stack([aside.sin() * up.cos(), up.sin(), aside.cos() * up.cos()], dim=-1)
    looks = quat_rotate(motion.global_rotations()[:, head], motion.root.new_tensor(AHEAD))
    return quat_between(looks, quat_rotate(chest, limited))
