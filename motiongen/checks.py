"""Range checks shared by configs."""

import math
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from motiongen import limits


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


def fits(value: Any, hint: Any) -> bool:
    """Return whether a value of JSON is of a type that configs have, of a sane size; those of other types are taken."""
    kinds = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return any(fits(value, kind) for kind in kinds)
    if get_origin(hint) is Literal:
        return value in kinds
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple) or len(value) > limits.MAX_LIST:
            return False
        if kinds[-1] is Ellipsis:
            return all(fits(item, kinds[0]) for item in value)
        return len(value) == len(kinds) and all(map(fits, value, kinds))
    if get_origin(hint) is dict:
        return isinstance(value, dict) and all(
            fits(name, kinds[0]) and fits(item, kinds[1]) for name, item in value.items()
        )
    if hint is int:
        return type(value) is int and abs(value) < 2**31
    if hint is float:
        return type(value) in (int, float) and abs(value) < math.inf
    return type(value) is hint if hint in (bool, str, type(None)) else True
