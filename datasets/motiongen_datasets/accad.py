"""ACCAD Open Motion Project, performer Female1: crawling, lifting boxes, turning, a cartwheel. BVH, CC BY 3.0."""

from functools import partial
from pathlib import Path

from motiongen_datasets.accad_labels import labels
from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.clip_table import read_rows
from motiongen_datasets.listed_bvh import load

LICENCE = "CC BY 3.0: Open Motion Project by ACCAD / The Ohio State University"
HEAD_DEGREES = 4.0
"""How far heads look down more than in other sources."""
COLUMNS = frozenset({"clip", "file", "description", "lowest_joint_cm"})


def clips(root: Path) -> list[RawClip]:
    """Return every take listed in a folder."""
    return [
        RawClip(
            id=f"accad/{row['clip']}",
            source="accad",
            licence=LICENCE,
            load=partial(load, folder / row["file"], float(row["unit_to_metres"]), head_degrees=HEAD_DEGREES),
            labels=labels(row["clip"], row["description"]),
            meta={"name": row["clip"]},
            is_take=True,
        )
        for folder, row in read_rows(root, COLUMNS)
    ]


DATASET = DatasetSpec(
    name="accad",
    title="the ACCAD Open Motion Project",
    licence=LICENCE,
    expects="clips.csv beside a folder of BVH files",
    clips=clips,
    folder_names=("accad_female1",),
)
