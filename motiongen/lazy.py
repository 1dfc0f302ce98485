"""Lazy imports for registries, which list classes without importing torch, and quick ones for commands, which do."""

import gc
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def lazily(path: str) -> Callable[[], Any]:
    """Return a function that imports and returns an object, given as "package.module:name"."""
    module, _, name = path.partition(":")

    def load() -> Any:
        return getattr(importlib.import_module(module), name)

    return load


@contextmanager
def uncollected() -> Iterator[None]:
    """Leave the garbage collector off in the block, and what the block made out of its sight.

    Imported modules are a million objects that stay: it would go through them dozens of times in vain, a sixth of the
    time that torch takes to import. Only for processes that are a command's own.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
