"""Words that turn a sentence into its opposite, which a sentence encoder hardly hears: left for right, one for both."""

import re
from collections.abc import Sequence

import torch
from torch import Tensor

PAIRS = (
    ("left", "right"),
    ("forwards?|ahead", "backwards?"),
    ("up", "down"),
    (
        "(?:one|left|right) (?:hand|arm|leg|foot)",
        "both (?:(?:the|his|her|their|your|my) )?(?:hands|arms|legs|feet)",
    ),
    ("(?<!counter-)(?<!anti-)clockwise", "(?:counter|anti)-?clockwise"),
)
"""Regular expressions of words and of their opposites."""


def told(sentences: Sequence[str]) -> Tensor:
    """Return what sentences tell of each pair (S, P): 1 the first alone, -1 the second alone, 0 neither or both."""
    patterns = [[re.compile(rf"\b(?:{word})\b", re.IGNORECASE) for word in pair] for pair in PAIRS]
    rows = [
        [bool(first.search(sentence)) - bool(second.search(sentence)) for first, second in patterns]
        for sentence in sentences
    ]
    return torch.tensor(rows, dtype=torch.int8).view(len(sentences), len(PAIRS))


def contradictions(first: Tensor, second: Tensor) -> Tensor:
    """Return bools (A, B): whether what sentences tell (A, P) contradicts what others tell (B, P)."""
    return (first[:, None].int() * second[None].int() < 0).any(dim=-1)
