"""Motion to CSV: a row a frame with every joint's place and rotation in the world, for spreadsheets and scripts.

Columns: `time` in seconds; then for each joint `NAME.x NAME.y NAME.z`, metres, and `NAME.qx NAME.qy NAME.qz NAME.qw`, a
unit quaternion. Y is up; a character in its rest pose faces +Z.
"""

import csv
from pathlib import Path

import torch

from motiongen.atomic import atomic_path
from motiongen.motion import Motion

PLACE, ROTATION = ("x", "y", "z"), ("qx", "qy", "qz", "qw")
"""Columns of a joint."""


def write(motion: Motion, path: str | Path) -> None:
    """Write a motion of any skeleton as a table of its joints in the world."""
    columns = [f"{name}.{axis}" for name in motion.skeleton.names for axis in (*PLACE, *ROTATION)]
    values = torch.cat([motion.positions(), motion.global_rotations()], dim=-1).flatten(1)  # (T, J * 7)
    with atomic_path(path) as aside, open(aside, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["time", *columns])
        for frame, row in enumerate(values.tolist()):
            rows.writerow([f"{frame / motion.fps:.6f}", *(f"{value:.6f}" for value in row)])
