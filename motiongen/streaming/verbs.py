"""The commands of streamed characters: one checked dataclass a verb, and the answer to each."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from motiongen.streaming.control_verbs import Goto, Look, Obstacles, Path, Reach, Steer
from motiongen.streaming.verb_checks import VerbError as VerbError
from motiongen.streaming.verb_checks import array, check_bool, number, prompt_text

MAX_SECONDS = 600.0
"""Seconds ahead that a command may name."""


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
        object.__setattr__(self, "text", prompt_text(self.text))
        object.__setattr__(self, "at", number("at", self.at, 0.0, MAX_SECONDS))


@dataclass(frozen=True)
class Then:
    """Queue a prompt: it starts when the current motion has ended.

    Attributes:
        text: one sentence.
    """

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", prompt_text(self.text))


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
        object.__setattr__(self, "seconds", number("seconds", self.seconds, 0.0, MAX_SECONDS))


@dataclass(frozen=True)
class Pose:
    """Jump to a pose, and continue from there; or be in a pose at a time ahead.

    Attributes:
        rotations: (22, 4) local rotations of SMPL-22, xyzw; the rest pose when left out.
        root: (3,) metres; on the floor when left out: at the origin, or ahead of time wherever the character then is.
        at: seconds from now; 0 jumps.
    """

    rotations: np.ndarray | None = None
    root: np.ndarray | None = None
    at: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", number("at", self.at, 0.0, MAX_SECONDS))
        if self.rotations is not None:
            rotations = array("rotations", self.rotations, (22, 4))
            lengths = np.linalg.norm(rotations, axis=-1, keepdims=True)
            if np.abs(lengths - 1).max() > 0.05:
                raise VerbError("bad_value", "rotations: expected unit quaternions xyzw; normalise them")
            object.__setattr__(self, "rotations", rotations / lengths)
        if self.root is not None:
            root = array("root", self.root, (3,))
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
        object.__setattr__(self, "angle", number("angle", self.angle, -4 * math.pi, 4 * math.pi))


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
        object.__setattr__(self, "scale", number("scale", self.scale, 1.0, 10.0))


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
        check_bool("live", self.live)


@dataclass(frozen=True)
class MusicEnd:
    """End the piece of music: no more sound follows.

    Attributes:
        now: whether sound that came and is not danced yet is left out.
    """

    now: bool = False

    def __post_init__(self) -> None:
        check_bool("now", self.now)


Verb = (
    Prompt
    | Then
    | Hold
    | Loop
    | Finish
    | Pose
    | Turn
    | Goto
    | Path
    | Obstacles
    | Steer
    | Reach
    | Look
    | Seed
    | Strength
    | Style
    | Music
    | MusicEnd
)

VERBS: dict[str, type[Verb]] = {
    "prompt": Prompt,
    "then": Then,
    "hold": Hold,
    "loop": Loop,
    "finish": Finish,
    "pose": Pose,
    "turn": Turn,
    "goto": Goto,
    "steer": Steer,
    "path": Path,
    "avoid": Obstacles,
    "reach": Reach,
    "look": Look,
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
