"""Shared by the commands: parsing into a config, and checks of paths and numbers before any model is loaded."""

import contextlib
import inspect
import io
import logging
import math
import os
import re
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import tyro

from motiongen.cli import UsageError, choices
from motiongen.cli.progress import bar
from motiongen.devices import Device as Device

if TYPE_CHECKING:
    from motiongen.constraints import Constraint
    from motiongen.constraints.outcome import Outcome
    from motiongen.motion import Motion
    from motiongen.music.audio import Audio
    from motiongen.render.caption import Captions
    from motiongen.retargeting import Character

log = logging.getLogger(__name__)

ConfigT = TypeVar("ConfigT")
_TITLES = ("Value error", "Missing argument", "Required options", "Unrecognized options", "Parsing error")
"""What tyro writes into the frames of its messages."""

Outputs = Annotated[tyro.conf.UseAppendAction[tuple[Path, ...]], tyro.conf.arg(aliases=["-o"], metavar="OUT")]
"""Files to write: ``-o a.mp4 -o b.bvh``."""

Body = Annotated[
    Path | None, tyro.conf.arg(metavar="MODEL", help_behavior_hint="(default: the shipped body)")
]
"""Body model to render."""

Weights = Annotated[str, choices.weights()]
"""A shipped weight set by name, or a folder."""

Memory = Annotated[
    str | None,
    tyro.conf.arg(
        metavar="MEMORY|0",
        help="Clips that the model reads beside a prompt: a folder that motiongen remember wrote, or 0 for none.",
        help_behavior_hint="(default: that of the weights)",
    ),
]

Constraints = Annotated[
    Path | None,
    tyro.conf.arg(
        metavar="SHOT.json",
        help="Paths, waypoints, poses, hands, looks and obstacles to meet, as docs/constraints.md describes them.",
        help_behavior_hint="(optional)",
    ),
]

Size = Annotated[
    tuple[int, int] | None,
    tyro.conf.arg(metavar="W H", help_behavior_hint="(default: by the kind of picture)"),
]
"""Width and height of a picture or video, pixels."""


def by_model(metavar: str) -> Any:
    """Return the tyro argument of an option whose default is that of the model."""
    return tyro.conf.arg(metavar=metavar, help_behavior_hint="(default: the model's own)")


def parse(config: type[ConfigT], argv: Sequence[str], verb: str) -> ConfigT:
    """Read the command line into a config dataclass.

    Args:
        config: A frozen dataclass; each field is an option.
        argv: The words after the verb.
        verb: For the usage line, e.g. ``"generate"`` or ``"train tokenizer"``.

    Returns:
        The filled config.

    Raises:
        UsageError: An option is unknown, missing, malformed, or one of a list that is given in two parts.
    """
    _check_lists(config, argv)
    if "--output=" in argv or any(pair in (("-o", ""), ("--output", "")) for pair in pairwise(argv)):
        raise UsageError("output: expected a name, got an empty one; is a variable of the shell empty?")
    config = choices.with_choices(config)
    messages = io.StringIO()
    try:
        with contextlib.redirect_stderr(messages):
            return tyro.cli(
                config,
                args=argv,
                prog=f"motiongen {verb}",
                description=_with_formats(inspect.getdoc(config) or ""),
                config=(tyro.conf.OmitArgPrefixes,),
            )
    except SystemExit as stop:
        if stop.code != 2:
            raise
    raise UsageError(f"{_plain(_flatten(messages.getvalue()), argv)}; see motiongen {verb} --help")


def _plain(message: str, argv: Sequence[str]) -> str:
    """Return tyro's message as one of ours: without its title, and where it lists its attempts, what was expected."""
    message = re.sub(rf"^(?:{'|'.join(_TITLES)})\s+(?=\S)", "", message)
    if number := re.search(r"Error parsing (--\S+): .*(to float|int\(\) with base 10): ('.*?')", message):
        kind = "a number" if number[2] == "to float" else "a whole number"
        return f"{number[1].lstrip('-')}: expected {kind}, got {number[3]}"
    if other := re.match(
        r"Error parsing (--\S+): no type matching (.*?) could be instantiated from (\[.*?\])", message
    ):
        kinds = other[2].removeprefix("{None}|").strip("{}")
        return f"{other[1].lstrip('-')}: expected {kinds}, got {other[3]}"
    if message.startswith(("Missing value", "Unrecognized options")):
        files = [word for word in argv if word.startswith("-") and Path(word).exists()]
        message += f"; write ./{files[0]} for a file of that name" if files else ""
    message = re.sub(r"^Missing from motiongen [^:]*: ", "missing: ", message)
    return re.sub(r"^Error parsing \w+: ", "", message)


