"""motiongen_sim: robots in simulation: gymnasium environments, experts, policies, and robots that track motion.

Importing it registers the environments: gymnasium 1 looks for none by itself. `gymnasium.make` also takes the name
"motiongen_sim:motiongen/BlockPush-v0", which imports it.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from motiongen_sim.demos import record_demos
    from motiongen_sim.policy import Policy
    from motiongen_sim.policy_rollout import rollout
    from motiongen_sim.recording_replay import replay
    from motiongen_sim.robot_drive import drive

# No module is called like a function: once imported, it would stand in its place.
_PUBLIC = {
    "Policy": "policy",
    "drive": "robot_drive",
    "record_demos": "demos",
    "replay": "recording_replay",
    "rollout": "policy_rollout",
}

__all__ = ["Policy", "drive", "record_demos", "replay", "rollout"]


if importlib.util.find_spec("gymnasium") is not None:
    importlib.import_module("motiongen_sim.envs")


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'motiongen_sim' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(importlib.import_module(f"motiongen_sim.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value
