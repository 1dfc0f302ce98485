"""motiongen_sim: robots in simulation, as gymnasium environments that policies and streams of motion drive."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from motiongen_sim.demos import record_demos
    from motiongen_sim.drive import drive
    from motiongen_sim.policy import Policy
    from motiongen_sim.rollout import rollout

_PUBLIC = {"Policy": "policy", "rollout": "rollout", "record_demos": "demos", "drive": "drive"}

__all__ = ["Policy", "drive", "record_demos", "rollout"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'motiongen_sim' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(importlib.import_module(f"motiongen_sim.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value
