"""A folder of a user's own BVH files, with or without captions.

The optional captions.csv has the columns `file` and `caption`, and may have `content` and `style`; a file with several
captions has several rows. `file` is the path below the folder, with or without ".bvh". A file without a row has its
name as its content: "walk_03.bvh" is "walk".
"""

import re
from collections import defaultdict
from functools import partial
from pathlib import Path

from motiongen.files import visible
from motiongen.humanoid import humanoid_map
from motiongen.io import ReadOptions
from motiongen.io import load as read_motion
from motiongen.motion import Motion
from motiongen.retargeting import find_t_pose
from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.captions import Labels
from motiongen_datasets.cleaning import canonical, clean_span, without_calibration_pose
from motiongen_datasets.clip_table import read_table
from motiongen_datasets.dance_styles import dance_meta, label_dance_style

LICENCE = "the owner's"


def clips(root: Path) -> list[RawClip]:
    """Return a clip for every .bvh file below a folder.

    Raises:
        ValueError: captions.csv lacks its columns, or names a file that is not there.
    """
    captions = _captions(root)
    found = []
    for path in (path for path in visible(root.rglob("*"), root) if path.suffix.lower() == ".bvh"):
        name = path.relative_to(root).with_suffix("").as_posix()
        labels = _labels(path.stem, captions.pop(name, []))
        found.append(
            RawClip(
                id=f"bvh_folder/{name}",
                source="bvh_folder",
                licence=LICENCE,
                load=partial(load, path),
                labels=labels,
                meta=dance_meta(label_dance_style(labels.content)) | {"name": path.stem},
            )
        )
    if captions:
        raise ValueError(
            f"{root / 'captions.csv'}: expected files below {root}, got {next(iter(captions))!r}; "
            "give the path below the folder"
        )
    return found


def load(path: Path, options: ReadOptions | None = None) -> Motion:
    """Return one clip on SMPL-22 at 30 fps, on the ground.

    Args:
        path: the file.
        options: what is known of it; the rest is guessed.

    Raises:
        ValueError: the file is no BVH, its skeleton no humanoid, or no span without jumps is long enough.
    """
    motion = read_motion(path, options)
    mapping = humanoid_map(motion.skeleton)
    # Found before the first frames are dropped: a calibration pose helps where the rest pose is no person.
    t_pose = find_t_pose(motion.skeleton, mapping, motion)
    return canonical(clean_span(without_calibration_pose(motion, mapping), mapping), mapping, t_pose)


def _captions(root: Path) -> dict[str, list[dict[str, str]]]:
    """Return the rows of captions.csv by file name without ".bvh"."""
    table = root / "captions.csv"
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    if not table.is_file():
        return rows
    names, found = read_table(table)
    if not {"file", "caption"} <= set(names):
        raise ValueError(f"{table}: expected the columns file, caption, got {', '.join(names)[:200]}")
    for row in found:
        name = row["file"].strip().replace("\\", "/")
        rows[re.sub(r"\.bvh$", "", name, flags=re.IGNORECASE)].append(row)
    return rows


def _labels(name: str, rows: list[dict[str, str]]) -> Labels:
    """Return the labels of a file by its rows of captions.csv; without a row, by its name."""
    return Labels(
        content=_first(rows, "content") or (None if rows else _words(name)),
        style=_first(rows, "style"),
        sentences=tuple(row["caption"].strip() for row in rows if (row["caption"] or "").strip()),
    )


def _first(rows: list[dict[str, str]], column: str) -> str | None:
    """Return the first value of a column that is not empty."""
    return next((row[column].strip() for row in rows if (row.get(column) or "").strip()), None)


def _words(stem: str) -> str | None:
    """Return the words of a file's name: "walk" for "Walk_03"."""
    return " ".join(re.findall(r"[A-Za-z]+", stem)).lower() or None


DATASET = DatasetSpec(
    name="bvh_folder",
    title="your own motion capture",
    licence=LICENCE,
    expects="BVH files",
    clips=clips,
)