def _with_formats(help_text: str) -> str:
    """Return a help text in which {inputs}, {outputs}, {pictures} and {written} stand for lists of formats."""
    if "{" not in help_text:
        return help_text
    from motiongen.io import FORMATS, FormatSpec
    from motiongen.render import PICTURES, PictureSpec

    lists: dict[str, list[FormatSpec | PictureSpec]] = {
        "{inputs}": [spec for spec in FORMATS.values() if spec.read],
        "{outputs}": [*PICTURES.values(), *(spec for spec in FORMATS.values() if spec.write)],
        "{pictures}": list(PICTURES.values()),
    }
    help_text = help_text.replace("{written}", " ".join(known_formats()))
    for mark, specs in lists.items():
        words = (f"{' '.join(spec.extensions)} ({spec.summary})" for spec in specs)
        help_text = help_text.replace(mark, ", ".join(words))
    return help_text


def _check_lists(config: type[Any], argv: Sequence[str]) -> None:
    """Raise UsageError for a list's option that is there twice: the parser would keep the last part alone."""
    for name, hint in get_type_hints(config, include_extras=True).items():
        kind, *marks = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        option = f"--{name.replace('_', '-')}"
        is_list = get_origin(kind) is tuple and get_args(kind)[-1:] == (...,)
        if is_list and tyro.conf.UseAppendAction not in marks and argv.count(option) > 1:
            raise UsageError(f"{name}: expected {option} once, got it twice; give all in one: {option} A B")


def _flatten(box: str) -> str:
    """Return tyro's boxed error message as one line, without its frame and its pointer to the help."""
    lines = [line.strip(" │|") for line in box.splitlines()]
    lines = [line for line in lines if any(letter.isalnum() for letter in line) and line[0] not in "╭╰+"]
    end = next((i for i, line in enumerate(lines) if line.startswith("For full helptext")), len(lines))
    return " ".join(line for line in lines[:end] if not line.startswith("(default"))


def known_formats() -> tuple[str, ...]:
    """Return the extensions of writable motion formats."""
    from motiongen.io import writable

    return writable()


def known_pictures() -> tuple[str, ...]:
    """Return the extensions of videos and images that can be rendered."""
    from motiongen.render import drawable

    return drawable()


def known_outputs() -> tuple[str, ...]:
    """Return all extensions that can be written, images first."""
    return (*known_pictures(), *known_formats())


def check_outputs(paths: Iterable[Path], extensions: Iterable[str], character: Path | None = None) -> None:
    """Check, before any work, that output files can be written.

    Args:
        paths: Files that the command is asked for.
        extensions: Those that this command can write, with the dot.
        character: File of the user's own character, which must not be written over.

    Raises:
        UsageError: No path, an unknown extension, one that needs an extra, a folder that is missing or not writable,
            or the character's own file.
    """
    paths, extensions = list(paths), tuple(extensions)
    if not paths:
        raise UsageError(f"output: expected -o FILE, got none; known extensions: {' '.join(extensions)}")
    for path in paths:
        if path.suffix.lower() not in extensions:
            raise UsageError(f"output: cannot write {path.name}; known extensions: {' '.join(extensions)}")
        if path.is_dir():
            raise UsageError(f"output: {path} is a folder; give a file name")
        if character is not None and path.exists() and character.exists() and path.samefile(character):
            raise UsageError(f"output: {path} is the character, which would be lost; give another name")
        if path.suffix.lower() in known_formats():
            _check_installed(path)
        check_folder(path.parent)


def _check_installed(path: Path) -> None:
    from motiongen.io import format_of

    try:
        format_of(path).check_writes(path)
    except ImportError as error:
        raise UsageError(f"output: {error}") from None


def check_folder(folder: Path) -> None:
    """Raise UsageError unless the folder exists and can be written to."""
    if not folder.is_dir():
        raise UsageError(f"output: the folder {folder} does not exist; create it first")
    if not os.access(folder, os.W_OK):
        raise UsageError(f"output: the folder {folder} is not writable; choose another")


