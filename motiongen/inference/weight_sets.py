"""Location of weight sets and policies: shipped ones by name, folders, and the Hugging Face cache.

This module does not import torch, since the command line lists the names.
"""

from pathlib import Path
from typing import Any

from motiongen import heads
from motiongen.checks import fits
from motiongen.files import read_json
from motiongen.inference import hub
from motiongen.registry import suggest

ABOUT = "about.json"
"""Licence, data, contents and styles of a set."""
MEMORY = "memory"
"""Folder of a set's memory."""
CONFIG = "config.json"
"""Sizes of a model, beside its weights."""


def shipped_sets() -> dict[str, Path]:
    """Return the shipped sets: name -> folder."""
    import motiongen_assets

    found = sorted((motiongen_assets.ROOT / "weights").glob(f"*/{ABOUT}"))
    return {path.parent.name: path.parent.resolve() for path in found}


def shipped_policies() -> dict[str, Path]:
    """Return the shipped policies: name -> folder."""
    import motiongen_assets

    found = sorted((motiongen_assets.ROOT / "weights" / "policies").glob("*/config.json"))
    return {path.parent.name: path.parent.resolve() for path in found}


def weights_folder(weights: str | Path) -> Path:
    """Return the resolved folder of a weight set.

    Args:
        weights: name of a shipped set, a folder, or OWNER/NAME[@REVISION] in the Hugging Face cache.

    Raises:
        ValueError: there is no such set; the message lists the names.
    """
    return _find("weights", shipped_sets(), weights)


def from_anywhere(name: str | Path) -> str:
    """Return the name of a set, or the path of a folder, such that it means the same in any working folder."""
    return str(Path(name).resolve()) if str(name) not in shipped_sets() and Path(name).is_dir() else str(name)


def memory_folder(set_folder: Path, memory: str | Path | None) -> Path | None:
    """Return the folder of a memory, or None for no memory.

    Args:
        set_folder: of the weights.
        memory: a folder that `motiongen remember` wrote; "0" for none; None for that of the set, if it has one.

    Raises:
        ValueError: there is no such folder.
    """
    if memory is None:
        own = set_folder / MEMORY
        return own if own.is_dir() else None
    if str(memory) == "0":
        return None
    if not Path(memory).is_dir():
        raise ValueError(
            f"memory: expected a folder that motiongen remember wrote, or 0, got {str(memory)!r}; check the path"
        )
    return Path(memory).resolve()


def policy_folder(policy: str | Path) -> Path:
    """Return the resolved folder of a policy.

    Args:
        policy: name of a shipped policy, a folder, or OWNER/NAME[@REVISION] in the Hugging Face cache.

    Raises:
        ValueError: there is no such policy; the message lists the names.
    """
    return _find("policy", shipped_policies(), policy)


def read_about(folder: Path) -> dict[str, Any]:
    """Return the contents of the about.json of a set, and its `name`."""
    path = folder / ABOUT
    return {"name": hub.repository_of(folder), **(read_json(path) if path.is_file() else {})}


def licence_of(folder: Path) -> str:
    """Return the licence of a weight set, from its about.json."""
    return str(read_json(folder / ABOUT).get("licence", ""))


def dance_styles(folder: Path) -> list[str]:
    """Return the dance styles of a weight set's heads, from their configs; empty where nothing in it dances.

    Args:
        folder: of the set.
    """
    styles: dict[str, None] = {}
    for name, spec in heads.heads_for("music").items():
        for config in (folder / name / space / CONFIG for space in spec.spaces or ("",)):
            if config.is_file():
                found = read_json(config).get("styles", [])
                if not fits(found, tuple[str, ...]):
                    raise ValueError(f"{config}: styles: expected a list of names, got others; copy it again")
                styles |= dict.fromkeys(found)
    return list(styles)


def _find(kind: str, shipped: dict[str, Path], wanted: str | Path) -> Path:
    name = str(wanted)
    if name in shipped:
        return shipped[name]
    if name and Path(wanted).is_dir():
        return Path(wanted).resolve()
    snapshot = hub.snapshot_folder(name)
    if snapshot is not None:
        return snapshot.resolve()
    nearest, download = suggest(name, shipped), hub.download_command(name)
    hint = f"did you mean {nearest}?" if nearest else "check the name"
    if download:
        hint = f"check the path, or run `{download}` to have it from the Hugging Face Hub"
    raise ValueError(
        f"{kind}: expected {', '.join(shipped) or 'none ships'} or a folder, got {name!r}; {hint}"
    )
