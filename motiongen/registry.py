"""A registry is a literal dict from name to class; this is its one lookup."""

import difflib
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def lookup(kind: str, registry: Mapping[str, T], name: str) -> T:
    """Return what a registry has under a name. Raises ValueError that lists the names, and the nearest."""
    if name not in registry:
        nearest = difflib.get_close_matches(name, registry, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else "; pick one"
        raise ValueError(f"{kind}: expected one of {', '.join(registry)}, got {name!r}{hint}")
    return registry[name]
