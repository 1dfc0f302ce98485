"""Lazy imports for registries, which list classes without importing torch."""

import importlib
from collections.abc import Callable
from typing import Any


def lazily(path: str) -> Callable[[], Any]:
    """Return a function that imports and returns an object, given as "package.module:name"."""
    module, _, name = path.partition(":")

    def load() -> Any:
        return getattr(importlib.import_module(module), name)

    return load
