"""motiongen: words and music into motion, and motion into files, videos and engines.

Every public name is imported on first use, so that ``import motiongen`` costs milliseconds and needs no torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

from motiongen.version import __version__

if TYPE_CHECKING:
    from motiongen.constraints import Avoid, JointKey, LookAt, PoseKey, RootPath, Waypoint
    from motiongen.heads.badm.config import BADMOptions
    from motiongen.heads.bamm.config import BAMMOptions
    from motiongen.heads.carp.config import CARPOptions
    from motiongen.heads.mogo.config import MogoOptions
    from motiongen.inference.dance import dance, edit_dance
    from motiongen.inference.dance_model import DanceModel
    from motiongen.inference.generate import edit, generate
    from motiongen.inference.load import load
    from motiongen.inference.model import Model
    from motiongen.inference.policy_model import PolicyModel
    from motiongen.motion import Motion
    from motiongen.retargeting import Character, Retargeter, retarget
    from motiongen.skeleton import SMPL22, Skeleton
    from motiongen.streaming.stream import stream

_PUBLIC = {
    "SMPL22": "motiongen.skeleton",
    "Avoid": "motiongen.constraints",
    "BADMOptions": "motiongen.heads.badm.config",
    "BAMMOptions": "motiongen.heads.bamm.config",
    "CARPOptions": "motiongen.heads.carp.config",
    "Character": "motiongen.retargeting",
    "DanceModel": "motiongen.inference.dance_model",
    "JointKey": "motiongen.constraints",
    "LookAt": "motiongen.constraints",
    "Model": "motiongen.inference.model",
    "MogoOptions": "motiongen.heads.mogo.config",
    "Motion": "motiongen.motion",
    "PolicyModel": "motiongen.inference.policy_model",
    "PoseKey": "motiongen.constraints",
    "Retargeter": "motiongen.retargeting",
    "RootPath": "motiongen.constraints",
    "Skeleton": "motiongen.skeleton",
    "Waypoint": "motiongen.constraints",
    "dance": "motiongen.inference.dance",
    "edit": "motiongen.inference.generate",
    "edit_dance": "motiongen.inference.dance",
    "generate": "motiongen.inference.generate",
    "load": "motiongen.inference.load",
    "retarget": "motiongen.retargeting",
    "stream": "motiongen.streaming.stream",
}
"""Name -> module that it is imported from on first use."""

__all__ = [
    "SMPL22",
    "Avoid",
    "BADMOptions",
    "BAMMOptions",
    "CARPOptions",
    "Character",
    "DanceModel",
    "JointKey",
    "LookAt",
    "Model",
    "MogoOptions",
    "Motion",
    "PolicyModel",
    "PoseKey",
    "Retargeter",
    "RootPath",
    "Skeleton",
    "Waypoint",
    "__version__",
    "dance",
    "edit",
    "edit_dance",
    "generate",
    "load",
    "retarget",
    "stream",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        from motiongen.registry import suggest

        nearest = suggest(name, __all__)
        hint = f"did you mean {nearest}?" if nearest else f"it has {', '.join(__all__)}"
        raise AttributeError(f"module 'motiongen' has no attribute {name!r}; {hint}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
