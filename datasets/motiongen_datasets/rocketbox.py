"""Microsoft Rocketbox, its body animations: gestures, sitting, turning, styled walks and runs. BVH at 30 fps, MIT.

Walks and runs are one cycle that loops: they are repeated, going on from where each cycle ended.
"""

from functools import partial
from pathlib import Path

from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.clip_table import read_rows
from motiongen_datasets.listed_bvh import load
from motiongen_datasets.rocketbox_labels import labels

LICENCE = "MIT"
COLUMNS = frozenset({"clip", "file", "label", "description", "performer", "one_cycle_loop"})
HEAD_DEGREES = 10.0
"""How far heads look down more than in other sources."""
LOOP_SECONDS = 4.0
"""How long a loop of one cycle is made."""


def clips(root: Path) -> list[RawClip]:
    """Return every animation listed in a folder."""
    return [
        RawClip(
            id=f"rocketbox/{row['clip']}",
            source="rocketbox",
            licence=LICENCE,
            load=partial(
                load,
                folder / row["file"],
                float(row["unit_to_metres"]),
                tile=LOOP_SECONDS if row["one_cycle_loop"] == "1" else 0.0,
                head_degrees=HEAD_DEGREES,
            ),
            labels=labels(row["label"], row["description"]),
            meta={"name": row["clip"], "performer": row["performer"]},
        )
        for folder, row in read_rows(root, COLUMNS)
    ]


DATASET = DatasetSpec(
    name="rocketbox",
    title="Microsoft Rocketbox",
    licence=LICENCE,
    expects="clips.csv beside a folder of BVH files",
    clips=clips,
)
