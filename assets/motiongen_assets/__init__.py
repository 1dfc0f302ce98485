"""Files that ship with motiongen: weights, the synthetic body, small samples."""

from importlib import resources
from pathlib import Path

ROOT = Path(str(resources.files(__name__)))
"""Folder that holds the shipped files."""


def path(name: str) -> Path:
    """Return the path of a shipped file or folder, such as `body/mannequin.glb`.

    Raises:
        ValueError: nothing of that name ships; the message lists what its folder holds.
    """
    found = ROOT / name
    if not found.exists():
        folder = found.parent if found.parent.is_dir() else ROOT
        there = ", ".join(sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("_")))
        raise ValueError(
            f"asset: expected one of {there}, got {name!r}; reinstall motiongen if it should be there"
        )
    return found
