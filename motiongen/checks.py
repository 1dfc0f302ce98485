"""Range checks shared by configs."""

from typing import Any


def check_at_least(config: Any, least: int, *names: str, fix: str = "fix config.json") -> None:
    """Raise ValueError for the first of the named fields that is below a minimum.

    Args:
        config: with a number in each of the fields.
        least: minimum.
        names: of the fields.
        fix: end of the message: how to fix it.
    """
    for name in names:
        if getattr(config, name) < least:
            raise ValueError(f"{name}: expected >= {least}, got {getattr(config, name)}; {fix}")


def check_share(config: Any, *names: str, fix: str = "fix config.json") -> None:
    """Raise ValueError for the first of the named fields that is outside 0..1, 1 excluded.

    Args:
        config: with a number in each of the fields.
        names: of the fields.
        fix: end of the message: how to fix it.
    """
    for name in names:
        if not 0 <= getattr(config, name) < 1:
            raise ValueError(f"{name}: expected 0..1, got {getattr(config, name)}; {fix}")
