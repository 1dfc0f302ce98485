"""Motion datasets: where their clips are, how they are read, and what is said of them. One file a dataset."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path

from motiongen.registry import suggest
from motiongen_datasets.base import RawClip

DATASETS = {
    "bandai_namco": "motiongen_datasets.bandai_namco",
    "cmu": "motiongen_datasets.cmu",
    "hdm05": "motiongen_datasets.hdm05",
    "react_idle": "motiongen_datasets.react_idle",
    "g1_moves": "motiongen_datasets.g1_moves",
    "cc0": "motiongen_datasets.cc0",
    "aistpp": "motiongen_datasets.aistpp",
    "bvh_folder": "motiongen_datasets.bvh_folder",
}
"""Name -> module with clips(root) -> list[RawClip]; imported when first used."""
ZIPPED = ("aistpp",)
"""Datasets that are read from the zip they are published as, too."""
PUBLISHED_AS = {"aist_plusplus_final": "aistpp"}
"""Names of published folders that tell the dataset."""


def named(sources: Sequence[str]) -> list[str]:
    """Return sources with the two words "NAME FOLDER" made "NAME=FOLDER".

    A dataset's name means that where no folder is called so, and another source that is no dataset's name follows.
    """
    joined: list[str] = []
    waiting = list(sources)
    while waiting:
        source = waiting.pop(0)
        is_name = source in DATASETS and not Path(source).exists()
        if is_name and waiting and "=" not in waiting[0] and waiting[0] not in DATASETS:
            source = f"{source}={waiting.pop(0)}"
        joined.append(source)
    return joined


def clips_of(source: str) -> list[RawClip]:
    """Return the clips of "NAME=FOLDER", or of a folder whose own name is a dataset's; else of a folder of BVH files.

    A dataset of ZIPPED may be a zip in place of the folder.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: an unknown dataset, or a folder without a clip.
    """
    name, _, folder = source.rpartition("=")
    root = Path(folder)
    if not root.is_dir() and not (name in ZIPPED and root.is_file()):
        raise FileNotFoundError(
            f"{folder}: expected a folder of motion data, got no such folder; check the path"
        )
    name = name or PUBLISHED_AS.get(root.name) or (root.name if root.name in DATASETS else "bvh_folder")
    if name not in DATASETS:
        nearest = suggest(name, DATASETS)
        hint = f"did you mean {nearest!r}?" if nearest else "pick one"
        raise ValueError(f"source: expected one of {', '.join(DATASETS)}, got {name!r}; {hint}")
    clips: Callable[[Path], list[RawClip]] = importlib.import_module(DATASETS[name]).clips
    found = clips(root)
    if not found:
        raise ValueError(
            f"{folder}: expected clips of {name}, found none; give the folder that holds the files"
        )
    return found
