"""``motiongen convert IN OUT``: change the file format of a motion."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from motiongen.cli import UsageError, arguments


@dataclass(frozen=True, kw_only=True)
class ConvertConfig:
    """Change the file format of a clip; the extensions say which.

    Read: {inputs}.

    Written: {written}.
    """

    source: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="IN")]
    """Clip to read."""
    target: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="OUT")]
    """File to write."""
    fps: Annotated[float | None, tyro.conf.arg(metavar="RATE", help_behavior_hint="(default: as read)")] = (
        None
    )
    """Frames a second to resample to."""
    animation: Annotated[
        str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="(default: the only one)")
    ] = None
    """Animation to read of a glTF file that has several."""

    def __post_init__(self) -> None:
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise UsageError(f"fps: expected 0 < fps <= 1000, got {self.fps}; 30 is usual")
        if self.animation is not None and self.source.suffix.lower() not in (".glb", ".gltf"):
            raise UsageError(f"animation: expected none for {self.source.name}; only glTF files have several")


def main(argv: Sequence[str]) -> None:
    """Convert one clip."""
    config = arguments.parse(ConvertConfig, argv, "convert")
    arguments.check_inputs(config.source)
    arguments.check_outputs([config.target], arguments.known_formats())
    from motiongen.motion import Motion

    if config.animation is None:
        motion = Motion.load(config.source)
    else:
        from motiongen.io import gltf

        motion = gltf.read(config.source, animation=config.animation)
    if config.fps is not None:
        motion = motion.resample(config.fps)
    motion.save(config.target)
    arguments.report([config.target])
