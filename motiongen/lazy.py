"""Names that are imported when they are first needed: registries list classes without importing torch."""

import importlib
from collections.abc import Callable
from typing import Any


def lazily(path: str) -> Callable[[], Any]:
    """Return a function that imports and returns what `path`, "package.module:name", names."""
    module, _, name = path.partition(":")

    def load() -> Any:
        return getattr(importlib.import_module(module), name)

    return load
