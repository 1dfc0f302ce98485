"""Where weights are: sets and policies that ship, by name; one's own, by folder; others', in the Hugging Face cache.

Importing this module costs no torch: the command line lists the names.
"""

import json
from pathlib import Path
from typing import Any

from motiongen.inference import hub
from motiongen.registry import suggest

ABOUT = "about.json"
"""Licence, data, contents and styles of a set."""


def shipped_sets() -> dict[str, Path]:
    """Return the shipped sets: name -> folder."""
    import motiongen_assets

    found = sorted((motiongen_assets.ROOT / "weights").glob(f"*/{ABOUT}"))
    return {path.parent.name: path.parent.resolve() for path in found}


def shipped_policies() -> dict[str, Path]:
    """Return name -> folder of the policies that ship."""
    import motiongen_assets

    found = sorted((motiongen_assets.ROOT / "weights" / "policies").glob("*/config.json"))
    return {path.parent.name: path.parent.resolve() for path in found}


def weights_folder(weights: str | Path) -> Path:
    """Return the folder of a set of weights, the same for every spelling.

    Args:
        weights: name of a set that ships, a folder, or OWNER/NAME[@REVISION] in the Hugging Face cache.

    Raises:
        ValueError: there is no such set; the message lists the names.
    """
    return _find("weights", shipped_sets(), weights)


def policy_folder(policy: str | Path) -> Path:
    """Return the folder of a policy, the same for every spelling.

    Args:
        policy: name of a policy that ships, a folder, or OWNER/NAME[@REVISION] in the Hugging Face cache.

    Raises:
        ValueError: there is no such policy; the message lists the names.
    """
    return _find("policy", shipped_policies(), policy)


def read_about(folder: Path) -> dict[str, Any]:
    """Return the name of a set, and the content of its about.json."""
    from motiongen import checkpoint

    path = folder / ABOUT
    return {"name": hub.repository_of(folder), **(checkpoint.read_json(path) if path.is_file() else {})}


def licence_of(folder: Path) -> str:
    """Return the terms of a set of weights, from its about.json."""
    return str(json.loads((folder / ABOUT).read_text(encoding="utf-8")).get("licence", ""))


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
