"""Kinds of a motion's source that `drive` tells apart by its text alone; without torch, for the command line."""

from pathlib import Path
from typing import Any

from motiongen.io import readable

SCHEMES = ("ws://", "wss://", "http://", "https://")
"""Beginnings of a server's address."""


def is_address(source: Any) -> bool:
    """Whether a source is a server's address."""
    return isinstance(source, str) and source.startswith(SCHEMES)


def is_file(source: str) -> bool:
    """Whether a source is a motion's file, and not words."""
    return Path(source).suffix.lower() in readable() or Path(source).is_file()
