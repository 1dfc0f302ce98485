"""Model checkpoints: `model.safetensors`, `config.json` and a model card `README.md` in one folder, loaded strictly."""

import dataclasses
import hashlib
import json
import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, get_args, get_type_hints

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as as_bytes
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from torch.overrides import TorchFunctionMode

from motiongen import files, limits
from motiongen.atomic import atomic_path, atomic_paths, part_of
from motiongen.checks import fits
from motiongen.files import reading
from motiongen.registry import suggest

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
FORMAT_VERSION = 1
_DIGEST = "config_sha256"
"""Key of the weights' metadata: the digest of the config that they were saved with."""

MODEL_RENAMES: dict[str, str] = {}
"""Model type that an older version wrote into config.json -> its present name."""
RENAMES: dict[str, list[tuple[str, str]]] = {}
"""Model type -> (regular expression, replacement) pairs for state dict keys that older versions wrote."""


class Configured(Protocol):
    """Protocol of a module class that can be saved: it has a name, and its only argument is a frozen dataclass.

    `load` first builds it on the meta device, so its `__init__` must not read numbers out of tensors.
    """

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

    The files are a set: the weights hold the digest of their config. A save that was killed between the two renames is
    finished by the next one, and `load` reads it as finished; it refuses a mixture of two models.

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
    record = {"model": name, "format": FORMAT_VERSION, **dataclasses.asdict(config)}
    if (unfinished := _unfinished(directory)) is not None:
        os.replace(unfinished, directory / CONFIG)  # for this save may be killed, too
    card = [] if card_text is None else [directory / CARD]
    with atomic_paths(directory / WEIGHTS, directory / CONFIG, *card) as parts:
        parts[0].write_bytes(as_bytes(tensors, {_DIGEST: _digest(record)}))
        parts[1].write_text(_json_text(record), encoding="utf-8")
        for part in parts[2:]:
            part.write_text(card_text or "", encoding="utf-8")


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
            match the model or are no numbers, a file is damaged, or the files are of two saves.
    """
    directory = Path(directory)
    path = directory / CONFIG
    record = _read_record(directory)
    is_own = _saved_digest(directory) in (None, _digest(record))
    name = record.pop("model", None)
    name = MODEL_RENAMES.get(str(name), name)
    if name != model_type(cls):
        raise ValueError(
            f"{directory}: expected a saved {model_type(cls)}, got {name!r}; give another folder"
        )
    version = record.pop("format", None)
    if version != FORMAT_VERSION:
        raise ValueError(f"{directory}: expected format {FORMAT_VERSION}, got {version!r}; update motiongen")
    tensors = rename_keys(read_tensors(directory / WEIGHTS), RENAMES.get(name, []))
    with reading(path, "the config of the weights beside it"):
        config = config_from_dict(cls.config_class, record, str(path))  # type: ignore[attr-defined]
        outline = _outline(cls, config, len(tensors))
    check_weights(outline, tensors, directory / WEIGHTS)
    if not is_own:
        raise ValueError(
            f"{path}: expected the config that was saved with {WEIGHTS}, got another; copy both again"
        )
    with Unfilled():
        module = cls(config)
    load_weights(module, tensors, directory / WEIGHTS)
    return module


def read_model_type(directory: str | Path) -> str:
    """Return the model type of a saved model."""
    name = str(_read_record(Path(directory)).get("model"))
    return MODEL_RENAMES.get(name, name)


def _read_record(directory: Path) -> dict[str, Any]:
    """Return the config of a saved model as JSON has it: that which was saved with the weights, if it is there."""
    return read_json(_unfinished(directory) or directory / CONFIG)


def _unfinished(directory: Path) -> Path | None:
    """Return the config of a save that was killed after it had replaced the weights; None after whole saves."""
    saved, path = _saved_digest(directory), directory / CONFIG
    part = part_of(path)
    if saved is None or not part.is_file() or (path.is_file() and _digest(read_json(path)) == saved):
        return None
    try:
        return part if _digest(read_json(part)) == saved else None
    except ValueError:  # it was killed earlier
        return None


def _saved_digest(directory: Path) -> str | None:
    """Return the digest of the config that a folder's weights were saved with; None for those of older versions."""
    path = directory / WEIGHTS
    return read_metadata(path).get(_DIGEST) if path.is_file() else None


