"""motiongen: words and music into motion, and motion into files, videos and engines.

Every public name is imported on first use, so that ``import motiongen`` costs milliseconds and needs no torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

from motiongen.version import __version__

if TYPE_CHECKING:
    from motiongen.inference.dance import dance, edit_dance
    from motiongen.inference.generate import edit, generate
    from motiongen.inference.load import load
    from motiongen.inference.model import Model
    from motiongen.motion import Motion
    from motiongen.retargeting import retarget
    from motiongen.skeleton import SMPL22, Skeleton
    from motiongen.streaming.stream import stream

_PUBLIC = {
    "Model": "motiongen.inference.model",
    "Motion": "motiongen.motion",
    "SMPL22": "motiongen.skeleton",
    "Skeleton": "motiongen.skeleton",
    "dance": "motiongen.inference.dance",
    "edit": "motiongen.inference.generate",
    "edit_dance": "motiongen.inference.dance",
    "generate": "motiongen.inference.generate",
    "load": "motiongen.inference.load",
    "retarget": "motiongen.retargeting",
    "stream": "motiongen.streaming.stream",
}

__all__ = [
    "SMPL22",
    "Model",
    "Motion",
    "Skeleton",
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
        raise AttributeError(f"module 'motiongen' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
