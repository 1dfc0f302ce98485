"""A run by J. L. Ponton, captured with Xsens for the package MotionMatching. BVH at 60 fps, MIT."""

from functools import partial
from pathlib import Path

from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.captions import Labels
from motiongen_datasets.clip_table import read_rows
from motiongen_datasets.listed_bvh import load

LICENCE = "MIT"
HEAD_DEGREES = 5.0
"""How far the head looks down more than in other sources."""
COLUMNS = frozenset({"file", "description", "skeleton", "subject"})


def clips(root: Path) -> list[RawClip]:
    """Return every BVH take listed in a folder."""
    return [
        RawClip(
            id=f"jlpm/{Path(row['file']).stem}",
            source="jlpm",
            licence=LICENCE,
            load=partial(load, folder / row["file"], float(row["unit_to_metres"]), head_degrees=HEAD_DEGREES),
            labels=Labels(content="run", sentences=(row["description"],)),
            meta={"name": Path(row["file"]).stem},
        )
        for folder, row in read_rows(root, COLUMNS)
        if row["file"].endswith(".bvh")
    ]


DATASET = DatasetSpec(
    name="jlpm",
    title="J. L. Ponton's run",
    licence=LICENCE,
    expects="clips.csv beside a BVH file",
    clips=clips,
    folder_names=("jlpm_xsens_run",),
)
