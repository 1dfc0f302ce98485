"""Unitree's demonstration dance of the G1, "Take 102": joint angles at 60 fps in G1 Moves' layout, Apache-2.0."""

from functools import partial
from pathlib import Path

from motiongen_datasets import g1_moves
from motiongen_datasets.base import RawClip

LICENCE = "Apache-2.0"


def clips(root: Path) -> list[RawClip]:
    """Return every take of joint angles in a folder."""
    return [
        RawClip(
            id=f"unitree/{path.stem}",
            source="unitree",
            licence=LICENCE,
            load=partial(load, path),
            content="dance",
            meta={"name": path.stem},
        )
        for path in sorted(root.rglob("G1_Take*.csv"))
    ]


load = g1_moves.load
