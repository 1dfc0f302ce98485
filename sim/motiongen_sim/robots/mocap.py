"""Reader of DeepMimic's reference clips, which come with PyBullet."""

import json
from pathlib import Path

import numpy as np
import pybullet_data
import torch

from motiongen.motion import Motion
from motiongen_sim.robots import quaternion
from motiongen_sim.robots.humanoid import HUMANOID
from motiongen_sim.robots.quaternion import Array

# After a frame's duration and the root's position: quaternions are w first; the clips name limbs as the URDF does.
_LAYOUT = (
    ("pelvis", 4),
    ("chest", 4),
    ("neck", 4),
    *(
        (f"{side}_{limb}", size)
        for side in ("right", "left")
        for limb, size in (("hip", 4), ("knee", 1), ("ankle", 4), ("shoulder", 4), ("elbow", 1))
    ),
)
_SEGMENTS = {"chest": "spine3", "neck": "head"}


CYCLES = ("walk", "run")
"""Names of the clips that are cycles: the last frame leads into the first."""


def read(name: str) -> Motion:
    """Return the clip humanoid3d_NAME.txt as a Motion.

    The quaternions are turned from the humanoid's axes (x forward, y up, z right) into motiongen's (x left, y up,
    z forward).

    Raises:
        ValueError: there is no such clip; the message lists those that are there.
    """
    path = Path(pybullet_data.getDataPath()) / "data" / "motions" / f"humanoid3d_{name}.txt"
    if not path.is_file():
        there = sorted(p.stem.removeprefix("humanoid3d_") for p in path.parent.glob("humanoid3d_*.txt"))
        raise ValueError(f"clip: expected one of {', '.join(there)}, got {name!r}")
    frames = np.array(json.loads(path.read_text(encoding="utf-8"))["Frames"])  # (T, 44)
    names = HUMANOID.skeleton.names
    rotations = np.tile(quaternion.IDENTITY, (len(frames), len(names), 1))
    column = 4
    for limb, size in _LAYOUT:
        values, column = frames[:, column : column + size], column + size
        index = names.index(_SEGMENTS.get(limb, limb))
        rotations[:, index] = _ours(_hinge(values) if size == 1 else np.roll(values, -1, axis=1))
    x, y, z = frames[:, 1:4].T
    return Motion(
        HUMANOID.skeleton,
        torch.tensor(rotations, dtype=torch.float32),
        torch.tensor(np.stack([-z, y, x], axis=1), dtype=torch.float32),
        fps=float(round(1.0 / frames[0, 0], 2)),
    )


def _hinge(angles: Array) -> Array:
    """Return rotations (T, 4) about +z, the axis of the humanoid's knees and elbows."""
    return quaternion.about_z(angles[:, 0])


def _ours(quats: Array) -> Array:
    """Return unit rotations (T, 4) in motiongen's axes."""
    turned: Array = quats[:, [2, 1, 0, 3]] * np.array([-1.0, 1.0, 1.0, 1.0])
    return turned / np.linalg.norm(turned, axis=-1, keepdims=True)
