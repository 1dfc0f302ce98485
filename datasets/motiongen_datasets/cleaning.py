"""Cleaning of recorded motion, shared by the readers: resampling, calibration poses, jumps, retargeting."""

from itertools import pairwise

import torch
from torch import Tensor

from motiongen.contacts import joint_speed
from motiongen.motion import Motion
from motiongen.retargeting import leg_length, retarget
from motiongen.skeleton import SMPL22

FPS = 30.0
MAX_SPEED = 15.0
"""Speed limit of a joint, m/s: a kicking foot reaches 12; faster ones are lost or swapped markers."""
MIN_SECONDS = 1.0
"""Shortest span between two jumps that is kept."""

_OWN = {name: name for name in SMPL22.names}


def canonical(source: Motion, mapping: dict[str, str], t_pose: Tensor | None = None) -> Motion:
    """Return a motion retargeted to SMPL-22 at 30 fps, on the ground.

    Args:
        source: a motion of any humanoid skeleton.
        mapping: SMPL-22's joint names -> the skeleton's.
        t_pose: local rotations (J, 4) of the skeleton's T-pose; None for its rest pose.
    """
    return retarget(resampled(source), SMPL22, mapping=mapping, t_pose=t_pose, plant_feet=False).grounded()


def resampled(source: Motion) -> Motion:
    """Return a motion at 30 fps; from a whole multiple of that, every n-th frame unchanged."""
    ratio = source.fps / FPS
    if ratio >= 1 and ratio == int(ratio):
        return Motion(
            source.skeleton,
            source.rotations[:: int(ratio)],
            source.root[:: int(ratio)],
            FPS,
            None if source.translations is None else source.translations[:: int(ratio)],
        )
    return source.resample(FPS)


def without_calibration_pose(source: Motion, mapping: dict[str, str]) -> Motion:
    """Return a motion without the calibration pose in its first frames; many BVH files start with a T-pose.

    It is detected by the jump from it: all joints, on average, move faster than 1.8 m/s relative to the hips and three
    times as fast as a few frames later. In a smoothed file the jump lasts some frames, which are dropped too.
    """
    if source.num_frames < 20:
        return source
    positions = scaled_positions(source[:16], mapping)
    speed = joint_speed(positions - positions[:, :1], source.fps).mean(dim=1)[1:]  # (15,), frame n to n + 1
    usual = float(speed[6:].median())
    if float(speed[0]) < max(1.8, 3 * usual):
        return source
    settled = (speed[:6] < max(0.5, 1.5 * usual)).nonzero().flatten().tolist()
    return source[settled[0] if settled else 6 :]


def clean_span(source: Motion, mapping: dict[str, str]) -> Motion:
    """Return the longest stretch of a motion in which no joint is faster than MAX_SPEED.

    Raises:
        ValueError: there are jumps, and no stretch of MIN_SECONDS is left between them.
    """
    speed = joint_speed(scaled_positions(source, mapping), source.fps).amax(dim=1)  # (T,)
    bad = (speed[1:] > MAX_SPEED).nonzero().flatten().tolist()  # the step from frame n to n + 1
    edges = [-1, *bad, source.num_frames - 1]
    first, last = max(((a + 1, b + 1) for a, b in pairwise(edges)), key=lambda s: s[1] - s[0])
    if bad:  # markers return gradually: cut a little more
        margin = round(0.05 * source.fps)
        first += margin if first > 0 else 0
        last -= margin if last < source.num_frames else 0
    if bad and last - first < MIN_SECONDS * source.fps:
        raise ValueError(
            f"clip: expected {MIN_SECONDS} s without jumps, got {max(0, last - first) / source.fps:.2f} s; leave it out"
        )
    return source[first:last]


def left_out(reason: str) -> Motion:
    """Raise ValueError with the reason why a listed clip is not used; preparation counts the reasons."""
    raise ValueError(f"clip: {reason}")


def scaled_positions(source: Motion, mapping: dict[str, str]) -> Tensor:
    """Return positions (T, M, 3) of the mapped joints in metres of a person with SMPL-22's legs, the pelvis first."""
    scale = leg_length(SMPL22, _OWN) / leg_length(source.skeleton, mapping)
    names = ["pelvis", *(name for name in mapping if name != "pelvis")]
    joints = [source.skeleton.index(mapping[name]) for name in names]
    return source.positions()[:, torch.tensor(joints)] * scale
