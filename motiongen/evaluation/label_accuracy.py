"""Label accuracy: how often a classifier recognises the requested label in a motion."""

from collections import defaultdict
from collections.abc import Sequence


def label_accuracy(recognised: Sequence[str], asked: Sequence[str]) -> tuple[float, dict[str, float]]:
    """Return the accuracy over all motions, and that of each label.

    Action2Motion (Guo et al., ACM MM 2020): recognition accuracy of an action classifier trained on real motion.

    Args:
        recognised: predicted label of each motion.
        asked: requested label of each motion.

    Raises:
        ValueError: no motions, or different numbers of labels.
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
