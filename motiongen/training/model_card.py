"""Model cards: the README of saved weights, with front matter (licence, data, tags) for the Hugging Face Hub."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from torch import nn

from motiongen.version import __version__

Task = Literal["words", "music", "policy", "tokenizer", "evaluator"]
"""Task of a model: the kind of a head, or of a part of the training."""
TAGS: dict[str, tuple[str, ...]] = {
    "words": ("text-to-motion", "motion-generation", "character-animation"),
    "music": ("music-to-dance", "motion-generation", "character-animation"),
    "policy": ("robotics", "imitation-learning"),
    "tokenizer": ("motion-tokenizer", "vector-quantization"),
    "evaluator": ("motion-retrieval",),
}
"""Task -> tags of the Hub."""
PIPELINE_TAGS = {"policy": "robotics"}
"""Task -> pipeline tag, where the Hub has one."""
LICENCES = {
    "Apache-2.0": "apache-2.0",
    "CC BY 4.0": "cc-by-4.0",
    "CC BY-NC 4.0": "cc-by-nc-4.0",
    "CC BY-SA 3.0": "cc-by-sa-3.0",
    "CC0": "cc0-1.0",
    "CC0-1.0": "cc0-1.0",
    "MIT": "mit",
}
"""Licence as terms begin with it -> its identifier on the Hub."""
PACKAGE = Path(__file__).resolve().parents[1]


def model_card(
    title: str, facts: Mapping[str, Any], model: nn.Module, metrics: Mapping[str, float], task: Task
) -> str:
    """Return a model card in Markdown, with front matter.

    Args:
        title: heading.
        facts: name -> value, or a list that is shown as bullets. `data` and `licence` go into the front matter too.
        model: for its number of parameters.
        metrics: held-out metrics by name.
        task: of the model, for its tags.
    """
    parameters = sum(parameter.numel() for parameter in model.parameters())
    lines = [f"# {title}", "", f"- parameters: {parameters:,}"]
    for key, value in facts.items():
        if isinstance(value, list | tuple):
            lines += [f"- {key}:", *(f"  - {item}" for item in value)]
        else:
            lines.append(f"- {key}: {value}")
    lines += [f"- command: `{command()}`", f"- revision: {revision()}"]
    if metrics:
        lines += ["", "| held-out metric | value |", "| --- | --- |"]
        lines += [f"| {key} | {value:.4g} |" for key, value in metrics.items()]
    return with_front_matter("\n".join(lines) + "\n", task)


def with_front_matter(card: str, task: Task, licence: str = "") -> str:
    """Return a card with front matter made from its lines `- licence:` and `- data:`; old front matter is replaced.

    Args:
        card: Markdown.
        task: of the model, for its tags.
        licence: terms of the weights, if the card has no such line.
    """
    from huggingface_hub import ModelCardData

    body = re.sub(r"\A---\n.*?\n---\n+", "", card, flags=re.DOTALL)
    data = re.findall(r"^  - (.*)", _line(body, r"data:\n((?:  - .*\n)*)"), flags=re.MULTILINE)
    of_data = _line(body, r"licence of the data: (.*)\n")
    if not data and (source := _line(body, r"data: (.*)\n")):
        data = [f"{source}; {of_data}" if of_data else source]
    terms = _line(body, r"licence: (.*)\n") or licence or of_data or ("those of the data" if data else "")
    front = ModelCardData(
        **_licence(terms),
        library_name="motiongen",
        pipeline_tag=PIPELINE_TAGS.get(task),
        tags=["motiongen", *TAGS[task]],
        training_data=data or None,
    )
    return f"---\n{front.to_yaml()}\n---\n\n{body}"


def licence_id(terms: str) -> str | None:
    """Return the Hub's identifier of the licence that terms begin with, or None for other terms."""
    return LICENCES.get(re.split(r"[,;:(]", terms, maxsplit=1)[0].strip())


def command() -> str:
    """Return the command line of this process, with absolute paths shortened to their last component."""
    program, *words = sys.argv
    name = Path(program).name
    shown = ["motiongen" if name == "__main__.py" else name]  # for `python -m motiongen`
    return shlex.join(shown + [Path(word).name if Path(word).is_absolute() else word for word in words])


def revision() -> str:
    """Return the git revision of motiongen's checkout, or the version of the package if it does not run from one.

    An installation inside another project's repository is no checkout of motiongen.
    """
    return _git_revision() if _is_checkout() else f"motiongen {__version__}"


def _is_checkout() -> bool:
    """Whether the folder above the package is the top of a git repository, and motiongen's own source."""
    project = PACKAGE.parent / "pyproject.toml"
    if not (PACKAGE.parent / ".git").exists() or not project.is_file():
        return False
    try:
        return bool(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["name"] == "motiongen")
    except (tomllib.TOMLDecodeError, KeyError, TypeError):
        return False


def _git_revision() -> str:
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=PACKAGE, capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):  # no git, or a repository of another user's
        return f"motiongen {__version__}"
    return found.stdout.strip()


def _line(body: str, pattern: str) -> str:
    """Return the first match of a pattern's group in the bullet lines of a card, or ""."""
    found = re.search(rf"^- {pattern}", body, flags=re.MULTILINE)
    return found[1] if found else ""


def _licence(terms: str) -> dict[str, Any]:
    """Return the keys of the front matter for terms; none when nothing is known of them."""
    if not terms:
        return {}
    known = licence_id(terms)
    return {"license": known} if known else {"license": "other", "license_name": terms}
