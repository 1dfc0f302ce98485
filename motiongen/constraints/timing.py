"""The right moment: a motion is played faster and slower so that its steps and its poses are where they are needed."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from motiongen.constraints.easing import curve, smoothed
from motiongen.constraints.pose_key import PoseKey
from motiongen.constraints.poses import frame_of
from motiongen.constraints.route import SWAY_SECONDS, Place, within_reach
from motiongen.motion import Motion
from motiongen.rotation import quat_inverse, quat_rotate, quat_yaw
from motiongen.shaping.tempo import at_times

SLOWEST, FASTEST = 0.7, 1.4
"""Least and greatest speed of playing."""
EVEN_SECONDS = 0.35
"""Deviation of the Gaussian under which the speed changes."""
GOING = 0.3
"""Speed of a root from which it goes, m/s: who stands is not hurried."""
SEARCH_SECONDS = 0.6
"""How far from its time a pose may be found in the motion."""
EARLY, LATE = 0.6, 1.6
"""Least and greatest speed of playing between poses."""
_ROUNDS = 5
_WAIT = 0.03  # metres of the joints' distance that a second of shift is worth


def retimed(motion: Motion, asked: Sequence[Place]) -> Motion:
    """Return a motion of the same length whose own way is as far, from place to place, as the places are apart.

    Args:
        motion: of SMPL-22.
        asked: places by frame, in rising order.
    """
    count, fps = motion.num_frames, motion.fps
    own = smoothed(motion.root[:, [0, 2]], SWAY_SECONDS * fps)
    speed = torch.zeros(count, 1).to(own)
    speed[1:, 0] = (own[1:] - own[:-1]).norm(dim=1) * fps
    speed = smoothed(speed, EVEN_SECONDS * fps)[:, 0]
    stops = within_reach(asked, fps, own)
    if len(stops) < 2 or float(speed.max()) < GOING:
        return motion
    needed = speed.mean().expand(count).clone()
    for before, after in pairwise(stops):
        way = torch.tensor(after.point) - torch.tensor(before.point)
        needed[before.frame : after.frame] = way.norm() * fps / (after.frame - before.frame)
    needed = smoothed(needed[:, None], EVEN_SECONDS * fps)[:, 0]
    at = torch.arange(count).to(own)
    for _ in range(_ROUNDS):
        here = speed[at.round().long().clamp(0, count - 1)]
        rate = torch.where(here > GOING, needed / here.clamp_min(GOING), torch.ones_like(here))
        rate = (rate / rate.mean().clamp_min(0.1)).clamp(SLOWEST, FASTEST)
        rate = smoothed(rate[:, None], EVEN_SECONDS * fps)[:, 0].clamp(SLOWEST, FASTEST)
        at = rate.cumsum(0) - rate[0]
        at = at * ((count - 1) / at[-1])
    return at_times(motion, at.double())


def aligned(motion: Motion, keys: Sequence[PoseKey]) -> Motion:
    """Return a motion of the same length that is, at the times of poses, where it is most like them.

    A walk that is asked for a pose with the left foot ahead then has its left foot ahead.

    Args:
        motion: of SMPL-22.
        keys: poses.
    """
    last = motion.num_frames - 1
    shape = _shape(motion.positions(), motion.heading())
    knots, found = [0], [0]
    for key in sorted(keys, key=lambda key: key.time):
        frame = frame_of(key.time, motion)
        rotations, root = (motion.root.new_tensor(each) for each in (key.rotations, key.root))
        pose = replace(motion[:1], rotations=rotations[None], root=root[None])
        frames = torch.arange(motion.num_frames)
        shift = (frames - frame).abs() / motion.fps
        cost = (shape - _shape(pose.positions(), pose.heading())).norm(dim=-1).mean(dim=1) + _WAIT * shift
        cost = torch.where(shift > SEARCH_SECONDS, torch.full_like(cost, torch.inf), cost)
        best = int(cost.argmin())
        sides = ((frame - knots[-1], best - found[-1]), (last - frame, last - best))
        if all(EARLY * time <= way <= LATE * time for time, way in sides) and frame > knots[-1]:
            knots.append(frame)
            found.append(best)
    if len(knots) == 1 or knots == found:
        return motion
    if knots[-1] < last:
        knots, found = [*knots, last], [*found, last]
    values = torch.tensor(found, dtype=torch.float64)[:, None]
    at = curve(torch.tensor(knots, dtype=torch.float64), values, torch.arange(last + 1, dtype=torch.float64))
    return at_times(motion, at[:, 0])


def _shape(positions: Tensor, heading: Tensor) -> Tensor:
    """Return joints (T, J, 3) seen from the pelvis as it faces; heights stay."""
    flat = positions[:, :1] * positions.new_tensor([1.0, 0.0, 1.0])
    return quat_rotate(quat_inverse(quat_yaw(heading))[:, None], positions - flat)
