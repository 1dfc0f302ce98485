"""Unreal's world as its skeletal meshes face: left-handed, Z up, centimetres, facing +Y, its left at +X.

From ours (right-handed, Y up, facing +Z, left at +X) there is one map that keeps left at left, front at front and up at
up: M(x, y, z) = (x, z, y), a swap of two axes, whose determinant is -1, as it must be from right- to left-handed. A
rotation R goes over as M R M^-1, which is a rotation again; its axis turns into det(M) M a, so that the quaternion
(x, y, z, w) becomes (-x, -z, -y, w). Unreal's own importer of glTF does the same, so that a character that it imported
from our .glb has the streamed skeleton's rest pose, bone by bone.
"""

from motiongen_bridge.sent_body import Quaternion, Vector

CENTIMETRES = 100.0


def unreal_position(position: Vector) -> Vector:
    """Return a position or offset in Unreal's world, centimetres.

    Args:
        position: metres, ours.
    """
    x, y, z = position
    return CENTIMETRES * x, CENTIMETRES * z, CENTIMETRES * y


def unreal_rotation(rotation: Quaternion) -> Quaternion:
    """Return a rotation, local or in the world, as Unreal has it.

    Args:
        rotation: xyzw, ours.
    """
    x, y, z, w = rotation
    return -x, -z, -y, w
