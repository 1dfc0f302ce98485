"""Bodies on SMPL-22: motiongen's own rigged mesh, the user's meshes, and SMPL-family models."""

from torch import Tensor

from motiongen.body.mesh import default_mesh, load, read_body
from motiongen.motion import Motion
from motiongen.skinned_mesh import SkinnedMesh

__all__ = ["SkinnedMesh", "default_mesh", "load", "read_body", "skin"]


def skin(motion: Motion) -> Tensor:
    """Return the vertices (T, V, 3) of motiongen's own body in each frame of an SMPL-22 motion, metres."""
    return load().skin(motion)
