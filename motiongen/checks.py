"""Range checks shared by configs."""

import math
from collections.abc import Callable
from functools import lru_cache
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


def check_batch(config: Any, least: int = 1, name: str = "batch_size") -> None:
    """Raise ValueError for a batch that is too small, or larger than any that is worth its memory."""
    if not least <= getattr(config, name) <= limits.MAX_BATCH:
        raise ValueError(
            f"{name}: expected {least} to {limits.MAX_BATCH}, got {getattr(config, name)}; use the default"
        )


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
    return _check_of(hint)(value)


@lru_cache(maxsize=1024)
def _check_of(hint: Any) -> Callable[[Any], bool]:
    """Return the check of a type, made once, since caches have many thousands of values."""
    kinds = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        checks = [_check_of(kind) for kind in kinds]
        return lambda value: any(check(value) for check in checks)
    if get_origin(hint) is Literal:
        return lambda value: type(value) in (str, int, bool, type(None)) and value in kinds
    if get_origin(hint) is tuple:
        return _check_of_list(kinds)
    if get_origin(hint) is dict:
        name, item = (_check_of_list((kind, ...)) for kind in kinds)
        return lambda value: isinstance(value, dict) and name([*value]) and item([*value.values()])
    if hint is int:
        return lambda value: type(value) is int and abs(value) < 2**31
    if hint is float:
        return lambda value: type(value) in (int, float) and abs(value) < math.inf
    if hint in (bool, str, type(None)):
        return lambda value: type(value) is hint
    return lambda value: True


def _check_of_list(kinds: tuple[Any, ...]) -> Callable[[Any], bool]:
    if kinds[-1] is not Ellipsis:
        return lambda value: (
            isinstance(value, list | tuple) and (len(value) == len(kinds) and all(map(fits, value, kinds)))
        )
    kind = kinds[0]
    check = _check_of(kind)
    if kind is str:  # the common case, without a call for each
        return lambda value: (
            isinstance(value, list | tuple)
            and len(value) <= limits.MAX_LIST
            and ({*map(type, value)} <= {str})
        )
    return lambda value: (
        isinstance(value, list | tuple) and len(value) <= limits.MAX_LIST and all(map(check, value))
    )
