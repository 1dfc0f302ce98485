"""Mirroring of captions and labels: left and right are swapped, for mirrored motion."""

import re

SWAPS = {
    "left": "right",
    "lefts": "rights",
    "leftward": "rightward",
    "leftwards": "rightwards",
    "leftmost": "rightmost",
    "lefthanded": "righthanded",
    "clockwise": "counterclockwise",
    "anticlockwise": "clockwise",
}
MIRROR = SWAPS | {right: left for left, right in SWAPS.items() if left != "anticlockwise"}
# "anti-clockwise" and "counter-clockwise" come before the plain words, or only their ends would be swapped.
WORDS = re.compile(r"\b(?:anti|counter)-clockwise\b|\b(?:" + "|".join(MIRROR) + r")\b", re.IGNORECASE)
# Phrases in which "right" is not a side.
NOT_A_SIDE = re.compile(
    r"\bright(?= (?:away|now|after|before|back to|in front)\b)|\b(?<=all )right\b|\bupright\b|\bright angles?\b",
    re.IGNORECASE,
)


def mirror_caption(text: str) -> str:
    """Return the text with sides and senses of rotation swapped; labels such as "walk-turn-left" work too."""
    kept = {match.start() for match in NOT_A_SIDE.finditer(text)}
    return WORDS.sub(lambda match: match.group() if match.start() in kept else _swap(match.group()), text)


def _swap(word: str) -> str:
    other = MIRROR.get(word.lower(), "clockwise")
    if word.isupper():
        return other.upper()
    return other.capitalize() if word[0].isupper() else other
