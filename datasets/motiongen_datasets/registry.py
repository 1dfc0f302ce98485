"""Registry of motion datasets, and the lookup of the clips that a source on the command line stands for."""

import importlib
from collections.abc import Sequence
from pathlib import Path

from motiongen.files import reading
from motiongen.registry import lookup
from motiongen_datasets.base import DatasetSpec, RawClip

DATASETS: dict[str, str] = {
    "bandai_namco": "motiongen_datasets.bandai_namco",
    "cmu": "motiongen_datasets.cmu",
    "hdm05": "motiongen_datasets.hdm05",
    "react_idle": "motiongen_datasets.react_idle",
    "g1_moves": "motiongen_datasets.g1_moves",
    "cc0": "motiongen_datasets.cc0",
    "cmu_fbx": "motiongen_datasets.cmu_fbx",
    "cmu_alt": "motiongen_datasets.cmu_alt",
    "rocketbox": "motiongen_datasets.rocketbox",
    "accad": "motiongen_datasets.accad",
    "jlpm": "motiongen_datasets.jlpm",
    "unitree": "motiongen_datasets.unitree",
    "aistpp": "motiongen_datasets.aistpp",
    "bvh_folder": "motiongen_datasets.bvh_folder",
}
"""Name -> module that defines DATASET, a `DatasetSpec`; imported on first use."""
ANY_BVH = "bvh_folder"
"""The dataset as which a folder is read whose name is no dataset's."""


def find_dataset(name: str) -> DatasetSpec:
    """Return the dataset of a name.

    Raises:
        ValueError: no dataset has this name, or its module does not define it.
    """
    module = lookup("dataset", DATASETS, name)
    spec = getattr(importlib.import_module(module), "DATASET", None)
    if not isinstance(spec, DatasetSpec) or spec.name != name:
        raise ValueError(
            f"{module}: expected DATASET, a DatasetSpec of the name {name!r}, got {spec!r}; see docs/design.md"
        )
    return spec


def join_names(words: Sequence[str]) -> list[str]:
    """Return sources in which the two words "NAME FOLDER" have become "NAME=FOLDER".

    A word is a dataset's name if no folder is called so, and another word follows that is no dataset's name.
    """
    sources: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        is_name = word in DATASETS and not Path(word).exists()
        if is_name and waiting and "=" not in waiting[0] and waiting[0] not in DATASETS:
            word = f"{word}={waiting.pop(0)}"
        sources.append(word)
    return sources


def clips_of(source: str) -> list[RawClip]:
    """Return the clips of a source, without reading their motion.

    Args:
        source: "NAME=FOLDER", or a folder that is recognised by its name; any other folder is read as BVH files. In
            place of the folder, a dataset that `reads_zip` takes a zip file.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: an empty name, an unknown dataset, or a folder without a clip of it.
    """
    name, _, folder = source.rpartition("=")
    if not folder:
        raise ValueError(f"source: expected a folder, got {source!r}; is a variable of the shell empty?")
    root = Path(folder)
    spec = find_dataset(name) if name else _dataset_of_folder(root.name)
    if not root.is_dir() and not (spec.reads_zip and root.is_file()):
        raise FileNotFoundError(
            f"{folder}: expected a folder of motion data, got no such folder; check the path"
        )
    with reading(root, f"{spec.expects} of {spec.title}"):
        clips = spec.clips(root)
    if not clips:
        raise ValueError(
            f"{folder}: expected {spec.expects} of {spec.title}, found none; give the folder that holds them"
        )
    return clips


def _dataset_of_folder(folder: str) -> DatasetSpec:
    """Return the dataset that is recognised by a folder's name."""
    if folder in DATASETS:
        return find_dataset(folder)
    published = (spec for spec in map(find_dataset, DATASETS) if folder in spec.folder_names)
    return next(published, None) or find_dataset(ANY_BVH)
