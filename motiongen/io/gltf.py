"""glTF 2.0: animated GLB and .gltf files read, and written with a skinned mesh."""

from motiongen.io.gltf_mesh import read_character
from motiongen.io.gltf_read import animations, read, read_animations, skeleton_of
from motiongen.io.gltf_write import write

__all__ = ["animations", "read", "read_animations", "read_character", "skeleton_of", "write"]
