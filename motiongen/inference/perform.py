"""Performs a plan: each part is written by the head, and its motion shaped before the next part continues it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from motiongen.conditions.plan import Part, plan
from motiongen.conditions.plan.part import REST_SECONDS
from motiongen.heads.code_config import CodeOptions
from motiongen.inference import splice
from motiongen.inference.humanoid_clip import canonical
from motiongen.inference.model import Model, PromptedMotion
from motiongen.motion import Motion
from motiongen.shaping.beside import with_arms_of
from motiongen.shaping.peaks import clarity, repetitions
from motiongen.shaping.repetition import repeat
from motiongen.shaping.step_turn import step_turn_seconds
from motiongen.shaping.steps import end_after, footfalls
from motiongen.shaping.tempo import TEMPO_RANGE, at_times, with_tempo
from motiongen.shaping.turning import CURVE_RATE, goes_aside, with_turn

CANDIDATES = 8
"""Motions of which one is chosen for a part that is counted."""
STEP_SECONDS = 0.65
"""Time that a step is given."""
MIN_CURVE_SECONDS = 2.5
"""Shortest walk in a curve."""
_DRAWS = 64  # seeds that belong to one variant: of its parts and their candidates


@dataclass(frozen=True)
class _Timed:
    """A part with the length that it is to have, seconds; None where the model decides."""

    part: Part
    seconds: float | None


def perform(
    model: Model,
    prompts: Sequence[str],
    *,
    count: int = 1,
    seconds: float | None = None,
    start_from: Motion | None = None,
    seed: int = 0,
    stride: int = 1,
    best_of: int = 1,
    options: CodeOptions | None = None,
) -> list[PromptedMotion]:
    """Return variants of one continuous motion for sentences, each of which is planned first.

    Where no part's motion is shaped, this is `Model.sequence` with the parts' sentences, bit for bit.

    Args:
        model: writes the parts.
        prompts: sentences, in order.
        count: as in `Model.sequence`.
        seconds: length of each prompt's motion, which its parts share evenly; None lets the model decide.
        start_from: as in `Model.sequence`.
        seed: as in `Model.sequence`.
        stride: as in `Model.sequence`.
        best_of: as in `Model.sequence`; a part that is counted or takes steps has tries of its own.
        options: as in `Model.sequence`.

    Raises:
        ValueError: as in `Model.sequence`.
    """
    acts = [act for prompt in prompts for act in _timed(plan(prompt), seconds)]
    start = None if start_from is None else canonical(start_from)
    if all(act.part.is_plain or act.part.rests for act in acts):
        return _sequence(model, acts, count, start, seed, stride, best_of, options)
    return [_variant(model, acts, start, seed + i * stride, best_of, options) for i in range(count)]


def _timed(parts: Sequence[Part], seconds: float | None) -> list[_Timed]:
    share = None if seconds is None else seconds / len(parts)
    return [_Timed(part, share or (REST_SECONDS if part.rests else None)) for part in parts]


def _sequence(
    model: Model,
    acts: Sequence[_Timed],
    count: int,
    start: Motion | None,
    seed: int,
    stride: int,
    best_of: int,
    options: CodeOptions | None,
) -> list[PromptedMotion]:
    """Return variants of parts whose motion stays as the head writes it."""
    found = model.sequence(
        [act.part.text for act in acts], count=count, seconds=[act.seconds for act in acts], start_from=start,
        seed=seed, stride=stride, best_of=best_of, options=options,
    )  # fmt: skip
    clauses = [act.part.clause for act in acts]
    return [
        PromptedMotion(one.motion, tuple((a, b, c) for (a, b, _), c in zip(one.parts, clauses, strict=True)))
        for one in found
    ]


def _variant(
    model: Model,
    acts: Sequence[_Timed],
    start: Motion | None,
    seed: int,
    best_of: int,
    options: CodeOptions | None,
) -> PromptedMotion:
    """Return one variant: runs of parts that stay as they are, and between them those that are shaped."""
    motion, spans = start, []
    for number, act in enumerate(acts):
        begin = 0.0 if motion is None else motion.seconds
        draw = (seed * _DRAWS + number * CANDIDATES) % 2**62
        if number == 0 and _tries(act.part) == 1:  # slowly, or in a circle: what the same seed does without
            draw = seed
        new = _written(model, act, motion, draw, best_of, options)
        motion = new if motion is None else splice.append(motion, new)
        spans.append((begin, motion.seconds, act.part.clause))
    assert motion is not None
    return PromptedMotion(motion.licensed(model.licence), tuple(spans))


def _tries(part: Part) -> int:
    """Return how many motions of a part are written, of which one is taken."""
    return CANDIDATES if part.repeats or part.steps else 1


def _written(
    model: Model, act: _Timed, start: Motion | None, seed: int, best_of: int, options: CodeOptions | None
) -> Motion:
    """Return the motion of one part, which continues the motion before it."""
    part = act.part
    counts = _tries(part)
    found = model.sequence(
        [part.text],
        count=counts,
        seconds=_asked(act),
        start_from=start,
        seed=seed,
        best_of=1 if counts > 1 else best_of,
        options=options,
    )
    began = 0 if start is None else start.num_frames
    motion = _counted(part, [one.motion[began:] for one in found])
    if part.turn and not (part.sideways and goes_aside(motion, left=part.turn > 0)):
        motion = with_turn(motion, part.turn, is_curve=part.travels)
    if part.beside:
        other = model.sequence([part.beside], seconds=motion.seconds, seed=seed, options=options)[0].motion
        motion = with_arms_of(motion, other)
    motion = with_tempo(motion, part.tempo)
    return motion if act.seconds is None else _fitted(motion, act.seconds)


def _asked(act: _Timed) -> float | None:
    """Return the seconds that the head is asked for, so that there is time for what the part says."""
    part = act.part
    if act.seconds is not None:
        return act.seconds * part.tempo
    if part.steps:
        return STEP_SECONDS * (part.steps + 1)
    if part.turn:
        return (
            max(abs(part.turn) / CURVE_RATE, MIN_CURVE_SECONDS)
            if part.travels
            else step_turn_seconds(part.turn)
        )
    return None


def _counted(part: Part, motions: Sequence[Motion]) -> Motion:
    """Return the motion that shows the act, or takes the steps, as often as the part says, or as nearly as can be."""
    if part.steps:
        longest = max(motions, key=lambda motion: min(len(footfalls(motion)), part.steps))
        return end_after(longest, part.steps)
    if not part.repeats:
        return motions[0]

    def miss(motion: Motion) -> int:
        count = len(repetitions(motion, part.text))
        return abs(count - part.repeats) if count else 1000

    shaped = [repeat(motion, part.text, part.repeats) for motion in motions]
    return min(shaped, key=lambda motion: (miss(motion), -clarity(motion, part.text)))


def _fitted(motion: Motion, seconds: float) -> Motion:
    """Return a motion of so many seconds: played a little slower or faster, and beyond that cut, or held at its end."""
    frames = max(1, round(seconds * motion.fps))
    if frames == motion.num_frames:
        return motion
    ratio = motion.num_frames / frames
    if TEMPO_RANGE[0] <= ratio <= TEMPO_RANGE[1] and motion.num_frames > 1:
        return at_times(motion, torch.linspace(0, motion.num_frames - 1, frames, dtype=torch.float64))
    return motion.at(torch.arange(frames))
