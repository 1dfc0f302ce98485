"""HDM05: clips of one action each, ASF/AMC at 120 fps on skeletons like CMU's, CC BY-SA 3.0.

A folder has clips.csv, with the columns COLUMNS, beside the files.
"""

import re
from functools import partial
from pathlib import Path

from motiongen.io import asf
from motiongen.motion import Motion
from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.captions import Labels
from motiongen_datasets.cleaning import canonical, clean_span
from motiongen_datasets.clip_table import read_rows
from motiongen_datasets.cmu import ASF_MAPPING, t_pose

LICENCE = "CC BY-SA 3.0"
COLUMNS = frozenset({"clip", "file", "skeleton", "source_fps", "unit_to_metres", "caption"})
CLASSES = (
    (r"depositFloorR", "put-down", "right"),
    (r"elbowToKnee", "elbow-to-knee", None),
    (r"grabHighR", "grab-high", "right"),
    (r"hopBothLegs", "hop", None),
    (r"jogLeftCircle", "jog-circle-left", "left"),
    (r"kickLFront", "kick", "left"),
    (r"kickRFront", "kick", "right"),
    (r"lieDownFloor", "lie-down", None),
    (r"rotateArmsBothBackward", "rotate-arms", None),
    (r"sneak", "sneak", None),
    (r"squat", "squat", None),
    (r"throwBasketball", "basketball-throw", None),
)
"""Class name without its repetition count -> (content, side in the name)."""
_NAME = re.compile(r"HDM_(?P<actor>[a-z]+)_(?P<action>\w+?)_(?P<take>\d+)_\d+$")


def clips(root: Path) -> list[RawClip]:
    """Return every clip that the clips.csv of a folder lists, or those below it."""
    return [_clip(folder, row) for folder, row in read_rows(root, COLUMNS) if row["clip"].startswith("HDM_")]


def labels(action: str) -> Labels:
    """Return the labels of a clip by its class name, such as "kickLFront1Reps"."""
    for name, content, side in CLASSES:
        if name in action:
            return Labels(content=content, side=side)
    return Labels()


def load(path: Path, skeleton: Path, fps: float, unit_to_metres: float) -> Motion:
    """Return one clip on SMPL-22 at 30 fps, on the ground."""
    motion, mapping = read_source(path, skeleton, fps, unit_to_metres)
    return canonical(motion, mapping, t_pose(motion.skeleton, mapping))


def read_source(
    path: Path, skeleton: Path, fps: float, unit_to_metres: float
) -> tuple[Motion, dict[str, str]]:
    """Return one clip on its own skeleton, without jumps, and its joint mapping."""
    return clean_span(asf.read_amc(skeleton, path, fps, unit_to_metres), ASF_MAPPING), ASF_MAPPING


def _clip(folder: Path, row: dict[str, str]) -> RawClip:
    parts = _NAME.match(row["clip"])
    action = parts["action"] if parts else row["clip"]
    return RawClip(
        id=f"hdm05/{row['clip']}",
        source="hdm05",
        licence=LICENCE,
        load=partial(
            load,
            folder / row["file"],
            folder / row["skeleton"],
            float(row["source_fps"]),
            float(row["unit_to_metres"]),
        ),
        labels=labels(action),
        meta={"name": action, "subject": parts["actor"] if parts else "", "caption": row["caption"]},
    )


DATASET = DatasetSpec(
    name="hdm05",
    title="HDM05",
    licence=LICENCE,
    expects="clips.csv beside HDM_*.amc files",
    clips=clips,
)
