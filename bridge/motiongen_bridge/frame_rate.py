"""Reads the frame rate of a server's hello."""

from collections.abc import Mapping
from typing import Any


def frame_rate(hello: Mapping[str, Any]) -> float:
    """Return a server's frames a second.

    Args:
        hello: the server's first message.

    Raises:
        ValueError: it has no valid frame rate.
    """
    fps = hello.get("fps")
    if isinstance(fps, bool) or not isinstance(fps, int | float) or not 1 <= fps <= 1000:
        raise ValueError(f"hello: expected fps 1..1000, got {fps!r}; is this a motiongen server?")
    return float(fps)
