"""What a reader may be told of a file, in place of a guess, and how it says what it guessed.

Formats leave things out: BVH its unit and which axis points up, AMC its rate, an archive of SMPL's poses the same. A
reader guesses, says so in a line of the log that names the option, and takes what the option says.
"""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from motiongen.motion import Motion

log = logging.getLogger("motiongen.io")

UNITS = {"mm": 0.001, "cm": 0.01, "inch": 0.0254, "dm": 0.1, "m": 1.0}
"""Name of a unit -> metres."""


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What is known of a file of motion; what is None is read from the file, or guessed and told.

    Attributes:
        fps: frames a second of the motion: those of a file that states none, else the motion is resampled.
        unit: length of the file's unit: mm, cm, inch, dm, m, or a number of metres.
        up: the axis that points up in the file, "y" or "z".
        animation: name of the animation in a file of several.
        character_index: number of the character in a file of several, from 0.
        mapping: JSON file of the joints that play SMPL's parts, {"left_hip": "thigh_l", …}; null takes one out.
    """

    fps: float | None = None
    unit: str | float | None = None
    up: str | None = None
    animation: str | None = None
    character_index: int | None = None
    mapping: Path | None = None

    def __post_init__(self) -> None:
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise ValueError(f"fps: expected 0 < fps <= 1000, got {self.fps}; 30 is usual")
        if self.up not in (None, "y", "z"):
            raise ValueError(f"up: expected y or z, got {self.up!r}; leave it out for a guess")
        if self.character_index is not None and self.character_index < 0:
            raise ValueError(
                f"character-index: expected 0 or more, got {self.character_index}; 0 is the first"
            )
        _ = self.unit_to_metres  # raises ValueError for an invalid unit

    @property
    def unit_to_metres(self) -> float | None:
        """Length of the file's unit in metres; None for a guess."""
        if self.unit is None or self.unit in UNITS:
            return None if self.unit is None else UNITS[str(self.unit)]
        try:
            metres = float(self.unit)
        except ValueError:
            metres = math.nan
        if not 0 < metres <= 1e6:
            raise ValueError(
                f"unit: expected {', '.join(UNITS)} or metres as a number, got {self.unit!r}; try cm"
            )
        return metres

    def said(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return those of the options of these names that were given, as arguments of a reader."""
        values = {
            "fps": self.fps,
            "unit_to_metres": self.unit_to_metres,
            "up": self.up,
            "animation": self.animation,
            "character_index": self.character_index,
        }
        return {name: values[name] for name in names if values[name] is not None}

    def check(self, names: tuple[str, ...], path: Path, kind: str) -> None:
        """Raise ValueError for a choice of animation or character in a format that holds one of each."""
        for name in ("animation", "character_index"):
            if getattr(self, name) is not None and name not in names:
                option = name.replace("_", "-")
                raise ValueError(f"{path}: expected no {option} for {kind}, which holds one; leave it out")

    def applied(self, motion: "Motion", names: tuple[str, ...], path: Path) -> "Motion":
        """Return what a reader read, with the options that are not its own (`names` are) applied."""
        if self.unit_to_metres is not None and "unit_to_metres" not in names:
            motion = scaled(motion, self.unit_to_metres)
        if self.up == "z" and "up" not in names:
            from motiongen.io.axes import Z_TO_Y

            motion = motion.rotated(Z_TO_Y)
        if self.fps is not None and abs(motion.fps - self.fps) > 1e-6 * self.fps:
            motion = motion.resample(self.fps)
        if self.mapping is not None:
            from motiongen.humanoid import read_roles

            told = dict(motion.skeleton.roles or ()) | dict(read_roles(self.mapping, motion.skeleton))
            roles = tuple(told.items())  # over those of a VRM
            motion = replace(motion, skeleton=replace(motion.skeleton, roles=roles))
        return motion


def scaled(motion: "Motion", scale: float) -> "Motion":
    """Return a motion whose lengths are multiplied."""
    skeleton = motion.skeleton
    ends = tuple((joint, (x * scale, y * scale, z * scale)) for joint, (x, y, z) in skeleton.ends)
    return replace(
        motion,
        skeleton=replace(skeleton, offsets=skeleton.offsets * scale, ends=ends),
        root=motion.root * scale,
        translations=None if motion.translations is None else motion.translations * scale,
    )


@contextmanager
def notes_kept() -> Iterator[list[str]]:
    """Collect what readers say in the block, without the files' names, in place of logging it."""
    kept: list[str] = []
    handler = logging.Handler(logging.INFO)
    handler.emit = lambda record: kept.append(str(record.args[1]))  # type: ignore[method-assign, index]
    level, propagates = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield kept
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagates


def note(path: str | Path, words: str) -> None:
    """Say what was guessed of a file, and which option changes it; the command line shows it."""
    log.info("%s: %s", Path(path).name, words)
