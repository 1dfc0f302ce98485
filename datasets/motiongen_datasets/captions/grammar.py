"""Caption grammar: sentences from the phrases of an action, a side and a style, in an order that is always the same.

A held-out sentence has a sentence frame, a verb phrase or a style phrase that no training sentence has, so the two
sets share no sentence over the whole corpus. Most training sentences are short and plain, as users write them.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import cycle, islice, zip_longest

from motiongen_datasets.captions.inflect import base_form, ing_form, third_person
from motiongen_datasets.captions.styles import Manner
from motiongen_datasets.captions.vocabulary.action import Action

# Sentence frames: a subject and a form of the verb phrase, which is third person as "{verb}", -ing form as "{ing}" and
# imperative as "{base}".
TRAIN_FRAMES = (
    "a person {verb}",
    "{base}",
    "someone {verb}",
    "a person is {ing}",
    "a man {verb}",
    "someone is {ing}",
    "{ing}",
    "the person {verb}",
    "a human {verb}",
    "a character {verb}",
    "a woman {verb}",
    "a man is {ing}",
    "he {verb}",
    "the character is {ing}",
)
HELD_OUT_FRAMES = (
    "somebody {verb}",
    "a figure is {ing}",
    "an individual {verb}",
    "make the character {base}",
    "the human is {ing}",
    "somebody is {ing}",
    "we see a person {ing}",
)
SUBJECT_FORMS = ("{verb}", "is {ing}")  # after a subject that has the style: "an angry person"
ADVERB_FIRST_FRAMES = ("a person {adverb} {verb}", "someone {adverb} {verb}", "{adverb} {base}")

MAX_TRAIN, MAX_LOOSE, MAX_HELD_OUT = 28, 4, 8


@dataclass(frozen=True)
class Wordings:
    """Sentences of one label: for training, and held out."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]


@cache
def wordings_for(action: Action, side: str | None, manner: Manner | None) -> Wordings:
    """Return the sentences of an action, with a side and a style.

    Args:
        action: phrases of the content.
        side: "left" or "right" if one hand or leg acts; phrases that name a side are used only then.
        manner: phrases of the style; None for sentences without a style.
    """
    known, new, loose = _phrases(action, side)
    frames = tuple(f for f in TRAIN_FRAMES if manner is None or not f.startswith(manner.no_subjects))
    vague = _take((_row(p, i, manner, frames, held=False) for i, p in enumerate(loose)), MAX_LOOSE)
    plain = _take(
        (_row(p, i, manner, frames, held=False) for i, p in enumerate(known)), MAX_TRAIN - len(vague)
    )

    # Half of the held-out sentences have known phrases in new frames, half have new phrases.
    reframed = _take((_reframed(p, i, manner) for i, p in enumerate(known)), MAX_HELD_OUT // 2)
    reworded = _take(
        (_row(p, i, manner, frames, held=True) for i, p in enumerate(new)), MAX_HELD_OUT - len(reframed)
    )
    return Wordings(
        train=tuple(dict.fromkeys(plain + vague)), held_out=tuple(dict.fromkeys(reframed + reworded))
    )


def _phrases(action: Action, side: str | None) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the phrases for training, the held-out ones and the vague ones."""
    if side in ("left", "right") and action.sided:
        known, new = action.sided, action.held_sided
        loose = action.loose or action.phrases[:2]
    else:
        known, new, loose = action.phrases or action.loose, action.held_out, action.loose
    return tuple(p.format(side=side) for p in known), tuple(p.format(side=side) for p in new), loose


def _row(phrase: str, index: int, manner: Manner | None, frames: tuple[str, ...], held: bool) -> list[str]:
    """Return the sentences of a phrase in the order in which they are taken."""
    plain = [_fill(frame, phrase) for frame in frames]
    # The plainest sentence comes first, then, for the content's first phrases, an imperative and "someone ...".
    leaders = plain[: max(1, 3 - index)]
    if manner is None or manner.label == "normally":  # a normal style is mostly not mentioned
        said = () if manner is None else manner.adverbs[index % len(manner.adverbs) :][:1]
        return (
            leaders + [f"{plain[index % 3]} {adverb}" for adverb in said] + _shuffled(plain[len(leaders) :])
        )
    new = held and bool(manner.held_adverbs)
    adverbs = manner.held_adverbs if new else manner.adverbs
    feelings = manner.held_feelings if new else manner.feelings
    people = manner.held_people if new else manner.people
    single = [a for a in adverbs if a.endswith("ly") and " " not in a]
    kinds = [
        _shuffled(f"{sentence} {adverb}" for sentence in plain for adverb in adverbs),
        _shuffled(_fill(f"{person} {form}", phrase) for person in people for form in SUBJECT_FORMS),
        _shuffled(f"{sentence}, {feeling}" for sentence in plain for feeling in feelings),
        _shuffled(_fill(f.replace("{adverb}", a), phrase) for a in single for f in ADVERB_FIRST_FRAMES),
    ]
    leaders = [f"{sentence} {adverbs[0]}" for sentence in leaders] if index < (1 if held else 2) else []
    turned = kinds[index % 4 :] + kinds[: index % 4]  # each phrase starts with another kind of style phrase
    return list(dict.fromkeys(leaders + _interleave(turned)))


def _reframed(phrase: str, index: int, manner: Manner | None) -> list[str]:
    """Return the sentences of a phrase in the held-out frames, with known style phrases."""
    plain = _shuffled(_fill(frame, phrase) for frame in HELD_OUT_FRAMES)
    if manner is None or manner.label == "normally":
        return plain
    adverbs = islice(cycle(manner.adverbs), index, None)
    return [f"{sentence} {adverb}" for sentence, adverb in zip(plain, adverbs, strict=False)]


def _fill(frame: str, phrase: str) -> str:
    """Return a sentence frame with the forms of a verb phrase filled in."""
    return frame.format(verb=third_person(phrase), ing=ing_form(phrase), base=base_form(phrase))


def _take(rows: Iterable[list[str]], count: int) -> list[str]:
    """Return `count` sentences, taken from the rows in turn."""
    return _interleave(rows)[:count]


def _interleave(rows: Iterable[list[str]]) -> list[str]:
    """Return the sentences of the rows in turn: first the first of each, then the second; each sentence once."""
    return list(dict.fromkeys(s for turn in zip_longest(*rows) for s in turn if s is not None))


def _shuffled(sentences: Iterable[str] | Iterator[str]) -> list[str]:
    """Return the sentences in a pseudo-random order that is the same on every machine."""
    return sorted(sentences, key=lambda sentence: hashlib.sha1(sentence.encode()).digest())
