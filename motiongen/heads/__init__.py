"""Heads: models that turn a condition into motion. Adding one is a file and a line here."""

import difflib

from motiongen.heads.bamm import BAMM

HEADS = {"bamm": BAMM}


def lookup(name: str) -> type[BAMM]:
    """Return the head class of that name. Raises ValueError that lists the names."""
    if name not in HEADS:
        nearest = difflib.get_close_matches(name, HEADS, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else "; pick one"
        raise ValueError(f"head: expected one of {', '.join(HEADS)}, got {name!r}{hint}")
    return HEADS[name]
