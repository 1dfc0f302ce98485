"""Checks that configs share: one clear line for a number out of range."""

from typing import Any


def check_at_least(config: Any, least: int, *names: str, fix: str = "fix config.json") -> None:
    """Raise ValueError for the first of a config's named numbers below `least`."""
    for name in names:
        if getattr(config, name) < least:
            raise ValueError(f"{name}: expected >= {least}, got {getattr(config, name)}; {fix}")


def check_share(config: Any, *names: str, fix: str = "fix config.json") -> None:
    """Raise ValueError for the first of a config's named probabilities outside 0..1, 1 excluded."""
    for name in names:
        if not 0 <= getattr(config, name) < 1:
            raise ValueError(f"{name}: expected 0..1, got {getattr(config, name)}; {fix}")
