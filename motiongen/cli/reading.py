"""Options of the commands that read a clip: what is known of its file, in place of a guess."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from motiongen.cli import UsageError, arguments
from motiongen.io.options import ReadOptions


@dataclass(frozen=True, kw_only=True)
class FileOptions(ReadOptions):
    """What is known of the clip's file, in place of a guess; what was guessed is told."""

    fps: Annotated[
        float | None, tyro.conf.arg(metavar="RATE", help_behavior_hint="(default: the file's)")
    ] = None
    """Frames a second of the clip: of a file that states none (AMC, some NPZ) its own, else the clip is resampled."""
    unit: Annotated[
        str | None, tyro.conf.arg(metavar="UNIT", help_behavior_hint="(default: by the body's size)")
    ] = None
    """Length of the file's unit: mm, cm, inch, dm, m, or metres as a number."""
    up: Annotated[
        str | None, tyro.conf.arg(metavar="y|z", help_behavior_hint="(default: as the body stands)")
    ] = None
    """The file's axis that points up."""
    animation: Annotated[
        str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="(default: the only one)")
    ] = None
    """Animation of a file with several."""
    character_index: Annotated[
        int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: the first that moves)")
    ] = None
    """Character of a file with several, from 0."""
    mapping: Annotated[
        Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: by names and tree)")
    ] = None
    """JSON file of the joints that play SMPL's: {"left_hip": "thigh_l", …}; null takes one out."""

    def __post_init__(self) -> None:
        try:
            super().__post_init__()
        except ValueError as error:
            raise UsageError(str(error)) from None
        arguments.check_inputs(self.mapping)

    @property
    def is_given(self) -> bool:
        """Whether anything was said."""
        return self != AS_IT_IS


AS_IT_IS = FileOptions()
"""Nothing said of a file: it is read as it is, and the rest is guessed."""
