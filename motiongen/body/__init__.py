"""motiongen's own rigged body on SMPL-22: `load()` gives the mesh, `skin(motion)` its vertices over time."""

from torch import Tensor

from motiongen.body.mesh import BodyMesh, load, read_body
from motiongen.motion import Motion

__all__ = ["BodyMesh", "load", "read_body", "skin"]


def skin(motion: Motion) -> Tensor:
    """Return the vertices (T, V, 3) of motiongen's own body in each frame of an SMPL-22 motion, metres."""
    return load().skin(motion)
