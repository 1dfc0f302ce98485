"""Names of joints in the rigs of other tools, cut into a side and a word, by the table in rigs.json."""

import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_COMMON = 0.6
"""Share of a rig's joints that begin with a word for it to be the rig's prefix."""


@dataclass(frozen=True)
class JointName:
    """What a joint's name says.

    Attributes:
        side: "left", "right" or "".
        word: the rest without prefix, digits and punctuation, in lower case: "upleg" of "mixamorig:LeftUpLeg".
        is_helper: whether the joint twists, ends or steers another, or is a finger or part of a face.
    """

    side: str
    word: str
    is_helper: bool


@cache
def table() -> dict[str, Any]:
    """Return the table of names; rigs.json says what it holds."""
    found: dict[str, Any] = json.loads((Path(__file__).parent / "rigs.json").read_text(encoding="utf-8"))
    return found


def read_names(names: tuple[str, ...]) -> tuple[list[JointName], bool]:
    """Return what the names of a rig's joints say, and whether the rig has a joint for each axis, as robots have."""
    cut = [_cut(name) for name in names]
    turning = set(table()["turns"])
    has_axes = turning <= {word for words in cut for word in words}
    cut = _without_common(cut)
    return [_read(words, has_axes) for words in cut], has_axes


def _cut(name: str) -> list[str]:
    """Return the words of a name in lower case, without a namespace; 左足首 is 左 and 足首."""
    plain = re.split(r"[:|]", unicodedata.normalize("NFKC", name))[-1]
    words = []
    for word in _WORDS.findall(plain):
        if word[0] in "左右" and len(word) > 1:
            words.append(word[0])
            word = word[1:]
        words.append(word.lower())
    return words


def _without_common(cut: list[list[str]]) -> list[list[str]]:
    """Return the words without those with which most of the joints begin, such as a character's name."""
    known = {side for sides in table()["sides"].values() for side in sides} | _limb_words()
    while len(cut) >= 6:
        first, count = Counter(words[0] for words in cut if words).most_common(1)[0] if any(cut) else ("", 0)
        if count < _COMMON * len(cut) or first in known:
            break
        cut = [words[1:] if words and words[0] == first else words for words in cut]
    return cut


def _read(words: list[str], has_axes: bool) -> JointName:
    names = table()
    while len(words) > 1 and words[0] in names["prefixes"]:
        words = words[1:]
    helpers = set(names["helpers"]) - ({"roll"} if has_axes else set())
    letters = [word for word in words if not word[0].isdigit()]
    side = ""
    for label, tokens in names["sides"].items():
        if (
            len(letters) > 1
            and (at := next((i for i, w in enumerate(letters) if w in tokens), None)) is not None
        ):
            side, letters = label, letters[:at] + letters[at + 1 :]
            break
    rest = [word for word in letters if word not in names["noise"]]
    word = "".join(letters)
    if word not in _limb_words():  # LHipJoint is known as it is
        word = "".join(rest) or word
    if not side and word[:1] in ("l", "r") and word[1:] in _limb_words():  # lfemur, LUArm
        side, word = {"l": "left", "r": "right"}[word[0]], word[1:]
    helpers |= set(names["fingers"]) if side else set()  # MiddleSpine is none
    is_helper = not helpers.isdisjoint(words) and "neck" not in words
    return JointName(side, word, is_helper)


@cache
def _limb_words() -> frozenset[str]:
    return frozenset(
        word for roles in table()["limbs"].values() for words in roles.values() for word in words
    )
