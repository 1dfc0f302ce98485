"""Labels of clips, as metrics and samplers use them."""

from collections import Counter
from collections.abc import Hashable, Sequence

SIDES = {"left": "right", "right": "left"}


def mirror_label(label: str | None) -> str | None:
    """Return the label of the mirrored clip: "walk-turn-left" becomes "walk-turn-right"."""
    return None if label is None else "-".join(SIDES.get(word, word) for word in label.split("-"))


def balance(labels: Sequence[Hashable]) -> list[float]:
    """Return a weight for each item that evens out labels halfway: 1 / sqrt(count of its label)."""
    counts = Counter(labels)
    return [counts[label] ** -0.5 for label in labels]
