"""Model cards: the README of saved weights with data, licence, metrics and the command that trained them."""

import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn


def model_card(title: str, facts: Mapping[str, Any], model: nn.Module, metrics: Mapping[str, float]) -> str:
    """Return a model card in Markdown.

    Args:
        title: heading.
        facts: name -> value, or a list that is shown as bullets, such as data and licence.
        model: for its number of parameters.
        metrics: held-out metrics by name.
    """
    parameters = sum(parameter.numel() for parameter in model.parameters())
    lines = [f"# {title}", "", f"- parameters: {parameters:,}"]
    for key, value in facts.items():
        if isinstance(value, list | tuple):
            lines += [f"- {key}:", *(f"  - {item}" for item in value)]
        else:
            lines.append(f"- {key}: {value}")
    lines += [f"- command: `{command()}`", f"- revision: {git_revision()}"]
    if metrics:
        lines += ["", "| held-out metric | value |", "| --- | --- |"]
        lines += [f"| {key} | {value:.4g} |" for key, value in metrics.items()]
    return "\n".join(lines) + "\n"


def command() -> str:
    """Return the command line of this process, with absolute paths shortened to their last component."""
    program, *words = sys.argv
    name = Path(program).name
    shown = ["motiongen" if name == "__main__.py" else name]  # for `python -m motiongen`
    return shlex.join(shown + [Path(word).name if Path(word).is_absolute() else word for word in words])


def git_revision() -> str:
    """Return the git revision of the checkout that contains this package, or "unknown"."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()
