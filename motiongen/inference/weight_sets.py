"""Weight sets: shipped ones by name, others by folder."""

from pathlib import Path
from typing import Any

from motiongen import checkpoint

ABOUT = "about.json"
"""File that describes a set: licence, data, contents and styles."""


def shipped_sets() -> dict[str, Path]:
    """Return the shipped sets: name -> folder."""
    import motiongen_assets

    found = sorted((motiongen_assets.ROOT / "weights").glob(f"*/{ABOUT}"))
    return {path.parent.name: path.parent for path in found}


def weights_folder(weights: str | Path) -> Path:
    """Return the folder of a weight set.

    Args:
        weights: name of a shipped set, or a folder.

    Raises:
        ValueError: neither; the message lists the shipped sets.
    """
    sets = shipped_sets()
    if str(weights) in sets:
        return sets[str(weights)]
    if Path(weights).is_dir():
        return Path(weights).resolve()
    raise ValueError(
        f"weights: expected {' or '.join(sets) or 'a set'} or a folder, got {str(weights)!r}; check the name"
    )


def read_about(folder: Path) -> dict[str, Any]:
    """Return the contents of the about.json of a set, and its `name`."""
    path = folder / ABOUT
    return {"name": folder.name, **(checkpoint.read_json(path) if path.is_file() else {})}
