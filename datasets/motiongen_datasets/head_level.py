"""Heads that look down because of a rig's rest angle, raised: what generated people would look down by, too."""

import math
from dataclasses import replace

from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle, quat_multiply
from motiongen.skeleton import SMPL22


def with_raised_head(motion: Motion, degrees: float) -> Motion:
    """Return a motion of SMPL-22 whose head looks up by so many degrees more, half of it bent in the neck.

    Args:
        motion: of SMPL-22.
        degrees: how far the source's walks look down beyond about 4 degrees, the median of the other sources.
    """
    half = quat_from_axis_angle(motion.rotations.new_tensor([-math.radians(degrees) / 2, 0.0, 0.0]))
    rotations = motion.rotations.clone()
    for name in ("neck", "head"):
        joint = SMPL22.index(name)
        rotations[:, joint] = quat_multiply(rotations[:, joint], half.expand(motion.num_frames, 4))
    return replace(motion, rotations=rotations)
