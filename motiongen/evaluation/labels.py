"""Helpers for labels of clips: mirroring and balanced weights."""

from collections import Counter
from collections.abc import Hashable, Sequence

SIDES = {"left": "right", "right": "left"}


def mirror_label(label: str | None) -> str | None:
    """Return the label of the mirrored clip, such as "walk-turn-right" for "walk-turn-left"."""
    return None if label is None else "-".join(SIDES.get(word, word) for word in label.split("-"))


def balance(labels: Sequence[Hashable]) -> list[float]:
    """Return a weight for each item that partly balances labels: 1 / sqrt(count of its label)."""
    counts = Counter(labels)
    return [counts[label] ** -0.5 for label in labels]
