"""``motiongen convert IN OUT``: change the file format of a motion, or who moves."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro

from motiongen.cli import arguments
from motiongen.cli.figure import NOBODY, CharacterOptions
from motiongen.cli.reading import AS_IT_IS, FileOptions


@dataclass(frozen=True, kw_only=True)
class ConvertConfig:
    """Change the file format of a clip; the extensions say which.

    Read: {inputs}.

    Written: {written}. With --animation all, each animation of a file goes into one of its own, OUT-NAME.
    """

    source: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="IN")]
    """Clip to read."""
    target: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="OUT")]
    """File to write."""
    figure: CharacterOptions = NOBODY
    reading: FileOptions = AS_IT_IS


def main(argv: Sequence[str]) -> None:
    """Convert one clip, or with --animation all each animation of a file."""
    config = arguments.parse(ConvertConfig, argv, "convert")
    arguments.check_inputs(config.source)
    arguments.check_outputs([config.target], arguments.known_formats(), config.figure.character)
    character = config.figure.load()
    from motiongen.motion import Motion

    targets = _targets(config)
    for target, options in targets.items():
        motion = config.figure.moved(Motion.load(config.source, options), character)
        arguments.save(motion, target, character)
    arguments.report(targets)


def _targets(config: ConvertConfig) -> dict[Path, FileOptions]:
    """Return the files to write, and how each is read: of several animations OUT-NAME, of one OUT."""
    if config.reading.animation != "all":
        return {config.target: config.reading}
    from motiongen.io import animations

    names = animations(config.source)
    if "all" in names or not names:
        return {config.target: config.reading}
    found: dict[Path, FileOptions] = {}
    for number, name in enumerate(names):
        plain = re.sub(r"[^\w.-]+", "_", name).strip("._") or str(number)
        target = config.target.with_name(f"{config.target.stem}-{plain}{config.target.suffix}")
        target = target if target not in found else target.with_stem(f"{target.stem}-{number}")
        found[target] = replace(config.reading, animation=name)
    return found
