"""Sets of weights: those that ship, by name, and the user's own, by folder."""

from pathlib import Path
from typing import Any

from motiongen import checkpoint

ABOUT = "about.json"
"""What a set says of itself: licence, data, contents and styles that it knows."""


def shipped_sets() -> dict[str, Path]:
    """Return name -> folder of the sets that ship."""
    import motiongen_assets

    found = sorted((motiongen_assets.ROOT / "weights").glob(f"*/{ABOUT}"))
    return {path.parent.name: path.parent for path in found}


def weights_folder(weights: str | Path) -> Path:
    """Return the folder of a set that ships, by name, or of the user's own, by path.

    Raises:
        ValueError: there is no such set or folder; the message lists the sets.
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
    """Return the name of a set, and what it says of itself."""
    path = folder / ABOUT
    return {"name": folder.name, **(checkpoint.read_json(path) if path.is_file() else {})}
