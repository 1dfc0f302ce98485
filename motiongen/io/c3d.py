"""Motion to C3D: the joints' places as points, in millimetres, by ezc3d. Z is up, as laboratories have it."""

import errno
import os
from pathlib import Path

import numpy as np

from motiongen.atomic import atomic_path
from motiongen.io.axes import Y_TO_Z
from motiongen.motion import Motion
from motiongen.rotation import quat_rotate

MILLIMETRES = 1000.0
BLOCK = 512
"""Files have whole blocks of so many bytes."""
MOST_FRAMES = 65_535
"""The header counts frames in 16 bits; ezc3d writes no more of a longer clip, without a word."""


def write(motion: Motion, path: str | Path) -> None:
    """Write the joints of a motion of any skeleton as points of the same names.

    Raises:
        ValueError: more than 65,535 frames.
    """
    import ezc3d

    if motion.num_frames > MOST_FRAMES:
        raise ValueError(
            f"{path}: expected at most {MOST_FRAMES:,} frames in a C3D file, got {motion.num_frames:,}; "
            "cut the motion, or resample it to a lower rate"
        )
    places = quat_rotate(Y_TO_Z.to(motion.root), motion.positions()) * MILLIMETRES  # (T, J, 3)
    points = np.ones((4, motion.skeleton.num_joints, motion.num_frames))
    points[:3] = places.double().permute(2, 1, 0).numpy()
    file = ezc3d.c3d()
    file["parameters"]["POINT"]["RATE"]["value"] = [motion.fps]
    file["parameters"]["POINT"]["UNITS"]["value"] = ["mm"]
    file["parameters"]["POINT"]["LABELS"]["value"] = list(motion.skeleton.names)
    for name, value in (("X_SCREEN", "+X"), ("Y_SCREEN", "+Z")):
        file.add_parameter("POINT", name, [value])
    file["data"]["points"] = points
    with atomic_path(path) as aside:
        file.write(str(aside))
        # ezc3d says nothing of a full disk. The header's ninth word is the number of the data's first block.
        first, size = int.from_bytes(aside.read_bytes()[16:18], "little"), aside.stat().st_size
        if size < BLOCK * max(first - 1, 1) + 4 * points.size or size % BLOCK:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
