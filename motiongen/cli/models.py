"""``motiongen models``: lists weight sets with size, data, licence, contents and styles."""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Annotated, Any

import tyro

from motiongen.checks import fits
from motiongen.cli import UsageError, arguments
from motiongen.files import read_json, reading
from motiongen.inference.weight_sets import (
    ABOUT,
    CONFIG,
    MEMORY,
    dance_styles,
    shipped_policies,
    shipped_sets,
)

CARD = "README.md"


@dataclass(frozen=True, kw_only=True)
class ModelsConfig:
    """List the weights that ship, sets and policies: parameters, data, licence, contents, styles and tasks."""

    folder: Annotated[
        tyro.conf.Positional[Path | None], tyro.conf.arg(metavar="DIR", help_behavior_hint="(optional)")
    ] = None
    """A weight set or policy, by its folder or the name it ships by; all that ship when left out."""
    json: bool = False
    """Print one JSON object instead of text."""
    memory: Annotated[str | None, tyro.conf.arg(metavar="SENTENCE", help_behavior_hint="(optional)")] = None
    """Show the clips that a memory finds for a sentence, as they are drawn: similarity, fit, source and licence."""


def main(argv: Sequence[str]) -> None:
    """Run ``motiongen models``."""
    config = arguments.parse(ModelsConfig, argv, "models")
    if config.memory is not None:
        arguments.check_prompts([config.memory])
        _show_found(config, config.memory)
        return
    found = {folder.name: describe(folder) for folder in _found(config.folder)}
    if config.json:
        print(json.dumps(found))
        return
    print("\n\n".join(_page(name, facts) for name, facts in found.items()))


def _show_found(config: ModelsConfig, sentence: str) -> None:
    """Print the clips that are nearest to a sentence, in a memory or in those of the weight sets."""
    import torch

    from motiongen.data import memory_files
    from motiongen.inference.load import load_text

    if config.folder is not None and memory_files.is_memory(config.folder):
        memories = {config.folder.name: config.folder}
    else:
        sets = {folder.name: folder / MEMORY for folder in _found(config.folder)}
        memories = {name: folder for name, folder in sets.items() if memory_files.is_memory(folder)}
    if not memories:
        raise ValueError("memory: expected weights with one, got none; make one with motiongen remember")
    shown: dict[str, list[dict[str, Any]]] = {}
    for name, folder in memories.items():
        memory = memory_files.load(folder)
        found = memory.find(load_text(memory.encoder, torch.device("cpu")), [sentence])
        lines: dict[tuple[str, str], dict[str, Any]] = {}  # a clip and its mirror image may be one line
        for clip, index, similarity in zip(
            *(part[0].tolist() for part in (found.clips, found.sentence, found.similarity)), strict=True
        ):
            if clip >= 0:
                facts, words = memory.facts[clip], memory.sentences[index]
                fit = memory.fits[index][list(memory.owners[index]).index(clip)]
                told = facts | {"sentence": words, "similarity": round(similarity, 3), "fit": round(fit, 2)}
                lines.setdefault((facts["id"], words), told)
        shown[name] = list(lines.values())
    if config.json:
        print(json.dumps(shown))
        return
    for name, clips in shown.items():
        print(f"{name}: {len(clips)} clips near {sentence!r}")
        for clip in clips:
            print(
                f"  {clip['similarity']:.2f}, fit {clip['fit']:4.1f}  {clip['id']:<32} {clip['sentence']!r}, "
                f"{clip['licence']}"
            )


def _found(folder: Path | None) -> list[Path]:
    """Return the folder of a weight set or policy, the shipped one of that name, or all shipped ones."""
    sets, policies = shipped_sets(), shipped_policies()
    if folder is None:
        if not sets:
            raise FileNotFoundError("weights: expected sets that ship, got none; reinstall motiongen")
        return [*sets.values(), *policies.values()]
    shipped = {**sets, **policies}.get(str(folder))
    if shipped is not None and not folder.exists():
        return [shipped]
    if not _is_policy(folder) and not (folder / ABOUT).is_file():
        raise UsageError(
            f"{folder}: expected a folder with an {ABOUT}, or one of {', '.join([*sets, *policies])}, got no such "
            "folder; check the path"
        )
    return [folder.resolve()]


def describe(folder: Path) -> dict[str, Any]:
    """Return the facts of a weight set or policy, with the sizes of its models."""
    facts = _policy_facts(folder) if _is_policy(folder) else _set_facts(folder)
    facts["models"] = {
        path.parent.relative_to(folder).as_posix() if path.parent != folder else facts["head"]: {
            "parameters": count_parameters(path),
            "bytes": path.stat().st_size,
        }
        for path in sorted(folder.rglob("model.safetensors"))
    }
    return facts


def _is_policy(folder: Path) -> bool:
    return (folder / CONFIG).is_file() and not (folder / ABOUT).is_file()


def _set_facts(folder: Path) -> dict[str, Any]:
    """Return the contents of about.json, and the dance styles of the set's heads."""
    facts = read_json(folder / ABOUT)
    with reading(folder / ABOUT, "the licence and the contents of a weight set"):
        lists = (facts.get(key, ()) for key in ("data", "contents", "styles"))
        if not fits(facts["licence"], str) or not all(
            fits(found, tuple[str, ...] | dict[str, str]) for found in lists
        ):
            raise ValueError("about: expected text and lists of text, got others; copy it again")
    if styles := dance_styles(folder):
        facts["dances"] = styles
    return facts


def _policy_facts(folder: Path) -> dict[str, Any]:
    """Return head and tasks of a policy's config, licence and data of its model card."""
    config = read_json(folder / CONFIG)
    with reading(folder / CONFIG, "the config of a policy"):
        tasks = config.get("tasks", [])
        if not fits(config["model"], str) or not fits(tasks, tuple[str, ...]):
            raise ValueError("config: expected a model's name and a list of tasks, got others; copy it again")
    facts = {"head": config["model"], "licence": "unknown", "tasks": tasks}
    if (folder / CARD).is_file():
        from huggingface_hub import ModelCard

        card = ModelCard.load(folder / CARD).data.to_dict()
        facts |= {"licence": card.get("license", "unknown"), "data": card.get("training_data", [])}
    return facts


def count_parameters(path: Path) -> int:
    """Return the number of parameters in a safetensors file, read from its header only.

    The header is JSON, preceded by its length in 8 little-endian bytes (safetensors format, 2022).
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        with reading(path, "a whole safetensors file"):
            if size > path.stat().st_size:
                raise ValueError("header: expected less than the file, got more; copy it again")
            header = json.loads(file.read(size))
            return sum(prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")


def _page(name: str, about: dict[str, Any]) -> str:
    lines = [f"{name}: {about['licence']}"]
    lines += [
        f"  {model:<12} {size['parameters'] / 1e6:6.2f} M parameters {size['bytes'] / 1e6:7.2f} MB"
        for model, size in about["models"].items()
    ]
    for key in ("tasks", "data") if "tasks" in about else ("data", "contents", "styles", "dances"):
        words = ("; " if key == "tasks" else ", ").join(about.get(key, ())) or "none"
        lines.append(textwrap.fill(words, 100, initial_indent=f"  {key:<12} ", subsequent_indent=" " * 15))
    return "\n".join(lines)
