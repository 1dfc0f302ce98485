"""Motion datasets: where their clips are, how they are read, and what is said of them. One file a dataset."""

import difflib
import importlib
from collections.abc import Callable
from pathlib import Path

from motiongen_datasets.base import RawClip

DATASETS = {
    "bandai_namco": "motiongen_datasets.bandai_namco",
    "cmu": "motiongen_datasets.cmu",
    "hdm05": "motiongen_datasets.hdm05",
    "react_idle": "motiongen_datasets.react_idle",
    "g1_moves": "motiongen_datasets.g1_moves",
    "cc0": "motiongen_datasets.cc0",
    "bvh_folder": "motiongen_datasets.bvh_folder",
}
"""Name -> module with clips(root) -> list[RawClip]; imported when first used."""


def clips_of(source: str) -> list[RawClip]:
    """Return the clips of "NAME=FOLDER", or of a folder whose own name is a dataset's; else of a folder of BVH files.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: an unknown dataset, or a folder without a clip.
    """
    name, _, folder = source.rpartition("=")
    root = Path(folder)
    if not root.is_dir():
        raise FileNotFoundError(
            f"{folder}: expected a folder of motion data, got no such folder; check the path"
        )
    name = name or (root.name if root.name in DATASETS else "bvh_folder")
    if name not in DATASETS:
        near = difflib.get_close_matches(name, DATASETS, n=1, cutoff=0.0)[0]
        raise ValueError(
            f"source: expected one of {', '.join(DATASETS)}, got {name!r}; did you mean {near!r}?"
        )
    clips: Callable[[Path], list[RawClip]] = importlib.import_module(DATASETS[name]).clips
    found = clips(root)
    if not found:
        raise ValueError(
            f"{folder}: expected clips of {name}, found none; give the folder that holds the files"
        )
    return found
