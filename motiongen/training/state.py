"""Training checkpoints: safetensors for tensors, JSON for the rest, no pickle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motiongen.checkpoint import (
    load_weights,
    read_json,
    read_metadata,
    read_tensors,
    write_json,
    write_tensors,
)
from motiongen.files import reading

STATE, RECORD = "state.safetensors", "state.json"
_RECORD_KEY = "record"
_MOST_STEPS = 2**40


def save(
    directory: Path,
    model: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    record: Mapping[str, Any],
) -> None:
    """Write the state of a training run.

    Args:
        directory: destination folder, created if missing.
        model: the trained model.
        average: its moving average.
        optimizer: with its moments.
        generator: of the run.
        record: JSON-serialisable facts, with `step`; the file of tensors holds them, too, and is replaced in one step.
    """
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{key}": value for key, value in model.state_dict().items()}
    tensors |= {f"average.{key}": value for key, value in average.state_dict().items()}
    tensors |= {f"optimizer.{key}": value for key, value in _moments(optimizer).items()}
    tensors["generator"] = generator.get_state()
    tensors["step"] = torch.tensor(record["step"])
    stored = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    write_tensors(directory / STATE, stored, {_RECORD_KEY: json.dumps(record)})
    write_json(directory / RECORD, record)


def load(
    directory: Path,
    model: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
) -> dict[str, Any]:
    """Restore the state of a training run in place and return its record; see `save`.

    Raises:
        ValueError: a missing or damaged checkpoint, or one of another model.
    """
    path = directory / STATE
    if not path.is_file():
        raise ValueError(f"{path}: expected a training checkpoint, got no file; start without resuming")
    tensors = read_tensors(path)
    with reading(path, "the state of a training run"):
        kept = read_metadata(path).get(_RECORD_KEY)
        # States of older versions have their record in a file beside them alone.
        record = read_json(directory / RECORD) if kept is None else dict(json.loads(kept))
        if "step" not in tensors or "generator" not in tensors:
            raise ValueError(
                f"{path}: expected the state of a training run, got other tensors; give another folder"
            )
        record["step"] = int(tensors["step"])
        if not 0 <= record["step"] <= _MOST_STEPS:
            raise ValueError(f"step: expected 0 or more, got {record['step']}; copy it again")
        load_weights(model, _under("model.", tensors), path)
        load_weights(average, _under("average.", tensors), path)
        _restore_moments(optimizer, _under("optimizer.", tensors), path)
        generator.set_state(tensors["generator"])
    return record


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{index}.{name}": value
        for index, parameter in enumerate(_parameters(optimizer))
        for name, value in optimizer.state.get(parameter, {}).items()
    }


def _restore_moments(optimizer: torch.optim.Optimizer, moments: Mapping[str, Tensor], path: Path) -> None:
    parameters = _parameters(optimizer)
    for key, value in moments.items():
        index, name = key.split(".", 1)
        if int(index) >= len(parameters):
            expected = f"moments of {len(parameters)} parameters"
            raise ValueError(f"{path}: expected {expected}, got {key}; give another folder")
        if not bool(torch.isfinite(value).all()):
            raise ValueError(f"{path}: {key}: expected finite numbers, got NaN or infinity; copy it again")
        parameter = parameters[int(index)]
        if value.ndim and value.shape != parameter.shape:
            raise ValueError(
                f"{path}: {key}: expected shape {tuple(parameter.shape)}, got {tuple(value.shape)}; copy it again"
            )
        optimizer.state[parameter][name] = value.to(parameter.device if value.ndim else "cpu")
