"""Files in and out: one file a format, read and write together, chosen by extension."""

import difflib
import importlib
from pathlib import Path

from motiongen.motion import Motion

FORMATS = {
    ".bvh": "motiongen.io.bvh",
    ".npz": "motiongen.io.npz",
    ".glb": "motiongen.io.gltf",
    ".gltf": "motiongen.io.gltf",
}
"""Extension -> module with read(path) -> Motion and write(motion, path); imported when first used."""


def load(path: str | Path) -> Motion:
    """Return the motion in a file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: an unknown extension, or contents that the format does not allow.
    """
    path = Path(path)
    module = importlib.import_module(_module(path))
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a motion file, got no such file; check the path")
    motion: Motion = module.read(path)
    return motion


def save(motion: Motion, path: str | Path) -> None:
    """Write a motion to a file, whole or not at all.

    Raises:
        FileNotFoundError: the folder does not exist.
        ValueError: an unknown extension.
    """
    path = Path(path)
    importlib.import_module(_module(path)).write(motion, path)


def _module(path: Path) -> str:
    extension = path.suffix.lower()
    if extension not in FORMATS:
        near = difflib.get_close_matches(extension, FORMATS, n=1, cutoff=0.0)[0]
        raise ValueError(
            f"{path}: expected one of {', '.join(FORMATS)}, got {extension or 'no extension'!r}; did you mean {near}?"
        )
    return FORMATS[extension]
