"""Labels of the CMU trials in cmu_fbx: their descriptions as contents of the caption grammar.

Descriptions are of many hands: "walk, veer left", "SadWalk", "StretchesAndJumps001", "monkey (human subject)". They
are written out first ("sad walk"); then the first pattern that matches decides. What is listed ("walk, sit, stand up")
or names no action ("assorted motions") gets no content: a label would be false for most of such a medley.
"""

import re

from motiongen_datasets import cmu_labels
from motiongen_datasets.captions import Labels
from motiongen_datasets.cmu_fbx_rows import (
    ANIMALS,
    CHARACTERS,
    MEDLEYS,
    ROWS,
    STYLE_WORDS,
    STYLED_WALKS,
    UNSAID,
)
from motiongen_datasets.dance_styles import label_dance_style

_CHARACTER = re.compile(
    rf"^({CHARACTERS}) (coffee mug|pick up|wait|walk|sneaking walk|sneaky walk|surprised)$"
)
_ANIMAL = re.compile(rf"^(?:dancing )?({ANIMALS})\b(?! (?:walk|dance|sequence|back))")
_WALK_STYLE = re.compile(r"^(.+?) ?(?:start )?walk(?: forward)?$|^walk,? (.+)$")


def labels(description: str, sentences: tuple[str, ...] = ()) -> Labels:
    """Return the labels of a trial.

    Args:
        description: of the trial, as the database has it ("SadWalk", "walk, veer left").
        sentences: captions that people wrote for it.
    """
    text = normalised(description)
    if not text or MEDLEYS.search(text):
        return Labels(sentences=(*sentences, *_list_sentence(text)))
    if text in cmu_labels.DESCRIPTIONS:
        return cmu_labels.labels(text, sentences)
    if character := _CHARACTER.match(text):
        return _as_character(character[1], character[2], sentences)
    if animal := _ANIMAL.match(text):
        name = animal[1]
        return Labels(content="animal", phrases=_like(("move", "act"), name), sentences=sentences)
    for pattern, content, style, phrases in ROWS:
        if re.search(pattern, text):
            walk = _walk_phrases(text) if content == "walk" else ()
            found = style or _style(text)
            return Labels(content=content, style=found, phrases=phrases + walk, sentences=sentences)
    if text in STYLED_WALKS:
        manner = _plain_manner(text)
        return Labels(content="walk", style=STYLE_WORDS.get(text), phrases=(manner,), sentences=sentences)
    return Labels(sentences=sentences)


def dance_style(description: str) -> str | None:
    """Return the dance style that a description names, one of `dance_styles.STYLES`; None if it is no dance."""
    return label_dance_style(normalised(description))


def normalised(description: str) -> str:
    """Return a description in lower case and words: "HurtLegWalk001" is "hurt leg walk"."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", " ", description)
    words = re.sub(r"cleaned ?grs|\(human subject\)|\bexact footfalls\b", " ", words, flags=re.IGNORECASE)
    words = re.sub(r"(?<=[a-z])\d{1,3}\b(?!\s*(?:degree|lb))|\b0\d\d?\b", " ", words)
    return " ".join(words.split()).strip(" .,").lower()


def _as_character(name: str, act: str, sentences: tuple[str, ...]) -> Labels:
    content = {"coffee mug": "drink", "pick up": "pick-up", "wait": "wait", "surprised": "scared"}.get(act)
    if content is None:
        content = "sneak" if act.startswith("sneak") else "walk"
    verbs = {
        "drink": ("drink coffee", "*pick up a mug and *drink"), "pick-up": ("pick something up",), "wait": ("wait",),
        "walk": ("walk",), "sneak": ("sneak",), "scared": ("be surprised",),
    }  # fmt: skip
    if name == "normal":
        return Labels(content=content, phrases=verbs[content], sentences=sentences)
    style = {"old man": "old", "zombie": "zombie"}.get(name)
    return Labels(content=content, style=style, phrases=_like(verbs[content], name), sentences=sentences)


def _like(verbs: tuple[str, ...], name: str) -> tuple[str, ...]:
    named = {"mickey": "mickey mouse", "chip monk": "a chipmunk", "drunk": "a drunk"}.get(name)
    return tuple(f"{verb} like {named or _with_article(name)}" for verb in verbs)


def _with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _style(text: str) -> str | None:
    for word, style in STYLE_WORDS.items():
        if re.match(rf"{word}\b.*walk|walk.*\b{word}\b", text):
            return style
    return None


def _walk_phrases(text: str) -> tuple[str, ...]:
    """Return what is said of a walk as a phrase: "walk with stiff arms", "walk in a scared way"."""
    if text.startswith("walk with "):
        return (text,)
    found = _WALK_STYLE.match(text)
    manner = (found[1] or found[2] or "").strip() if found else ""
    return () if not manner or manner in UNSAID or len(manner.split()) > 2 else (_plain_manner(manner),)


def _plain_manner(manner: str) -> str:
    plain = {"slow": "slowly", "fast": "fast", "quick": "quickly", "brisk": "briskly", "rushed": "hurriedly"}
    return f"walk {plain[manner]}" if manner in plain else f"walk in {_with_article(manner)} way"


def _list_sentence(text: str) -> tuple[str, ...]:
    """Return a caption of a trial whose description lists what happens, if it does."""
    listed = re.sub(r"^vignettes - ", "", text)
    return (f"a person moves: {listed}",) if listed.count(",") >= 2 else ()
