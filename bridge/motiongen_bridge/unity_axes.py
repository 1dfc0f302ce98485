"""Unity's world, which VMC and Rokoko Studio use too: left-handed, Y up, metres, facing +Z.

What is right-handed goes there through the mirror x -> -x: positions (-x, y, z), quaternions (x, -y, -z, w).
"""

from motiongen_bridge.sent_body import Quaternion, Vector


def unity_position(position: Vector) -> Vector:
    """Return a position or offset in Unity's world, metres.

    Args:
        position: metres, ours.
    """
    x, y, z = position
    return -x, y, z


def unity_rotation(rotation: Quaternion) -> Quaternion:
    """Return a rotation, local or in the world, as Unity has it.

    Args:
        rotation: xyzw, ours.
    """
    x, y, z, w = rotation
    return x, -y, -z, w
