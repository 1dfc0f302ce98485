"""Steps at a seam: feet that stand elsewhere in the incoming motion are set down there, one after the other.

An inertialized seam moves the whole body from one pose to another, and with it the feet over the floor. Here each foot
that stands on both sides of the seam stays where it stands, then swings to its place in the incoming motion: the first
the one that has further to go. Hips and knees follow by two-bone inverse kinematics.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from motiongen.contacts import CLEARANCE, CONTACT_JOINTS
from motiongen.foot_lock import move_leg
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22, local_rotations

SWING_FRAMES = 8
"""Frames of a step, at 30 to the second."""
SECOND_FOOT = 4
"""Frames by which the second foot follows the first."""
LENGTH = SECOND_FOOT + SWING_FRAMES
"""Frames after a seam in which feet step."""
LEAST_STEP = 0.03
"""Way from which a foot steps and does not slide, metres."""
LEAST_SLIDE = 0.05
"""Way over the floor from which a foot that is not lifted slides, metres."""
ROLLING_HEIGHT = 0.03
"""Height of an ankle over that of a standing foot up to which the foot is not lifted, metres."""
LONGEST_STEP = 1.0
"""A foot that is further away than this is left to the seam, metres."""
NEAR_FLOOR = 0.12
"""Height of an ankle over that of a standing foot up to which the foot stands, metres."""
STANDING_SPEED = 0.7
"""Speed of an ankle up to which the foot stands, m/s at 30 frames a second."""
LEAST_LIFT, LIFT, MOST_LIFT = 0.02, 0.2, 0.09
"""Height of the shortest step, metres; what is added for each metre of its way; the most, metres."""
_LEGS = tuple(
    tuple(SMPL22.index(f"{side}_{part}") for part in ("hip", "knee", "ankle")) for side in ("left", "right")
)
_ANKLES = [leg[2] for leg in _LEGS]
_STANDING_HEIGHT = CLEARANCE[CONTACT_JOINTS.index("left_ankle")]


@dataclass(frozen=True)
class FootSteps:
    """The steps of one seam.

    Attributes:
        offset: (2, 3) metres over the floor from the incoming motion's left and right ankle to where each stands.
        begins: frames from the seam at which each foot begins its step; None for one that does not step.
    """

    offset: Tensor
    begins: tuple[int | None, int | None]

    def apply(self, blended: Tensor, root: Tensor, incoming: Tensor, first: int = 0) -> Tensor:
        """Return the local rotations (T, 22, 4) of blended frames, with legs that step.

        Args:
            blended: local rotations (T, 22, 4) after the seam's offset was added.
            root: their root (T, 3), metres.
            incoming: ankles (T, 2, 3) of the incoming motion without that offset, metres; see `ankles`.
            first: number of the first of these frames, counted from the seam.
        """
        world, positions = SMPL22.fk(blended, root)
        frames = torch.arange(first, first + len(root)).to(root)
        for foot, begin in enumerate(self.begins):
            if begin is None:
                continue
            done = ((frames + 1 - begin) / SWING_FRAMES).clamp(0, 1)
            target = incoming[:, foot] + self.offset[foot] * (1 - _eased(done))[:, None]
            # The blended height meets the one before the seam; the incoming one alone would jump to it.
            height = positions[:, _ANKLES[foot], 1]
            target[:, 1] = height + _lift(self.offset[foot].norm()) * (torch.pi * done).sin()
            move_leg(world, positions, _LEGS[foot], target)
        return local_rotations(world, SMPL22)


def step_across(motion: Motion, first: int, last: int) -> Motion:
    """Return a motion of SMPL-22 whose feet step from where they stand at one frame to where they do at a later one.

    For a span that was crossfaded, in which feet slide. Both frames stay as they are, and so does all outside.

    Args:
        motion: at 30 frames a second.
        first: the frame before the span.
        last: the frame after it.
    """
    span = motion[first : last + 1]
    world, positions = span.global_rotations(), span.positions()
    feet = positions[:, _ANKLES]  # (T, 2, 3)
    way = ((feet[-1] - feet[0]) * feet.new_tensor([1.0, 0.0, 1.0])).norm(dim=-1)  # (2,)
    near = feet[:, :, 1].amax(dim=0) - _STANDING_HEIGHT < NEAR_FLOOR
    steps = near & (way < LONGEST_STEP) & _slides(feet)
    if not steps.any():
        return motion
    length = last - first
    swing = length if int(steps.sum()) == 1 else round(length * SWING_FRAMES / LENGTH)
    order = [foot for foot in ([0, 1] if way[0] >= way[1] else [1, 0]) if steps[foot]]
    frames = torch.arange(length + 1).to(feet)
    for place, foot in enumerate(order):
        done = ((frames - (length - swing) * place) / swing).clamp(0, 1)
        target = feet[0, foot] + (feet[-1, foot] - feet[0, foot]) * _eased(done)[:, None]
        target[:, 1] = feet[:, foot, 1] + _lift(way[foot]) * (torch.pi * done).sin()
        move_leg(world, positions, _LEGS[foot], target)
    rotations = motion.rotations.clone()
    rotations[first + 1 : last] = local_rotations(world, SMPL22)[1:-1]
    return replace(motion, rotations=rotations)


def _slides(feet: Tensor) -> Tensor:
    """Return whether each foot of ankles (T, 2, 3) slides over the floor (2,): one that steps by itself does not."""
    low = feet[1:, :, 1] - _STANDING_HEIGHT < ROLLING_HEIGHT
    moved = (feet[1:] - feet[:-1])[..., [0, 2]].norm(dim=-1)
    return (moved * low).sum(dim=0) > LEAST_SLIDE


def _eased(done: Tensor) -> Tensor:
    """Return a smooth rise from 0 to 1 of a time that does; flat at both ends to second order."""
    return done**3 * (10 - 15 * done + 6 * done**2)


def _lift(way: Tensor) -> Tensor:
    """Return how high a foot is lifted in a step of a length, metres."""
    return (LEAST_LIFT + LIFT * way).clamp(max=MOST_LIFT)


def ankles(rotations: Tensor, root: Tensor) -> Tensor:
    """Return the left and the right ankle (T, 2, 3) of poses of SMPL-22, metres.

    Args:
        rotations: local rotations (T, 22, 4).
        root: root positions (T, 3), metres.
    """
    return SMPL22.fk(rotations, root)[1][:, _ANKLES]


def foot_steps(before: Tensor, incoming: Tensor) -> FootSteps | None:
    """Return the steps from one motion to another at 30 frames a second; None if no foot has to step.

    Args:
        before: ankles (P, 2, 3) of the last frames before the seam, P >= 1, metres.
        incoming: ankles (T, 2, 3) of the first frames after it.
    """
    offset = (before[-1] - incoming[0]) * before.new_tensor([1.0, 0.0, 1.0])  # (2, 3)
    speed = (before[-1] - before[max(0, len(before) - 2)]).norm(dim=-1) * 30.0  # (2,)
    height = torch.maximum(before[-1, :, 1], incoming[0, :, 1]) - _STANDING_HEIGHT  # (2,)
    way = offset.norm(dim=-1)
    steps = (height < NEAR_FLOOR) & (speed < STANDING_SPEED) & (way > LEAST_STEP) & (way < LONGEST_STEP)
    if not steps.any():
        return None
    order = [0, 1] if way[0] >= way[1] else [1, 0]
    begins: list[int | None] = [None, None]
    for place, foot in enumerate(foot for foot in order if steps[foot]):
        begins[foot] = place * SECOND_FOOT
    return FootSteps(offset, (begins[0], begins[1]))
