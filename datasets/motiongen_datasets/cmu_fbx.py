"""CMU Motion Capture Database by way of the "Huge FBX Mocap Library": nearly all trials, BVH on one body.

Expects the folders cmu_fbx_*, each with a clips.csv and BVH files in centimetres at 24 fps (12 where a trial was
recorded at 60 Hz: the library ran those at double speed).
"""

from functools import partial
from pathlib import Path

from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.clip_table import read_rows
from motiongen_datasets.cmu import LICENCE
from motiongen_datasets.cmu_fbx_labels import dance_style, labels
from motiongen_datasets.dance_styles import dance_meta
from motiongen_datasets.listed_bvh import load

COLUMNS = frozenset({"clip", "file", "subject_title", "description", "sentences", "ankle_p5_cm"})
REPLACED = frozenset({"85_03", "85_04", "85_12", "85_14", "135_01", "49_08", "55_01"})
"""Trials of which cmu_alt has a better version."""


def clips(root: Path) -> list[RawClip]:
    """Return every trial listed in a folder, or in the folders cmu_fbx_* in it."""
    return [_clip(folder, row) for folder, row in read_rows(root, COLUMNS) if row["clip"] not in REPLACED]


def _clip(folder: Path, row: dict[str, str]) -> RawClip:
    said = row["description"] or row["subject_title"]
    return RawClip(
        id=f"cmu_fbx/{row['clip']}",
        source="cmu_fbx",
        licence=LICENCE,
        load=partial(load, folder / row["file"], float(row["unit_to_metres"]), float(row["fps"])),
        labels=labels(said, tuple(s.strip() for s in row["sentences"].split("|") if s.strip())),
        meta=dance_meta(dance_style(said)) | {"subject": row["subject"], "caption": said},
        is_take=dance_style(said) is None,
    )


DATASET = DatasetSpec(
    name="cmu_fbx",
    title="the CMU Motion Capture Database, by way of the Huge FBX Mocap Library",
    licence=LICENCE,
    expects="clips.csv beside a folder of BVH files, or folders cmu_fbx_* that hold them,",
    clips=clips,
    folder_names=("cmu_fbx_01_40", "cmu_fbx_41_94", "cmu_fbx_102_144"),
)
