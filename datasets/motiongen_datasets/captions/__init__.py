"""Labels become sentences: captions for training, paraphrases held out of it, and both for the mirrored motion."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from motiongen_datasets.captions.contents import (
    ACTIONS,
    FOOT_CONTENTS,
    HAND_CONTENTS,
    MIRRORED_LABELS,
    SIDED_LABELS,
    STANDING_LEG_CONTENTS,
)
from motiongen_datasets.captions.geometry import describe_motion
from motiongen_datasets.captions.grammar import Wordings, word
from motiongen_datasets.captions.inflect import third_person
from motiongen_datasets.captions.mirror import mirror_caption
from motiongen_datasets.captions.sources import (
    BANDAI_CONTENTS,
    animation_content,
    cmu_content,
    g1_content,
    hdm05_content,
)
from motiongen_datasets.captions.styles import SAME_STYLE, STYLES
from motiongen_datasets.captions.vocabulary.action import Action

__all__ = ["KNOWN", "CaptionSet", "captions_for", "describe_motion", "known", "mirror_caption"]


@dataclass(frozen=True)
class CaptionSet:
    """Sentences of one clip.

    Attributes:
        train, held_out: for the clip; held-out sentences are never used in training, for any clip.
        mirrored_train, mirrored_held_out: for the clip seen in a mirror.
        content, style: labels of the grammar (those of several data sets made one), None where unknown;
            `mirror_caption` gives the mirrored clip's content.
    """

    train: tuple[str, ...]
    held_out: tuple[str, ...]
    mirrored_train: tuple[str, ...]
    mirrored_held_out: tuple[str, ...]
    content: str | None
    style: str | None


@dataclass(frozen=True)
class _Label:
    content: str | None
    style: str | None = None
    side: str | None = None
    phrases: tuple[str, ...] = ()  # of this clip alone, besides the content's
    sentences: tuple[str, ...] = ()


def captions_for(
    source: str,
    content: str | None,
    style: str | None,
    meta: dict[str, str],
    sentences: tuple[str, ...] = (),
) -> CaptionSet:
    """Return the sentences of a clip.

    Args:
        source: the dataset's name, such as "bandai_namco".
        content: the dataset's label or description, if it has one.
        style: the dataset's style label, if it has one.
        meta: "name" of the clip, and what `describe_motion` measured ("hand", "foot", "turn", "travel").
        sentences: real sentences that people wrote; they are training captions.
    """
    label = _read_label(source, content, style, meta)
    label = _with_measured_side(label, meta, trusted=source == "bandai_namco")
    wordings = _wordings(label)
    real = tuple(s for s in map(clean_sentence, (*sentences, *label.sentences)) if s)
    train = tuple(dict.fromkeys((*real, *wordings.train)))
    held_out = tuple(s for s in wordings.held_out if s not in train)
    return CaptionSet(
        train=train,
        held_out=held_out,
        mirrored_train=tuple(map(mirror_caption, train)),
        mirrored_held_out=tuple(map(mirror_caption, held_out)),
        content=label.content,
        style=label.style,
    )


def known(contents: Iterable[str], styles: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return {"contents": {label: sentence}, "styles": {label: phrase}} of labels, as JSON keeps it."""
    return {
        "contents": {name: _canonical(name) for name in sorted(set(contents))},
        "styles": {name: STYLES[name].label if name in STYLES else name for name in sorted(set(styles))},
    }


def clean_sentence(text: str) -> str:
    """Return the sentence as captions are written: one line, lower-case first letter, no full stop."""
    text = " ".join(text.replace("_", " ").split()).strip(" .;").replace(" trough ", " through ")
    return text[:1].lower() + text[1:]


def _read_label(source: str, content: str | None, style: str | None, meta: dict[str, str]) -> _Label:
    name, style = meta.get("name", ""), SAME_STYLE.get(style or "", style)
    if source == "bandai_namco" and content is not None:
        return _Label(BANDAI_CONTENTS.get(content, content), style)
    if source == "cmu":
        description = content or meta.get("description") or meta.get("caption") or ""
        found, phrases = cmu_content(description)
        detail = re.match(r"(dance|basketball|playground) - (.+)", description)
        return _Label(
            found, style, phrases=phrases, sentences=(_listed(found, detail[2]),) if detail and found else ()
        )
    if source == "hdm05":
        found, side = hdm05_content(name or content or "")
        return _Label(found, style, side)
    if source == "g1_moves":
        found, phrases = g1_content(f"{content or ''}/{name}")
        return _Label(found, style, phrases=phrases)
    if source == "react_idle":
        return _Label("idle", style)
    if source.startswith("cc0"):
        found, named_style, phrases = animation_content(name or content or "")
        return _Label(found, style or named_style, phrases=phrases)
    return _Label(content, style)


def _with_measured_side(label: _Label, meta: dict[str, str], trusted: bool) -> _Label:
    """Return the label with the side that the motion shows; labels that name their side are trusted."""
    content = label.content
    if content in SIDED_LABELS:
        return replace(label, side=SIDED_LABELS[content][1])
    if content == "walk" and not trusted:
        if meta.get("travel") == "backward":
            return replace(label, content="walk-back", phrases=())
        if meta.get("turn") in ("left", "right"):
            return replace(label, content=f"walk-turn-{meta['turn']}", phrases=())
    side = label.side
    if content in HAND_CONTENTS:
        side = side or meta.get("hand")
    elif content in FOOT_CONTENTS:
        side = side or meta.get("foot")
    elif content in STANDING_LEG_CONTENTS:
        side = mirror_caption(meta.get("foot", "")) or None
    if content in ("wave", "raise-up") and side is not None:
        content = f"{content}-both-hands" if side == "both" else f"{content}-{side}-hand"
    return replace(label, content=content, side=side)


def _wordings(label: _Label) -> Wordings:
    content = label.content
    if content is None:
        return Wordings((), ())
    manner = STYLES.get(label.style or "")
    if content in MIRRORED_LABELS:
        left = replace(
            label, content=MIRRORED_LABELS[content], phrases=tuple(map(mirror_caption, label.phrases))
        )
        words = _wordings(left)
        return Wordings(tuple(map(mirror_caption, words.train)), tuple(map(mirror_caption, words.held_out)))
    action = ACTIONS.get(SIDED_LABELS.get(content, (content, ""))[0])
    if action is None:
        return Wordings((content.replace("-", " ").replace("_", " "),), ())
    if label.phrases:
        action = replace(action, phrases=label.phrases + action.phrases[:3])
    return word(action, label.side, manner)


def _canonical(content: str) -> str:
    if content in MIRRORED_LABELS:
        return mirror_caption(_canonical(MIRRORED_LABELS[content]))
    action, side = SIDED_LABELS.get(content, (content, ""))
    words = ACTIONS.get(action, Action())
    first = (words.sided if side else words.phrases or words.loose) or (content.replace("-", " "),)
    return f"a person {third_person(first[0].format(side=side))}"


def _listed(content: str | None, details: str) -> str:
    """Return "a person dances ballet: pirouette, jete" of a description that lists what happens."""
    return f"{_canonical(content or '')}: {details.replace('/', ' or ')}"


KNOWN: dict[str, dict[str, str]] = known(
    (set(ACTIONS) - {"wave", "raise-up"}) | set(SIDED_LABELS) | set(MIRRORED_LABELS), STYLES
)
"""Every content and style that the grammar has words for, with the sentence or phrase that names it."""
