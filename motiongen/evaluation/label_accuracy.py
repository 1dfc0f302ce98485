"""How often a classifier recognises in a motion what was asked for."""

from collections import defaultdict
from collections.abc import Sequence


def label_accuracy(recognised: Sequence[str], asked: Sequence[str]) -> tuple[float, dict[str, float]]:
    """Return the part of motions recognised as what was asked, and the same for each label.

    Action2Motion (Guo et al., ACM MM 2020): the recognition accuracy of an action classifier trained on real motion.
    """
    if len(recognised) != len(asked) or not asked:
        raise ValueError(
            f"recognised: expected {len(asked)} (> 0) labels, got {len(recognised)}; one a motion"
        )
    hits: dict[str, list[bool]] = defaultdict(list)
    for found, label in zip(recognised, asked, strict=True):
        hits[label].append(found == label)
    per_label = {label: sum(found) / len(found) for label, found in sorted(hits.items())}
    return sum(map(sum, hits.values())) / len(asked), per_label
