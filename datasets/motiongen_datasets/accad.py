"""ACCAD Open Motion Project, performer Female1: crawling, lifting boxes, turning, a cartwheel. BVH, CC BY 3.0."""

from functools import partial
from pathlib import Path

from motiongen_datasets.base import RawClip
from motiongen_datasets.listed_bvh import load, rows

LICENCE = "CC BY 3.0: Open Motion Project by ACCAD / The Ohio State University"
COLUMNS = frozenset({"clip", "file", "description", "lowest_joint_cm"})


def clips(root: Path) -> list[RawClip]:
    """Return every take listed in a folder."""
    return [
        RawClip(
            id=f"accad/{row['clip']}",
            source="accad",
            licence=LICENCE,
            load=partial(load, folder / row["file"], float(row["unit_to_metres"])),
            content=row["clip"],
            sentences=(row["description"],) if "random" not in row["clip"].lower() else (),
            meta={"name": row["clip"]},
        )
        for folder, row in rows(root, COLUMNS, "accad*")
    ]
