"""Captions of one clip from its labels: for training, held out of training, and both for the mirrored motion."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from motiongen_datasets.captions.contents import (
    ACTIONS,
    FOOT_CONTENTS,
    HAND_CONTENTS,
    MIRRORED_LABELS,
    SIDED_LABELS,
    STANDING_LEG_CONTENTS,
)
from motiongen_datasets.captions.grammar import Wordings, wordings_for
from motiongen_datasets.captions.inflect import third_person
from motiongen_datasets.captions.labels import Labels
from motiongen_datasets.captions.mirror import mirror_caption
from motiongen_datasets.captions.styles import SAME_STYLE, STYLES
from motiongen_datasets.captions.vocabulary.action import Action


@dataclass(frozen=True)
class CaptionSet:
    """Captions of one clip.

    Attributes:
        train: sentences to train on.
        held_out: sentences for tests, which are never used in training, for any clip.
        mirrored_train: sentences to train on for the mirrored motion.
        mirrored_held_out: sentences for tests of the mirrored motion.
        content: content of the grammar, or the dataset's own words; None where unknown. `mirror_caption` gives the
            mirrored clip's.
        style: style of the grammar, or the dataset's own word; None where unknown.
    """

    train: tuple[str, ...]
    held_out: tuple[str, ...]
    mirrored_train: tuple[str, ...]
    mirrored_held_out: tuple[str, ...]
    content: str | None
    style: str | None


def captions_for(labels: Labels, measured: Mapping[str, str] | None = None) -> CaptionSet:
    """Return the captions of a clip.

    Args:
        labels: the dataset's words for it.
        measured: what `describe_motion` read off the motion ("hand", "foot", "turn", "travel"); None for nothing.
    """
    labels = replace(labels, style=SAME_STYLE.get(labels.style or "", labels.style))
    labels = _with_measured_side(labels, measured or {})
    wordings = _wordings(labels)
    written = tuple(s for s in map(clean_sentence, labels.sentences) if s)
    train = tuple(dict.fromkeys((*written, *wordings.train)))
    held_out = tuple(s for s in wordings.held_out if s not in train)
    return CaptionSet(
        train=train,
        held_out=held_out,
        mirrored_train=tuple(map(mirror_caption, train)),
        mirrored_held_out=tuple(map(mirror_caption, held_out)),
        content=labels.content,
        style=labels.style,
    )


def known(contents: Iterable[str], styles: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return {"contents": {label: sentence}, "styles": {label: phrase}} of labels, as JSON keeps it."""
    return {
        "contents": {name: content_sentence(name) for name in sorted(set(contents))},
        "styles": {name: STYLES[name].label if name in STYLES else name for name in sorted(set(styles))},
    }


def content_sentence(content: str) -> str:
    """Return the plainest sentence of a content: "a person walks forward and turns left" for "walk-turn-left"."""
    if content in MIRRORED_LABELS:
        return mirror_caption(content_sentence(MIRRORED_LABELS[content]))
    action, side = SIDED_LABELS.get(content, (content, ""))
    words = ACTIONS.get(action, Action())
    first = (words.sided if side else words.phrases or words.loose) or (content.replace("-", " "),)
    return f"a person {third_person(first[0].format(side=side))}"


def clean_sentence(text: str) -> str:
    """Return a sentence as captions are written: one line, lower-case first letter, no full stop."""
    text = " ".join(text.replace("_", " ").split()).strip(" .;").replace(" trough ", " through ")
    return text[:1].lower() + text[1:]


def _with_measured_side(labels: Labels, measured: Mapping[str, str]) -> Labels:
    """Return the labels with the side and direction that the motion shows; a side in the labels stays."""
    content = labels.content
    if content in SIDED_LABELS:
        return replace(labels, side=SIDED_LABELS[content][1])
    if content == "walk" and not labels.has_directions:
        if measured.get("travel") == "backward":
            return replace(labels, content="walk-back", phrases=())
        if measured.get("turn") in ("left", "right"):
            return replace(labels, content=f"walk-turn-{measured['turn']}", phrases=())
    side = labels.side
    if content in HAND_CONTENTS:
        side = side or measured.get("hand")
    elif content in FOOT_CONTENTS:
        side = side or measured.get("foot")
    elif content in STANDING_LEG_CONTENTS:
        side = mirror_caption(measured.get("foot", "")) or None
    if content in ("wave", "raise-up") and side is not None:
        content = f"{content}-both-hands" if side == "both" else f"{content}-{side}-hand"
    return replace(labels, content=content, side=side)


def _wordings(labels: Labels) -> Wordings:
    content = labels.content
    if content is None:
        return Wordings((), ())
    if content in MIRRORED_LABELS:
        phrases = tuple(map(mirror_caption, labels.phrases))
        words = _wordings(replace(labels, content=MIRRORED_LABELS[content], phrases=phrases))
        return Wordings(tuple(map(mirror_caption, words.train)), tuple(map(mirror_caption, words.held_out)))
    action = ACTIONS.get(SIDED_LABELS.get(content, (content, ""))[0])
    if action is None:
        return Wordings((content.replace("-", " ").replace("_", " "),), ())
    if labels.phrases:
        action = replace(action, phrases=labels.phrases + action.phrases[:3])
    return wordings_for(action, labels.side, STYLES.get(labels.style or ""))


KNOWN: dict[str, dict[str, str]] = known(
    (set(ACTIONS) - {"wave", "raise-up"}) | set(SIDED_LABELS) | set(MIRRORED_LABELS), STYLES
)
"""Every content and style that the grammar has words for, with the sentence or phrase that names it."""
