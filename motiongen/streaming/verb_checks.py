"""What the verbs of streamed characters check their arguments with, and the error of one that is refused."""

from collections.abc import Sequence

import numpy as np

from motiongen.conditions.prompt import normalise_prompt


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


def prompt_text(text: object) -> str:
    """Return a sentence without spaces at its ends. Raises VerbError where it is none.

    Args:
        text: what was sent.
    """
    if not isinstance(text, str):
        raise VerbError("bad_value", f"text: expected a sentence, got {type(text).__name__}")
    try:
        return normalise_prompt(text)
    except ValueError as error:
        raise VerbError("bad_value", str(error)) from None


def number(name: str, value: object, low: float, high: float) -> float:
    """Return a number of a range. Raises VerbError where it is none.

    Args:
        name: the argument's name, for the message.
        value: what was sent.
        low: the least.
        high: the most.
    """
    is_number = isinstance(value, int | float | np.floating | np.integer) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:  # type: ignore[operator]
        is_endless = (
            isinstance(value, int) and abs(value) > 2**63
        )  # Python does not write out thousands of digits
        shown = "another" if is_endless else f"{value!r:.40}"
        raise VerbError("bad_value", f"{name}: expected a number {low:g}..{high:g}, got {shown}")
    return float(value)  # type: ignore[arg-type]


def check_bool(name: str, value: object) -> None:
    """Raise VerbError where a value is not true or false.

    Args:
        name: the argument's name, for the message.
        value: what was sent.
    """
    if not isinstance(value, bool):
        raise VerbError("bad_value", f"{name}: expected true or false, got {value!r:.40}")


def array(name: str, value: Sequence[float] | np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return finite numbers as float32 of a shape. Raises VerbError where they are none.

    Args:
        name: the argument's name, for the message.
        value: what was sent.
        shape: the shape.
    """
    try:
        found = np.asarray(value)
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
            found = found.astype(np.float32) if found.dtype.kind in "iuf" else np.empty(0, np.float32)
    except (TypeError, ValueError, OverflowError):  # ragged, or a whole number beyond any float
        found = np.empty(0, dtype=np.float32)
    if found.shape != shape or not np.isfinite(found).all():
        size = " x ".join(str(n) for n in shape)
        raise VerbError("bad_value", f"{name}: expected {size} finite numbers; send them as an array")
    return found


def one_of(name: str, value: object, known: Sequence[str]) -> str:
    """Return a word of a few. Raises VerbError where it is another.

    Args:
        name: the argument's name, for the message.
        value: what was sent.
        known: the words.
    """
    if not isinstance(value, str) or value not in known:
        raise VerbError("bad_value", f"{name}: expected one of {', '.join(known)}, got {value!r:.40}")
    return value
