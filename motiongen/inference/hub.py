"""Models of the Hugging Face Hub, read from the user's cache: nothing is downloaded here."""

import re
from pathlib import Path

REPOSITORY = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")
"""OWNER/NAME, with @REVISION if it is not the main branch."""


def snapshot_folder(repository: str) -> Path | None:
    """Return the folder of a repository's files in the cache, or None when they are not there.

    Args:
        repository: OWNER/NAME, or OWNER/NAME@REVISION for a branch, tag or commit.
    """
    parts = REPOSITORY.fullmatch(repository)
    if parts is None:
        return None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(parts["name"], revision=parts["revision"], local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None


def repository_of(folder: Path) -> str:
    """Return OWNER/NAME of a folder in the cache (models--OWNER--NAME/snapshots/COMMIT), or a folder's own name."""
    is_snapshot = folder.parent.name == "snapshots" and folder.parents[1].name.startswith("models--")
    return (
        folder.parents[1].name.removeprefix("models--").replace("--", "/", 1) if is_snapshot else folder.name
    )


def download_command(repository: str) -> str:
    """Return the command that downloads a repository, or nothing when the text names none."""
    parts = REPOSITORY.fullmatch(repository)
    if parts is None:
        return ""
    return f"hf download {parts['name']}" + (f" --revision {parts['revision']}" if parts["revision"] else "")
