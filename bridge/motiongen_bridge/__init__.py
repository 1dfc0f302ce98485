"""motiongen_bridge: streams of motion over websockets and VMC, into pages, engines and terminals."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from motiongen_bridge.client import connect
    from motiongen_bridge.server import Server, ServerConfig

_PUBLIC = {"Server": "server", "ServerConfig": "server", "connect": "client"}

__all__ = ["Server", "ServerConfig", "connect"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(
            f"module 'motiongen_bridge' has no attribute {name!r}; it has {', '.join(__all__)}"
        )
    value = getattr(importlib.import_module(f"motiongen_bridge.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value