def check_new_folder(folder: Path) -> None:
    """Raise UsageError unless a folder is writable or can be created."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"output: {folder} is a file; give a folder")
    check_folder(folder if folder.exists() else folder.parent)


def check_inputs(*paths: Path | None) -> None:
    """Raise UsageError unless each given path is an existing file."""
    for path in paths:
        if path is not None and path.is_dir():
            raise UsageError(f"{path}: is a folder; give a file")
        if path is not None and not path.exists():
            raise UsageError(f"{path}: no such file; check the path")


def check_input_folders(*paths: Path | None) -> None:
    """Raise UsageError unless each path that is given is a folder that is there."""
    for path in paths:
        if path is not None and not path.is_dir():
            found = "is a file; give a folder" if path.exists() else "no such folder; check the path"
            raise UsageError(f"{path}: {found}")


def check_size(size: tuple[int, int] | None) -> None:
    """Raise UsageError for an image size (width, height), pixels, that cannot be rendered; None is valid."""
    if size is not None and not all(16 <= side <= 4096 for side in size):
        raise UsageError(f"size: expected 16 to 4096 pixels, got {size[0]} x {size[1]}; try 960 540")


def check_start(seconds: float) -> None:
    """Raise UsageError for a place in music, seconds, that is none."""
    from motiongen.limits import MAX_START

    if not 0 <= seconds <= MAX_START:
        raise UsageError(
            f"from: expected 0 to {MAX_START:g} seconds, got {seconds}; leave it out for the beginning"
        )


def check_steps(steps: int | None) -> None:
    """Raise UsageError for a number of denoising steps that no noise is made for."""
    if steps is not None and not 1 <= steps <= 1000:
        raise UsageError(f"steps: expected 1 to 1000, got {steps}; or leave it to the model")


def check_sampling(seed: int, guidance: float | None, temperature: float | None = None) -> None:
    """Raise UsageError for a seed that is no 64-bit number, or a scale or temperature that no model takes."""
    from motiongen.modules.sampling_config import MAX_GUIDANCE, MAX_TEMPERATURE

    if abs(seed) >= 2**63:
        raise UsageError(f"seed: expected a number of 64 bits, got {seed}; 0 is as good")
    if guidance is not None and not 0 <= guidance <= MAX_GUIDANCE:
        raise UsageError(f"guidance: expected 0..{MAX_GUIDANCE}, got {guidance}; or leave it to the model")
    if temperature is not None and not 0 <= temperature <= MAX_TEMPERATURE:
        raise UsageError(f"temperature: expected 0..{MAX_TEMPERATURE}, got {temperature}; 1 is usual")


STANDARD_INPUT = "-"


def read_prompts(prompts: Sequence[str]) -> tuple[str, ...]:
    """Return checked prompts, with the lines of standard input in place of a ``-``.

    Raises:
        UsageError: no prompt, an empty or overlong one, or an output file without ``-o``.
    """
    if prompts.count(STANDARD_INPUT) > 1:
        raise UsageError("prompt: expected - once, for standard input can be read once only")
    found: list[str] = []
    for prompt in prompts:
        found += filter(str.strip, sys.stdin.read().splitlines()) if prompt == STANDARD_INPUT else [prompt]
    if prompts and not found:
        raise UsageError("prompt: expected a sentence a line on standard input, got none")
    check_prompts(found)
    return tuple(found)


def read_lines(path: Path) -> tuple[str, ...]:
    """Return the lines of a text file that are not blank, or of standard input for ``-``, checked as prompts.

    Raises:
        UsageError: no such file, none of text, no line, or one that is no prompt; it names the line.
    """
    from motiongen.conditions.prompt import normalise_prompt

    if str(path) == STANDARD_INPUT:
        text = sys.stdin.read()
    else:
        check_inputs(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise UsageError(f"{path}: expected text in UTF-8, a sentence a line, got other bytes") from None
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                normalise_prompt(line)
            except ValueError as error:
                raise UsageError(f"{path}, line {number}: {error}") from None
            found.append(line.strip())
    if not found:
        raise UsageError(f"{path}: expected a sentence a line, got none; say what happens")
    return tuple(found)


def check_style(style: str | None, weights: str) -> None:
    """Raise UsageError, which lists the names and suggests one, for a dance style that a weight set does not have."""
    if style is None:
        return
    from motiongen import registry
    from motiongen.inference.weight_sets import dance_styles, weights_folder

    try:
        known = dict.fromkeys(dance_styles(weights_folder(weights)))
        if not known:
            raise ValueError(f"style: expected none, got {style!r}; nothing in {weights} dances")
        registry.lookup("style", known, style)
    except ValueError as error:
        raise UsageError(str(error)) from None


def check_prompts(prompts: Sequence[str]) -> None:
    """Raise UsageError for no prompt, an empty or overlong one, or an output file without ``-o``."""
    from motiongen.conditions.prompt import normalise_prompt

    if not prompts:
        raise UsageError('prompt: expected a sentence, got none; say what happens, e.g. "a person waves"')
    for prompt in prompts:
        try:
            normalise_prompt(prompt)
        except ValueError as error:
            raise UsageError(str(error)) from error
        if " " not in prompt and Path(prompt).suffix.lower() in known_outputs():
            raise UsageError(f"prompt: {prompt!r} looks like a file; give each output its own -o")


def parse_span(text: str) -> tuple[float, float]:
    """Return (start, end), seconds, of a span such as ``"1.0:2.5"``; a missing side is 0 or infinity.

    Raises:
        UsageError: Not two numbers around a colon, or the end does not come after the start.
    """
    left, colon, right = text.partition(":")
    try:
        start, end = float(left or 0.0), float(right or math.inf)
    except ValueError:
        colon = ""
    if not colon or math.isnan(start) or math.isnan(end):
        raise UsageError(f"span: expected START:END in seconds such as 1.0:2.5, got {text!r}")
    if start < 0 or end <= start:
        raise UsageError(
            f"span: expected 0 <= START < END, got {text!r}; give seconds from the clip's first frame"
        )
    return start, end


def resolve_device(name: str) -> str:
    """Return "cpu" or "cuda" for a device name; "auto" is CUDA if available.

    Raises:
        UsageError: CUDA is asked for and is not there.
    """
    from motiongen import devices
    from motiongen.lazy import uncollected

    try:
        with uncollected():
            return str(devices.resolve_device(name))  # imports torch
    except ValueError as error:
        raise UsageError(str(error)) from None


def write(
    motion: "Motion",
    path: Path,
    captions: "Captions",
    size: tuple[int, int] | None,
    body: Path | None,
    audio: "Audio | None" = None,
    character: "Character | None" = None,
) -> None:
    """Write a motion to a file: rendered if the extension is that of an image or video, else in a motion format.

    Args:
        motion: the motion.
        path: output file.
        captions: shown in videos and images.
        size: width and height, pixels; None for the default.
        body: SMPL model file; None for the shipped body.
        audio: sound of a video; None for none.
        character: whose skeleton the motion is on; pictures and glTF show it.
    """
    if path.suffix.lower() in known_pictures():
        shown = body if character is None else character.mesh
        with bar(path.name) as progress:
            motion.render(
                path, captions=captions or None, size=size, body=shown, audio=audio, progress=progress
            )
    else:
        save(motion, path, character)


def save(motion: "Motion", path: Path, character: "Character | None") -> None:
    """Write a motion in a motion format, with the looks of a character where there is one and the format keeps them."""
    if character is None:
        motion.save(path)
    else:
        character.save(motion, path)


def numbered(path: Path, index: int, count: int) -> Path:
    """Return the file of a variant: walk.mp4 if there is one variant, else walk-1.mp4, walk-2.mp4, …"""
    return path if count == 1 else path.with_name(f"{path.stem}-{index + 1}{path.suffix}")


def read_constraints(path: Path | None) -> "list[Constraint]":
    """Return the constraints in a file; none where none is given.

    Raises:
        UsageError: the file says something that cannot be.
    """
    if path is None:
        return []
    from motiongen.constraints import read

    try:
        return read(path)
    except ValueError as error:
        raise UsageError(str(error)) from error


def report_outcomes(outcomes: "Iterable[Outcome]", path: Path | None = None) -> None:
    """Print to stderr how well each constraint was met, a line each: off by how much before and after the correction.

    Args:
        outcomes: of one motion.
        path: its file, where there are several motions.
    """
    for outcome in outcomes:
        print(f"{path.name}: {outcome}" if path else outcome, file=sys.stderr)


def report(paths: Iterable[Path], licence: str = "") -> None:
    """Print the written files to stdout, one a line, for scripts; and to stderr what licence the motion has."""
    if licence:
        log.info("licence of the motion: %s", licence)
    for path in paths:
        print(path)
    sys.stdout.flush()
