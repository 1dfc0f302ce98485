"""From a capture as recorded to a clip that can be learned from: what the readers share."""

from itertools import pairwise

import torch
from torch import Tensor

from motiongen.contacts import joint_speed
from motiongen.motion import Motion
from motiongen.retargeting import leg_length, retarget
from motiongen.skeleton import SMPL22

FPS = 30.0
MAX_SPEED = 15.0
"""No joint of a person is faster, m/s: a kicking foot reaches 12. What is faster is a lost or swapped marker."""
MIN_SECONDS = 1.0

_OWN = {name: name for name in SMPL22.names}


def canonical(source: Motion, mapping: dict[str, str], t_pose: Tensor | None = None) -> Motion:
    """Return a motion of any skeleton at 30 fps on SMPL-22, on the ground."""
    return retarget(resampled(source), SMPL22, mapping=mapping, t_pose=t_pose).grounded()


def resampled(source: Motion) -> Motion:
    """Return a motion at 30 fps; at whole multiples of it every n-th frame as it is."""
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


def without_pose_row(source: Motion, mapping: dict[str, str]) -> Motion:
    """Return a motion without its first frames if they are a calibration pose: many BVH files start with a T-pose.

    Told by the jump from it: all joints, on average, move faster than 1.8 m/s relative to the hips and three times
    as fast as a few frames later. Where the file was smoothed the jump lasts some frames; they go too.
    """
    if source.num_frames < 20:
        return source
    places = scaled_positions(source[:16], mapping)
    speed = joint_speed(places - places[:, :1], source.fps).mean(dim=1)[
        1:
    ]  # (15,): the step from frame n to n + 1
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
    if bad:  # markers come back gradually: leave a little more out at the cuts
        margin = round(0.05 * source.fps)
        first += margin if first > 0 else 0
        last -= margin if last < source.num_frames else 0
    if bad and last - first < MIN_SECONDS * source.fps:
        raise ValueError(
            f"clip: expected {MIN_SECONDS} s without jumps, got {max(0, last - first) / source.fps:.2f} s; leave it out"
        )
    return source[first:last]


def left_out(reason: str) -> Motion:
    """Refuse a clip that its dataset lists but that is no use; preparation counts the reason."""
    raise ValueError(f"clip: {reason}")


def scaled_positions(source: Motion, mapping: dict[str, str]) -> Tensor:
    """Return positions (T, M, 3) of the mapped joints in metres of a person with SMPL-22's legs, the pelvis first."""
    scale = leg_length(SMPL22, _OWN) / leg_length(source.skeleton, mapping)
    names = ["pelvis", *(name for name in mapping if name != "pelvis")]
    joints = [source.skeleton.index(mapping[name]) for name in names]
    return source.positions()[:, torch.tensor(joints)] * scale
