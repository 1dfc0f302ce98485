"""Heads: models that turn a condition into motion. Adding one is a file and a line here."""

from motiongen import registry
from motiongen.heads.bamm import BAMM

HEADS = {"bamm": BAMM}


def lookup(name: str) -> type[BAMM]:
    """Return the head class of that name. Raises ValueError that lists the names."""
    return registry.lookup("head", HEADS, name)
