"""Modes: the several ways in which a task can be solved, where its `info` tells them apart."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

MODE_KEYS = ("first_block", "first_target")
"""Keys of `info` that tell the modes of an episode apart."""


def mode_of(info: Mapping[str, Any]) -> str | None:
    """Return the mode of an episode by its last info; "none" before one shows, None for tasks without modes."""
    if not all(key in info for key in MODE_KEYS):
        return None
    block, target = (int(info[key]) for key in MODE_KEYS)
    return "none" if block < 0 else f"block {block} to target {target}"


def count_modes(modes: Iterable[str | None]) -> dict[str, int]:
    """Return mode -> number of episodes, sorted by name; empty for tasks without modes."""
    return dict(sorted(Counter(mode for mode in modes if mode is not None).items()))
