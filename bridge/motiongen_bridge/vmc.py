"""Sends a character by VMC (Virtual Motion Capture protocol 2): to Unity, Unreal, Blender, VSeeFace and others.

VMC is OSC over UDP, in Unity's world (unity_axes.py). Bones turn from the T-pose of a VRM avatar, which is SMPL-22's
rest pose, so that its local rotations go over as they are.
"""

import numpy as np
from numpy.typing import ArrayLike

from motiongen_bridge.datagrams import MTU_BYTES, DatagramSender
from motiongen_bridge.osc_layout import OscLayout, osc_message
from motiongen_bridge.sent_body import JOINTS, body_rest, check_pose
from motiongen_bridge.unity_axes import unity_position, unity_rotation

PORT = 39539
"""Usual UDP port of VMC receivers."""

BONES = {
    "pelvis": "Hips",
    "left_hip": "LeftUpperLeg",
    "right_hip": "RightUpperLeg",
    "spine1": "Spine",
    "left_knee": "LeftLowerLeg",
    "right_knee": "RightLowerLeg",
    "spine2": "Chest",
    "left_ankle": "LeftFoot",
    "right_ankle": "RightFoot",
    "spine3": "UpperChest",
    "left_foot": "LeftToes",
    "right_foot": "RightToes",
    "neck": "Neck",
    "left_collar": "LeftShoulder",
    "right_collar": "RightShoulder",
    "head": "Head",
    "left_shoulder": "LeftUpperArm",
    "right_shoulder": "RightUpperArm",
    "left_elbow": "LeftLowerArm",
    "right_elbow": "RightLowerArm",
    "left_wrist": "LeftHand",
    "right_wrist": "RightHand",
}
"""SMPL-22's joints, in its order, by their names among Unity's HumanBodyBones, which are VRM's bones too."""


class VMCSender(DatagramSender):
    """Sends one character's poses to one receiver. Never blocks, and does not fail when nobody receives.

    The position on the floor is sent as the root's and the height as the hips', so that a receiver that ignores bone
    positions, as is advised for an avatar of other proportions, still walks.

    Attributes:
        lost: datagrams that could not be sent.
        max_characters: VMC knows of no second character.
    """

    max_characters = 1

    def __init__(
        self, host: str, port: int = PORT, offsets: ArrayLike | None = None, *, max_bytes: int = MTU_BYTES
    ) -> None:
        """Open a socket.

        Args:
            host: name or address of the receiver's machine.
            port: UDP port of the receiver.
            offsets: (22, 3) positions of SMPL-22's joints on their parents, metres; motiongen's own when left out.
            max_bytes: bytes of a datagram at most.

        Raises:
            ValueError: the host is unknown, the offsets are of another skeleton, or no bone fits a datagram.
        """
        places = np.asarray(body_rest().offsets if offsets is None else offsets, dtype=np.float64)
        if places.shape != (JOINTS, 3):
            raise ValueError(f"offsets: expected shape (22, 3) as of SMPL-22, got {places.shape}")
        self._places = [unity_position((x, y, z)) for x, y, z in places.tolist()]
        # A pose becomes visible by its last message, which therefore comes last of all.
        self._layout = OscLayout(
            [
                osc_message("/VMC/Ext/OK", 1),
                osc_message("/VMC/Ext/T", 0.0),
                osc_message("/VMC/Ext/Root/Pos", "root", *[0.0] * 6, 1.0),
                *[osc_message("/VMC/Ext/Bone/Pos", bone, *[0.0] * 7) for bone in BONES.values()],
                osc_message("/VMC/Ext/Blend/Apply"),
            ],
            max_bytes,
        )
        super().__init__(host, port)

    def send(self, rotations: np.ndarray, root: np.ndarray, time: float, character: int = 0) -> None:
        """Send a pose.

        Args:
            rotations: (22, 4) local rotations, xyzw.
            root: (3,) position of the pelvis, metres.
            time: seconds since the stream began.
            character: 0, the one that is sent.

        Raises:
            ValueError: the pose is of another skeleton.
        """
        check_pose(rotations, root)
        layout = self._layout
        x, height, z = unity_position((float(root[0]), float(root[1]), float(root[2])))
        layout.put(1, time)
        layout.put(2, x, 0.0, z, 0.0, 0.0, 0.0, 1.0)
        for bone, (a, b, c, w) in enumerate(rotations.tolist()):
            place = self._places[bone] if bone else (0.0, height, 0.0)
            layout.put(3 + bone, *place, *unity_rotation((a, b, c, w)))
        for datagram in layout.datagrams:
            self._socket.send(datagram)
