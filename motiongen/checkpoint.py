"""Model checkpoints: `model.safetensors`, `config.json` and a model card `README.md` in one folder, loaded strictly."""

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
"""Model type that an older version wrote into config.json -> its present name."""
RENAMES: dict[str, list[tuple[str, str]]] = {}
"""Model type -> (regular expression, replacement) pairs for state dict keys that older versions wrote."""


class Configured(Protocol):
    """Protocol of a module class that can be saved: it has a name, and its only argument is a frozen dataclass."""

    model_type: ClassVar[str]
    """Name of the architecture in config.json, such as `rvq_vae`, independent of the module that defines the class."""
    config_class: ClassVar[type[Any]]


M = TypeVar("M", bound=nn.Module)


def model_type(cls: type[nn.Module]) -> str:
    """Return the name that a model class is saved under. Raises ValueError for a class without one."""
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
    """Write a module and its config to a folder, which is created if missing.

    Args:
        module: model to save; its class has `model_type` and `config_class`.
        config: the frozen dataclass it was built from.
        directory: destination folder.
        card_text: the model card, Markdown; None for none.
        half: store matrices in fp16; vectors (biases, normaliser) keep their type.
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
    """Return a saved model, on the CPU and in fp32.

    Args:
        directory: folder that `save` wrote.
        cls: expected class of the model.

    Raises:
        ValueError: the folder is missing or holds another model, its config has an unknown key, its weights do not
            match the model, or a file is damaged.
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
    """Return the model type of a saved model."""
    name = str(read_json(Path(directory) / CONFIG).get("model"))
    return MODEL_RENAMES.get(name, name)


def load_weights(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Load a state dict strictly.

    Args:
        module: receives the weights.
        tensors: one for each key of its state dict.
        path: of the file, for messages.

    Raises:
        ValueError: a missing or unknown key, or a tensor of another shape.
    """
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
    """Return tensors with renamed keys.

    Args:
        tensors: by key.
        table: (regular expression, replacement) pairs, applied to each key in order.
    """
    renamed = {}
    for key, tensor in tensors.items():
        for pattern, replacement in table:
            key = re.sub(pattern, replacement, key)
        renamed[key] = tensor
    return renamed


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file. Raises ValueError if it is missing or damaged."""
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
    """Write a safetensors file atomically, with the permissions of the folder (unlike safetensors' `save_file`)."""
    with atomic_path(path) as aside:
        aside.write_bytes(as_bytes(dict(tensors)))


def read_json(path: str | Path) -> dict[str, Any]:
    """Return the object of a JSON file. Raises ValueError if it is missing or not a JSON object."""
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
    """Write a JSON file atomically."""
    with atomic_path(path) as aside:
        aside.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def config_from_dict(cls: type[Any], record: Mapping[str, Any], where: str = "config") -> Any:
    """Return a config dataclass filled from a JSON object.

    Args:
        cls: the dataclass.
        record: its fields by name; lists become tuples.
        where: of the record, for messages.

    Raises:
        ValueError: a key that is no field, or a value that the dataclass refuses.
    """
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
