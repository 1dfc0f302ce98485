"""The commands of streamed characters: one checked dataclass a verb, and the answer to each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from motiongen.conditions.prompt import normalise_prompt

MAX_SECONDS = 600.0
"""Seconds ahead that a command may name."""


class VerbError(ValueError):
    """A command that is refused, or that failed.

    Attributes:
        code: "bad_value", "unknown_verb", "not_now", "busy", "full", "closed" or "internal".
    """

    def __init__(self, code: str, message: str) -> None:
        """Make an error.

        Args:
            code: the reason, for programs.
            message: the reason, for people.
        """
        super().__init__(message)
        self.code = code


def internal_error(cause: Exception) -> VerbError:
    """Return the error that a command fails with because of a bug.

    Args:
        cause: the exception; clients do not see its text.
    """
    error = VerbError("internal", "the command failed; this is a bug of the server, see its log")
    error.__cause__ = cause
    return error


@dataclass(frozen=True)
class Answer:
    """The answer to a command.

    Attributes:
        number: number of the command; the frames that obey it carry it.
        seq: number of the first frame that obeys.
        note: a sentence for people; empty where there is nothing to say.
    """

    number: int
    seq: int
    note: str = ""


@dataclass(frozen=True)
class Prompt:
    """Start a prompt now, or later.

    Attributes:
        text: one sentence.
        at: seconds from now.
    """

    text: str
    at: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", _prompt_text(self.text))
        object.__setattr__(self, "at", _number("at", self.at, 0.0, MAX_SECONDS))


@dataclass(frozen=True)
class Then:
    """Queue a prompt: it starts when the current motion has ended.

    Attributes:
        text: one sentence.
    """

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", _prompt_text(self.text))


@dataclass(frozen=True)
class Hold:
    """Stop, and stand idle."""


@dataclass(frozen=True)
class Loop:
    """Repeat the best cycle of the motion since the last prompt."""


@dataclass(frozen=True)
class Finish:
    """End the current motion soon.

    Attributes:
        seconds: time to its end.
    """

    seconds: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", _number("seconds", self.seconds, 0.0, MAX_SECONDS))


@dataclass(frozen=True)
class Pose:
    """Jump to a pose, and continue from there.

    Attributes:
        rotations: (22, 4) local rotations of SMPL-22, xyzw; the rest pose when left out.
        root: (3,) metres; on the floor at the origin when left out.
    """

    rotations: np.ndarray | None = None
    root: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.rotations is not None:
            rotations = _array("rotations", self.rotations, (22, 4))
            lengths = np.linalg.norm(rotations, axis=-1, keepdims=True)
            if np.abs(lengths - 1).max() > 0.05:
                raise VerbError("bad_value", "rotations: expected unit quaternions xyzw; normalise them")
            object.__setattr__(self, "rotations", rotations / lengths)
        if self.root is not None:
            root = _array("root", self.root, (3,))
            if np.abs(root).max() > 1e5:
                raise VerbError("bad_value", "root: expected metres within 100 km of the origin")
            object.__setattr__(self, "root", root)


@dataclass(frozen=True)
class Turn:
    """Turn while moving.

    Attributes:
        angle: radians, to the left where positive.
    """

    angle: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "angle", _number("angle", self.angle, -4 * math.pi, 4 * math.pi))


@dataclass(frozen=True)
class Goto:
    """Walk to a point of the floor.

    Attributes:
        x: metres along the world's +X.
        z: metres along the world's +Z.
    """

    x: float
    z: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", _number("x", self.x, -1e4, 1e4))
        object.__setattr__(self, "z", _number("z", self.z, -1e4, 1e4))


@dataclass(frozen=True)
class Seed:
    """Sample with another seed from here on.

    Attributes:
        seed: 0 to 2**53 - 1.
    """

    seed: int

    def __post_init__(self) -> None:
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or not 0 <= self.seed < 2**53:
            raise VerbError("bad_value", f"seed: expected a whole number 0..2**53 - 1, got {self.seed!r}")


@dataclass(frozen=True)
class Strength:
    """Set the guidance scale, which the wire calls strength.

    Attributes:
        scale: how strictly the words or the music are followed, 1 to 10.
    """

    scale: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", _number("scale", self.scale, 1.0, 10.0))


@dataclass(frozen=True)
class Style:
    """Choose the style of the dance.

    Attributes:
        name: one of the model's styles; any when None.
    """

    name: str | None = None

    def __post_init__(self) -> None:
        if self.name is not None and (not isinstance(self.name, str) or len(self.name) > 60):
            shown = self.name[:40] if isinstance(self.name, str) else type(self.name).__name__
            raise VerbError("bad_value", f"name: expected a style, or none for any, got {shown!r}")


@dataclass(frozen=True)
class Music:
    """Begin a piece of music: its sound follows, the first sample is number 0.

    Attributes:
        live: whether the sound comes as it is played.
    """

    live: bool = False

    def __post_init__(self) -> None:
        _check_bool("live", self.live)


@dataclass(frozen=True)
class MusicEnd:
    """End the piece of music: no more sound follows.

    Attributes:
        now: whether sound that came and is not danced yet is left out.
    """

    now: bool = False

    def __post_init__(self) -> None:
        _check_bool("now", self.now)


Verb = Prompt | Then | Hold | Loop | Finish | Pose | Turn | Goto | Seed | Strength | Style | Music | MusicEnd

VERBS: dict[str, type[Verb]] = {
    "prompt": Prompt,
    "then": Then,
    "hold": Hold,
    "loop": Loop,
    "finish": Finish,
    "pose": Pose,
    "turn": Turn,
    "goto": Goto,
    "seed": Seed,
    "strength": Strength,
}
"""Verbs of a character that obeys sentences, by name."""
DANCE_VERBS: dict[str, type[Verb]] = {
    "music": Music,
    "music_end": MusicEnd,
    "style": Style,
    "seed": Seed,
    "strength": Strength,
}
"""Verbs of a character that dances, by name."""


def parse(name: str, arguments: Mapping[str, Any], verbs: Mapping[str, type[Verb]] = VERBS) -> Verb:
    """Return a checked verb.

    Args:
        name: name of the verb.
        arguments: its arguments, by name.
        verbs: verbs to choose from, by name.

    Raises:
        VerbError: the name is unknown, or an argument is missing, unknown or invalid.
    """
    if name not in verbs:
        raise VerbError("unknown_verb", f"verb: expected one of {', '.join(verbs)}, got {name!r}")
    kind = verbs[name]
    known = [field.name for field in fields(kind)]
    unknown = [key for key in arguments if key not in known]
    if unknown:
        takes = ", ".join(known) or "no argument"
        raise VerbError("bad_value", f"{name}: expected {takes}, got {unknown[0]!r}; leave it out")
    try:
        return kind(**arguments)
    except TypeError:  # a required argument is missing
        raise VerbError(
            "bad_value", f"{name}: expected {', '.join(known)}, got {', '.join(arguments) or 'none'}"
        ) from None


def _prompt_text(text: object) -> str:
    if not isinstance(text, str):
        raise VerbError("bad_value", f"text: expected a sentence, got {type(text).__name__}")
    try:
        return normalise_prompt(text)
    except ValueError as error:
        raise VerbError("bad_value", str(error)) from None


def _number(name: str, value: object, low: float, high: float) -> float:
    is_number = isinstance(value, int | float | np.floating | np.integer) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:  # type: ignore[operator]
        is_endless = (
            isinstance(value, int) and abs(value) > 2**63
        )  # Python does not write out thousands of digits
        shown = "another" if is_endless else f"{value!r:.40}"
        raise VerbError("bad_value", f"{name}: expected a number {low:g}..{high:g}, got {shown}")
    return float(value)  # type: ignore[arg-type]


def _check_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise VerbError("bad_value", f"{name}: expected true or false, got {value!r:.40}")


def _array(name: str, value: Sequence[float] | np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    try:
        array = np.asarray(value)
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
            array = array.astype(np.float32) if array.dtype.kind in "iuf" else np.empty(0, np.float32)
    except (TypeError, ValueError, OverflowError):  # ragged, or a whole number beyond any float
        array = np.empty(0, dtype=np.float32)
    if array.shape != shape or not np.isfinite(array).all():
        size = " x ".join(str(n) for n in shape)
        raise VerbError("bad_value", f"{name}: expected {size} finite numbers; send them as an array")
    return array
