"""``motiongen render CLIP -o OUT``: draw a motion as a video or a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from motiongen.cli import arguments
from motiongen.cli.reading import AS_IT_IS, FileOptions


@dataclass(frozen=True, kw_only=True)
class RenderConfig:
    """Draw a clip. The extension says what: {pictures}."""

    clip: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="CLIP")]
    """Clip to draw."""
    output: arguments.Outputs = ()
    """Picture or video to write; may be given several times."""
    caption: Annotated[str, tyro.conf.arg(metavar="WORDS", help_behavior_hint="(optional)")] = ""
    """Words to show at the bottom."""
    size: arguments.Size = None
    """Width and height in pixels."""
    body: arguments.Body = None
    """SMPL, SMPL-H or SMPL-X model file (needs motiongen[smpl]) instead of the body that is shipped."""
    reading: FileOptions = AS_IT_IS

    def __post_init__(self) -> None:
        arguments.check_size(self.size)


def main(argv: Sequence[str]) -> None:
    """Draw one clip into each output."""
    config = arguments.parse(RenderConfig, argv, "render")
    arguments.check_inputs(config.clip, config.body)
    arguments.check_outputs(config.output, arguments.known_pictures())
    from motiongen.motion import Motion

    motion = Motion.load(config.clip, config.reading)
    for path in config.output:
        arguments.write(motion, path, config.caption, config.size, config.body)
    arguments.report(config.output)
