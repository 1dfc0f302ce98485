"""G1 Moves: dance and karate on a Unitree G1, joint angles at 60 fps, CC BY 4.0.

A row is the root's x y z, its quaternion x y z w, then 29 joint angles. The motions have a robot's joint limits.
"""

from functools import partial
from pathlib import Path

import numpy as np
import torch

from motiongen.motion import Motion
from motiongen_datasets.base import RawClip
from motiongen_datasets.cleaning import canonical, clean_span
from motiongen_datasets.g1_robot import ANGLES, motion_from_angles

LICENCE = "CC BY 4.0"
FPS = 60.0
_FOLDERS = ("dance", "karate", "bonus")


def clips(root: Path) -> list[RawClip]:
    """Return every clip in the folders dance, karate and bonus below a folder."""
    return [
        RawClip(
            id=f"g1_moves/{path.stem}",
            source="g1_moves",
            licence=LICENCE,
            load=partial(load, path),
            content=path.parent.name,
            meta={"name": path.stem},
        )
        for path in sorted(root.rglob("*.csv"))
        if path.parent.name in _FOLDERS
    ]


def load(path: Path) -> Motion:
    """Return one clip on SMPL-22 at 30 fps, on the ground."""
    return canonical(*read_source(path))


def read_source(path: Path) -> tuple[Motion, dict[str, str]]:
    """Return one clip on the robot's skeleton, without jumps, and its joint mapping.

    Raises:
        ValueError: the rows are not 36 finite numbers each.
    """
    try:
        rows = np.loadtxt(path, delimiter=",", dtype=np.float64, ndmin=2)
    except ValueError as error:
        raise ValueError(
            f"{path}: expected rows of numbers, got {error}; is this a clip of G1 Moves?"
        ) from error
    if rows.shape[1] != 7 + len(ANGLES) or not np.isfinite(rows).all():
        raise ValueError(
            f"{path}: expected rows of {7 + len(ANGLES)} finite numbers, got {rows.shape[1]} or NaN"
        )
    values = torch.from_numpy(rows)
    rotation = values[:, 3:7] / values[:, 3:7].norm(dim=-1, keepdim=True)
    motion = motion_from_angles(values[:, :3], rotation, values[:, 7:], FPS)
    mapping = {name: name for name in motion.skeleton.names}
    return clean_span(motion, mapping), mapping
