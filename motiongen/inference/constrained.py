"""Generation that is held to constraints: as long and as fast as they need, then corrected."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from motiongen.constraints.file import Constraint
from motiongen.constraints.hold import check_times, hold
from motiongen.constraints.route import pace
from motiongen.features import FPS
from motiongen.inference.model import PromptedMotion
from motiongen.motion import Motion
from motiongen.shaping.tempo import at_times

SLOWEST, FASTEST = 0.75, 1.4
"""How much slower or faster a motion is played so that its steps go as far as is asked."""
SHORTEST, LONGEST = 0.6, 1.4
"""How much shorter or longer steps are made without playing the motion slower or faster."""

Write = Callable[[float | None], list[PromptedMotion]]


def constrained(
    write: Write,
    constraints: Sequence[Constraint],
    *,
    prompts: int,
    seconds: float | None,
    start: Motion | None,
) -> list[PromptedMotion]:
    """Return motions held to constraints.

    Where the own length of a motion is too short, or its pace is not that of the places that are asked, it is written
    once more: longer, or over a longer time and played faster.

    Args:
        write: returns motions whose prompts each have so many seconds; None lets the model decide.
        constraints: what to meet; times count from the start of the whole motion.
        prompts: number of prompts.
        seconds: asked for each prompt; None lets the model decide.
        start: what is continued, which stays as it is; None for none.

    Raises:
        ValueError: a constraint in what is continued.
    """
    begun = 0.0 if start is None else start.seconds
    last = max((each.span[1] for each in constraints), default=0.0) + 1 / FPS
    for each in constraints:
        if start is not None and each.kind != "avoid" and each.span[0] < begun:
            raise ValueError(
                f"constraints: expected times after {begun:.2f} s, where the motion that is continued ends, got "
                f"{each.label}; times count from its start"
            )
    if seconds is not None:
        seconds = max(seconds, (last - begun) / prompts)
    written = write(seconds)
    shortest = min(each.motion.seconds for each in written)
    if shortest < last:
        written = write((last - begun) / prompts)
        seconds = (last - begun) / prompts
    if prompts == 1 and start is None:
        written = _paced(write, written, constraints)
    return [_held(each, constraints, round(begun * each.motion.fps)) for each in written]


def _paced(
    write: Write, written: Sequence[PromptedMotion], constraints: Sequence[Constraint]
) -> list[PromptedMotion]:
    """Return motions that were written anew where their steps go much too far or not far enough."""
    paces = [pace(each.motion, constraints) for each in written]
    mean = sum(paces) / len(paces)
    if SHORTEST < mean < LONGEST:
        return list(written)
    tempo = min(max(mean, SLOWEST), FASTEST)
    longest = max(each.motion.seconds for each in written)
    again = [_fitted(new, old) for new, old in zip(write(longest * tempo), written, strict=True)]
    return [
        new if abs(pace(new.motion, constraints) - 1) < abs(was - 1) else old
        for new, old, was in zip(again, written, paces, strict=True)
    ]


def _fitted(new: PromptedMotion, old: PromptedMotion) -> PromptedMotion:
    """Return a motion played in the time of another."""
    frames = torch.linspace(0, new.motion.num_frames - 1, old.motion.num_frames, dtype=torch.float64)
    return replace(old, motion=at_times(new.motion, frames))


def _held(written: PromptedMotion, constraints: Sequence[Constraint], first: int) -> PromptedMotion:
    check_times(constraints, written.motion.seconds, written.motion.fps)
    held = hold(written.motion, constraints, first=first)
    return replace(written, motion=held.motion, outcomes=held.outcomes)
