"""``motiongen completion bash|zsh|fish``: completion of commands, models and options, read from the help texts."""

import contextlib
import importlib
import io
import os
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from motiongen.cli import COMMANDS, VERBOSITY, arguments

OPTION = re.compile(r"--[a-z][a-z-]*")
VALUES = re.compile(r"(--[a-z][a-z-]*) \{([^}]+)\}$", re.MULTILINE)
"""An option with a closed list of values, in a help text: ``--device {auto,cpu,cuda}``."""
EVERYWHERE = ("--help", *VERBOSITY)
"""Options of all commands."""


@dataclass(frozen=True, kw_only=True)
class CompletionConfig:
    """Print the completion script of a shell: of commands, of models to train, of options and of their values.

    bash and zsh: add `eval "$(motiongen completion bash)"` to ~/.bashrc, or with zsh to ~/.zshrc. fish: motiongen
    completion fish > ~/.config/fish/completions/motiongen.fish. To have it at once in each new shell, keep the script
    in a file and source that.
    """

    shell: Annotated[tyro.conf.Positional[Literal["bash", "zsh", "fish"]], tyro.conf.arg(metavar="SHELL")]
    """bash, zsh or fish."""


@dataclass(frozen=True)
class Page:
    """What can be completed after some words of a command line.

    Attributes:
        words: the words, such as ("train", "bamm").
        options: names of its options.
        values: option -> its values, where they are a closed list.
    """

    words: tuple[str, ...]
    options: tuple[str, ...]
    values: dict[str, tuple[str, ...]]


def main(argv: Sequence[str]) -> None:
    """Print a script."""
    config = arguments.parse(CompletionConfig, argv, "completion")
    print(SCRIPTS[config.shell](list(pages())))


def pages() -> Iterator[Page]:
    """Yield a page for each command, and for each model that can be trained."""
    from motiongen.cli.train import trainings

    for name in COMMANDS:
        models = [(name, model) for model in trainings()] if name == "train" else []
        for words in [(name,), *models]:
            text = _help_text(words)
            options = dict.fromkeys([*OPTION.findall(text), *EVERYWHERE])
            values = {option: tuple(choices.split(",")) for option, choices in VALUES.findall(text)}
            yield Page(words, tuple(options), values)


def _help_text(words: tuple[str, ...]) -> str:
    """Return the options in a command's help, with what stands for their values: a line each, not broken."""
    said, width = io.StringIO(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "1000"
    try:
        with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
            importlib.import_module(f"motiongen.cli.{words[0].replace('-', '_')}").main(
                [*words[1:], "--help"]
            )
    finally:
        if width is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = width
    lines = [line.strip("│ ") for line in said.getvalue().splitlines()]
    return "\n".join(re.split(r"\s{2,}", line)[0] for line in lines if re.match("--?[a-z]", line))


def _posix(found: list[Page]) -> str:
    """Return the body that bash and zsh share: a case for each page, and one for each option with a list."""
    models = [page.words[1] for page in found if len(page.words) == 2]
    cases = [f'    "{" ".join(page.words)}") words="{" ".join(page.options)}" ;;' for page in found]
    values: dict[str, tuple[str, ...]] = {}
    for page in found:
        for option, choices in page.values.items():
            values[option] = tuple(dict.fromkeys((*values.get(option, ()), *choices)))
    lists = [f'    {option}) words="{" ".join(choices)}" ;;' for option, choices in values.items()]
    return "\n".join(
        [
            "_motiongen_words() {  # command, model, word before, number of words so far",
            "  local words=",
            f'  case "$1" in "") words="{" ".join((*COMMANDS, *EVERYWHERE, "--version"))}" ;; esac',
            '  local page="$1"; if [ "$1" = train ]; then page="$1 $2"; fi',
            '  case "$page" in',
            f'    "train ") words="{" ".join((*models, *EVERYWHERE))}" ;;',
            *[case for case in cases if not case.startswith('    "train")')],
            "  esac",
            '  case "$3" in',
            *lists,
            "  esac",
            '  echo "$words"',
            "}",
        ]
    )


def _bash(found: list[Page]) -> str:
    return f"""{_posix(found)}
_motiongen() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" command= model=
  if [ "$COMP_CWORD" -gt 1 ]; then command="${{COMP_WORDS[1]}}"; fi
  if [ "$COMP_CWORD" -gt 2 ]; then model="${{COMP_WORDS[2]}}"; fi
  COMPREPLY=($(compgen -W "$(_motiongen_words "$command" "$model" "$before")" -- "$word"))
}}
complete -o default -F _motiongen motiongen"""


def _zsh(found: list[Page]) -> str:
    return f"""{_posix(found)}
_motiongen() {{
  local command= model=
  if (( CURRENT > 2 )); then command="${{words[2]}}"; fi
  if (( CURRENT > 3 )); then model="${{words[3]}}"; fi
  local -a found=(${{=$(_motiongen_words "$command" "$model" "${{words[CURRENT-1]}}")}})
  compadd -- $found
  _files
}}
compdef _motiongen motiongen"""


def _fish(found: list[Page]) -> str:
    lines = [
        f"complete -c motiongen -n __fish_use_subcommand -f -a {name} -d {shlex.quote(summary)}"
        for name, summary in COMMANDS.items()
    ]
    for page in found:
        seen = " ".join(f"__fish_seen_subcommand_from {word};" for word in page.words)
        when = seen.rstrip(";").replace(";", "; and")
        if len(page.words) == 2:
            lines.append(f"complete -c motiongen -n '__fish_seen_subcommand_from train' -a {page.words[1]}")
        for option in page.options:
            is_long = option.startswith("--")
            name = f"-l {option[2:]}" if is_long else f"-s {option[1:]}"
            choices = page.values.get(option)
            given = f" -x -a '{' '.join(choices)}'" if choices else ""
            lines.append(f"complete -c motiongen -n '{when}' {name}{given}")
    return "\n".join(lines)


SCRIPTS: dict[str, Callable[[list[Page]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
"""Shell -> what makes its script."""
