"""motiongen_bridge: motion streams over websockets and VMC, for web pages, engines and terminals."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from motiongen_bridge.client import connect
    from motiongen_bridge.policy_client import PolicyConnection
    from motiongen_bridge.policy_server import PolicyServer
    from motiongen_bridge.server import Server
    from motiongen_bridge.server_config import ServerConfig

_PUBLIC = {
    "PolicyConnection": "policy_client",
    "PolicyServer": "policy_server",
    "Server": "server",
    "ServerConfig": "server_config",
    "connect": "client",
}

__all__ = ["PolicyConnection", "PolicyServer", "Server", "ServerConfig", "connect"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(
            f"module 'motiongen_bridge' has no attribute {name!r}; it has {', '.join(__all__)}"
        )
    value = getattr(importlib.import_module(f"motiongen_bridge.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value