def _digest(record: Mapping[str, Any]) -> str:
    name = str(record.get("model"))  # an old name is the same model's
    named = {**record, "model": MODEL_RENAMES.get(name, name)}
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()


class Unfilled(TorchFunctionMode):
    """Context in which parameters that a module would draw at random stay unfilled, for the weights overwrite them.

    On the meta device, whose random numbers are written in Python, drawing would also import torch's compiler (2 s).
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        options = kwargs or {}
        filled = options.get("tensor", args[0] if args else None)
        if getattr(func, "__module__", "") == nn.init.__name__ and isinstance(filled, nn.Parameter):
            return filled
        if func is torch.randn:  # meta tensors hold none either
            options = {name: value for name, value in options.items() if name != "generator"}
            return torch.empty(*args, **options)
        return func(*args, **options)


def _outline(cls: type[M], config: Any, num_tensors: int) -> M:
    """Return a module on the meta device, which holds no numbers, for the comparison of names and shapes.

    Building stops, with ValueError, as soon as it has more parts than weights of that many tensors can fill.
    """
    here, parts = threading.get_ident(), 0
    most = 8 * (num_tensors + 64)

    def count(*_: Any) -> None:
        nonlocal parts
        parts += threading.get_ident() == here
        if parts > most:
            raise ValueError(f"config: expected a model of {num_tensors} tensors, got more; copy it again")

    hooks = [
        register_module_module_registration_hook(count),
        register_module_parameter_registration_hook(count),
        register_module_buffer_registration_hook(count),
    ]
    try:
        with torch.device("meta"), Unfilled():
            module = cls(config)
    finally:
        for hook in hooks:
            hook.remove()
    limits.check_expanded(sum(buffer.nbytes for buffer in module.buffers()), 0)
    return module


def check_weights(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Raise ValueError unless tensors have the names and the shapes of a module's."""
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


def load_weights(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Load a state dict strictly.

    Args:
        module: receives the weights.
        tensors: one for each key of its state dict.
        path: of the file, for messages.

    Raises:
        ValueError: a missing or unknown key, a tensor of another shape, or one with NaN or infinity.
    """
    check_weights(module, tensors, path)
    for key, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(f"{path}: {key}: expected finite weights, got NaN or infinity; copy it again")
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
    with reading(path, "a whole safetensors file", SafetensorError):
        return load_file(path)


def read_metadata(path: str | Path) -> dict[str, str]:
    """Return the facts that a safetensors file holds beside its tensors. Raises ValueError when it is cut off."""
    with reading(path, "a whole safetensors file", SafetensorError), safe_open(path, "pt") as file:
        return dict(file.metadata() or {})


def write_tensors(
    path: str | Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Write a safetensors file atomically, with the permissions of the folder (unlike safetensors' `save_file`)."""
    with atomic_path(path) as aside:
        aside.write_bytes(as_bytes(dict(tensors), dict(metadata) if metadata else None))


def read_json(path: str | Path) -> dict[str, Any]:
    """Return the object of a JSON file. Raises ValueError if it is missing or not a JSON object."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f"{path}: expected a saved model's JSON, got no file; give the folder of a saved model"
        )
    return files.read_json(path)


def write_json(path: str | Path, record: Mapping[str, Any]) -> None:
    """Write a JSON file atomically."""
    with atomic_path(path) as aside:
        aside.write_text(_json_text(record), encoding="utf-8")


def _json_text(record: Mapping[str, Any]) -> str:
    return json.dumps(record, indent=2) + "\n"


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
    hints = get_type_hints(cls)
    for key, value in record.items():
        if not fits(value, hints[key]):
            expected = hints[key] if get_args(hints[key]) else hints[key].__name__
            raise ValueError(f"{where}: {key}: expected {expected}, got {str(value)[:80]!r}; copy it again")
    return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in record.items()})
