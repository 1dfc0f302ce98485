"""Saved models: `model.safetensors`, `config.json` and a model card `README.md` in one folder, loaded strictly."""

import dataclasses
import json
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as as_bytes
from torch import Tensor, nn

from motiongen.atomic import atomic_path
from motiongen.registry import suggest

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
FORMAT_VERSION = 1

MODEL_RENAMES: dict[str, str] = {}
"""Model types that older versions wrote into config.json -> the types they are called by now."""
RENAMES: dict[str, list[tuple[str, str]]] = {}
"""Model type -> regular expressions and what replaces them, for keys of weights saved by older versions."""


class Configured(Protocol):
    """A module class that can be saved: it has a name, and is built from one frozen dataclass."""

    model_type: ClassVar[str]
    """Name in config.json, such as `rvq_vae`: that of the architecture, whatever file its class stands in."""
    config_class: ClassVar[type[Any]]


M = TypeVar("M", bound=nn.Module)


def model_type(cls: type[nn.Module]) -> str:
    """Return the name that models of a class are saved under. Raises ValueError for a class without one."""
    name = getattr(cls, "model_type", None)
    if not isinstance(name, str):
        raise ValueError(
            f"{cls.__name__}: expected a class attribute model_type, the name its models are saved under, "
            'got none; add model_type = "..."'
        )
    return name


def save(
    module: nn.Module, config: Any, directory: str | Path, card_text: str | None = None, *, half: bool = False
) -> None:
    """Write module and config to a folder, which is made if need be.

    Args:
        module: what to save; its class must have `config_class`.
        config: the frozen dataclass it was built from.
        directory: where to.
        card_text: the model card, Markdown.
        half: store matrices in fp16; vectors (biases, normaliser) stay as they are.
    """
    name, directory = model_type(type(module)), Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {name: _stored(tensor, half) for name, tensor in module.state_dict().items()}
    write_tensors(directory / WEIGHTS, tensors)
    record = {"model": name, "format": FORMAT_VERSION, **dataclasses.asdict(config)}
    write_json(directory / CONFIG, record)
    if card_text is not None:
        with atomic_path(directory / CARD) as path:
            path.write_text(card_text, encoding="utf-8")


def _stored(tensor: Tensor, half: bool) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    return tensor.half() if half and tensor.is_floating_point() and tensor.ndim >= 2 else tensor


def load(directory: str | Path, cls: type[M]) -> M:
    """Return a model of class cls from a folder, on the CPU and in fp32.

    Raises:
        ValueError: no such folder, another model's, an unknown config key, missing or extra or misshapen weights, or a
            file that is cut off.
    """
    directory = Path(directory)
    record = read_json(directory / CONFIG)
    name = record.pop("model", None)
    name = MODEL_RENAMES.get(str(name), name)
    if name != model_type(cls):
        raise ValueError(
            f"{directory}: expected a saved {model_type(cls)}, got {name!r}; give another folder"
        )
    version = record.pop("format", None)
    if version != FORMAT_VERSION:
        raise ValueError(f"{directory}: expected format {FORMAT_VERSION}, got {version!r}; update motiongen")
    config = config_from_dict(cls.config_class, record, str(directory / CONFIG))  # type: ignore[attr-defined]
    module = cls(config)
    load_weights(
        module, rename_keys(read_tensors(directory / WEIGHTS), RENAMES.get(name, [])), directory / WEIGHTS
    )
    return module


def read_model_type(directory: str | Path) -> str:
    """Return the type of the model that a folder holds."""
    name = str(read_json(Path(directory) / CONFIG).get("model"))
    return MODEL_RENAMES.get(name, name)


def load_weights(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Fill module with tensors, all of them and no others. Raises ValueError that names what does not fit."""
    own = module.state_dict()
    for problem, names in (
        ("has no", own.keys() - tensors.keys()),
        ("has an unknown", tensors.keys() - own.keys()),
    ):
        if names:
            more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
            raise ValueError(
                f"{path}: {problem} tensor {min(names)!r}{more}; its config.json is of another model"
            )
    for key, tensor in tensors.items():
        if tensor.shape != own[key].shape:
            expected, got = tuple(own[key].shape), tuple(tensor.shape)
            raise ValueError(
                f"{path}: {key}: expected shape {expected}, got {got}; config.json is of another model"
            )
    module.load_state_dict(dict(tensors), strict=True)  # copies, so fp16 files fill fp32 modules


def rename_keys(tensors: Mapping[str, Tensor], table: list[tuple[str, str]]) -> dict[str, Tensor]:
    """Return tensors under the names that every (pattern, replacement) of the table, in order, makes of their keys."""
    renamed = {}
    for key, tensor in tensors.items():
        for pattern, replacement in table:
            key = re.sub(pattern, replacement, key)
        renamed[key] = tensor
    return renamed


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file. Raises ValueError when it is missing or cut off."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: expected a safetensors file, got none; give the folder of a saved model")
    try:
        return load_file(path)
    except (SafetensorError, struct.error, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        expected = "a whole safetensors file"
        raise ValueError(
            f"{path}: expected {expected}, got a damaged one ({reason}); copy it again"
        ) from error


def write_tensors(path: str | Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors as safetensors, whole or not at all, for all who may read the folder (save_file's are not)."""
    with atomic_path(path) as aside:
        aside.write_bytes(as_bytes(dict(tensors)))


def read_json(path: str | Path) -> dict[str, Any]:
    """Return the object in a JSON file. Raises ValueError when it is missing or is not one."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f"{path}: expected a saved model's JSON, got no file; give the folder of a saved model"
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON, got an error ({error}); copy it again") from error
    if not isinstance(record, dict):
        raise ValueError(f"{path}: expected a JSON object, got {type(record).__name__}; copy it again")
    return record


def write_json(path: str | Path, record: Mapping[str, Any]) -> None:
    """Write an object as JSON, whole or not at all."""
    with atomic_path(path) as aside:
        aside.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def config_from_dict(cls: type[Any], record: Mapping[str, Any], where: str = "config") -> Any:
    """Return the config dataclass for a JSON object. Raises ValueError for a key that it has not."""
    fields = {field.name for field in dataclasses.fields(cls)}
    for key in record:
        if key not in fields:
            nearest = suggest(key, sorted(fields))
            hint = (
                f"did you mean {nearest}?" if nearest else f"remove it; known are {', '.join(sorted(fields))}"
            )
            raise ValueError(
                f"{where}: {key}: expected a field of {cls.__name__}, got an unknown key; {hint}"
            )
    return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in record.items()})
