"""A run by J. L. Ponton, captured with Xsens for the package MotionMatching. BVH at 60 fps, MIT."""

from functools import partial
from pathlib import Path

from motiongen_datasets.base import RawClip
from motiongen_datasets.listed_bvh import load, rows

LICENCE = "MIT"
COLUMNS = frozenset({"file", "description", "skeleton", "subject"})


def clips(root: Path) -> list[RawClip]:
    """Return every BVH take listed in a folder."""
    return [
        RawClip(
            id=f"jlpm/{Path(row['file']).stem}",
            source="jlpm",
            licence=LICENCE,
            load=partial(load, folder / row["file"], float(row["unit_to_metres"])),
            content="run",
            sentences=(row["description"],),
            meta={"name": Path(row["file"]).stem},
        )
        for folder, row in rows(root, COLUMNS, "jlpm*")
        if row["file"].endswith(".bvh")
    ]
