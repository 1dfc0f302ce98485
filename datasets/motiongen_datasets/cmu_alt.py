"""CMU trials in versions that have toes, instead of the same in cmu_fbx: breakdance, karate, a cartwheel, a dance."""

from functools import partial
from pathlib import Path

from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.clip_table import read_rows
from motiongen_datasets.cmu import LICENCE
from motiongen_datasets.cmu_fbx_labels import dance_style, labels
from motiongen_datasets.dance_styles import dance_meta
from motiongen_datasets.listed_bvh import load

COLUMNS = frozenset({"clip", "file", "description", "sentences", "same_trial_in"})


def clips(root: Path) -> list[RawClip]:
    """Return every trial listed in a folder."""
    return [
        RawClip(
            id=f"cmu_alt/{row['clip']}",
            source="cmu_alt",
            licence=LICENCE,
            load=partial(load, folder / row["file"], float(row["unit_to_metres"]), float(row["fps"])),
            labels=labels(
                row["description"], tuple(s.strip() for s in row["sentences"].split("|") if s.strip())
            ),
            meta=dance_meta(dance_style(row["description"]))
            | {"subject": row["clip"].split("_")[0], "caption": row["description"]},
            is_take=dance_style(row["description"]) is None,
        )
        for folder, row in read_rows(root, COLUMNS)
    ]


DATASET = DatasetSpec(
    name="cmu_alt",
    title="better versions of trials of the CMU Motion Capture Database",
    licence=LICENCE,
    expects="clips.csv beside a folder of BVH files",
    clips=clips,
)
