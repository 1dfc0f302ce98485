"""``motiongen models``: lists weight sets with size, data, licence, contents and styles."""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Annotated, Any

import tyro

from motiongen.cli import arguments


@dataclass(frozen=True, kw_only=True)
class ModelsConfig:
    """List the shipped weights: parameters, data, licence, contents and styles."""

    folder: Annotated[
        tyro.conf.Positional[Path | None], tyro.conf.arg(metavar="DIR", help_behavior_hint="(optional)")
    ] = None
    """Folder of a weight set, in place of the shipped ones."""
    json: bool = False
    """Print one JSON object instead of text."""


def main(argv: Sequence[str]) -> None:
    """Run ``motiongen models``."""
    config = arguments.parse(ModelsConfig, argv, "models")
    sets = {path.parent.name: describe(path) for path in _found(config.folder)}
    if config.json:
        print(json.dumps(sets))
        return
    print("\n\n".join(_page(name, about) for name, about in sets.items()))


def _found(folder: Path | None) -> list[Path]:
    """Return the about.json of a weight set, or of all shipped ones."""
    if folder is not None:
        arguments.check_inputs(folder / "about.json")
        return [folder / "about.json"]
    import motiongen_assets

    shipped = motiongen_assets.ROOT / "weights"
    if not (found := sorted(shipped.glob("*/about.json"))):
        raise FileNotFoundError(f"{shipped}: expected sets of weights, got none; reinstall motiongen")
    return found


def describe(about: Path) -> dict[str, Any]:
    """Return the contents of the about.json of a weight set, with the sizes of its models."""
    facts: dict[str, Any] = json.loads(about.read_text(encoding="utf-8"))
    weights = sorted(about.parent.rglob("model.safetensors"))
    facts["models"] = {
        path.parent.relative_to(about.parent).as_posix(): {
            "parameters": count_parameters(path),
            "bytes": path.stat().st_size,
        }
        for path in weights
    }
    for config in sorted(about.parent.glob("badm/*/config.json")):
        facts["dances"] = json.loads(config.read_text(encoding="utf-8"))["styles"]
    return facts


def count_parameters(path: Path) -> int:
    """Return the number of parameters in a safetensors file, read from its header only.

    The header is JSON, preceded by its length in 8 little-endian bytes (safetensors format, 2022).
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > path.stat().st_size:
            raise ValueError(
                f"{path}: expected safetensors, got a truncated or foreign file; reinstall motiongen"
            )
        header = json.loads(file.read(size))
    return sum(prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")


def _page(name: str, about: dict[str, Any]) -> str:
    lines = [f"{name}: {about['licence']}"]
    lines += [
        f"  {model:<12} {size['parameters'] / 1e6:6.2f} M parameters {size['bytes'] / 1e6:7.2f} MB"
        for model, size in about["models"].items()
    ]
    for key in ("data", "contents", "styles", "dances"):
        words = ", ".join(about.get(key, ())) or "none"
        lines.append(textwrap.fill(words, 100, initial_indent=f"  {key:<12} ", subsequent_indent=" " * 15))
    return "\n".join(lines)
