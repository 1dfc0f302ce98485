"""From a sentence to a plan: what heads do not follow by words alone is read by a small grammar, before they see them.

`plan` is a pure function. A sentence that needs nothing gives one plain part with the sentence as it was.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from motiongen.conditions.plan import clauses, words
from motiongen.conditions.plan.counts import repeats, steps
from motiongen.conditions.plan.part import Part
from motiongen.conditions.plan.tempo import tempo
from motiongen.conditions.plan.turns import turn

__all__ = ["Part", "explain", "plan", "plan_all"]

_NEGATION = re.compile(r"\b(?:not|never|without|no|nor|cannot|neither)\b|n't\b", re.IGNORECASE)


def plan(sentence: str) -> tuple[Part, ...]:
    """Return the acts of a sentence in the order of time, each with what is done to its motion.

    Args:
        sentence: one prompt, such as "a person walks in a circle, then jumps twice".
    """
    found = clauses.split(sentence)
    parts = [part for clause in found for part in _parts(clause)]
    if parts and parts[-1].steps:  # who has taken the last step stands
        subject = clauses.subject_of(found[-1])
        parts.append(_rest(subject, f"{subject} {words.conjugated('stand', subject)}".strip()))
    if not parts or (len(parts) == 1 and parts[0].is_plain):
        return (Part(text=sentence, clause=sentence),)
    return tuple(parts)


def plan_all(sentences: Iterable[str]) -> tuple[Part, ...]:
    """Return the parts of several sentences that follow each other."""
    return tuple(part for sentence in sentences for part in plan(sentence))


def explain(parts: Iterable[Part]) -> str:
    """Return a plan in words, a line for each part."""
    return "\n".join(f"{n}. {part.describe()}" for n, part in enumerate(parts, start=1))


def _parts(clause: str) -> list[Part]:
    """Return the parts of one clause: one, unless acts in it are counted apart."""
    plain = Part(text=clause, clause=clause)
    if _NEGATION.search(clause):
        return [plain]
    if clauses.is_stop(clause):
        return [_rest(clauses.subject_of(clause), clause)]
    act, other = clauses.meanwhile(clause)
    if other and clauses.verb_of(other) in words.LOCOMOTION and clauses.verb_of(act) not in words.LOCOMOTION:
        act, other = other, act
    text, count = repeats(act)
    text, paces = steps(text)
    text, speed = tempo(text)
    turned = turn(text)
    if turned.angle and count:
        turned, count = replace(turned, angle=turned.angle * min(count, 4)), 0
    part = Part(
        text=_tidy(text), clause=clause, repeats=count, steps=paces, tempo=speed, turn=turned.angle,
        travels=turned.travels, sideways=turned.sideways, beside=other,
    )  # fmt: skip
    return [plain if part.is_plain else part]


def _rest(subject: str, clause: str) -> Part:
    text = f"{subject} {words.conjugated('stand', subject)} idle".strip()
    return Part(text=text, clause=clause, rests=True)


def _tidy(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"\s+,", ",", text)).strip(" ,.;!")
