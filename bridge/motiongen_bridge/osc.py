"""Sends characters as plain OSC over UDP: where each joint is in the world, for TouchDesigner, Max and others.

``/motiongen/CHARACTER/JOINT`` has seven floats: position x, y, z in metres and rotation x, y, z, w, both in the world,
right-handed with Y up, the rest pose facing +Z. CHARACTER is 1, 2 …; JOINT a name of SMPL-22. Before the joints comes
``/motiongen/CHARACTER/time`` with seconds, and after them ``/motiongen/CHARACTER/end``: the pose is whole.
"""

import numpy as np

from motiongen_bridge.datagrams import MTU_BYTES, DatagramSender
from motiongen_bridge.osc_layout import OscLayout, osc_message
from motiongen_bridge.sent_body import body_rest, check_pose, world_pose

PORT = 9000
"""UDP port that many OSC receivers listen on."""


class OscSender(DatagramSender):
    """Sends each character's joints, in bundles that fit a datagram.

    Attributes:
        lost: datagrams that could not be sent.
        max_characters: characters at most.
    """

    max_characters = 8

    def __init__(self, host: str, port: int = PORT, *, max_bytes: int = MTU_BYTES) -> None:
        """Open a socket.

        Args:
            host: name or address of the receiver's machine.
            port: UDP port of the receiver.
            max_bytes: bytes of a datagram at most.

        Raises:
            ValueError: the host is unknown, or no joint fits a datagram.
        """
        self._layouts = [_layout(character, max_bytes) for character in range(self.max_characters)]
        super().__init__(host, port)

    def send(self, rotations: np.ndarray, root: np.ndarray, time: float, character: int = 0) -> None:
        """Send a pose of a character.

        Args:
            rotations: (22, 4) local rotations, xyzw.
            root: (3,) position of the pelvis, metres.
            time: seconds since the stream began.
            character: 0, 1, 2 …

        Raises:
            ValueError: the pose is of another skeleton.
        """
        check_pose(rotations, root)
        layout = self._layouts[character]
        layout.put(0, time)
        for joint, (position, rotation) in enumerate(zip(*world_pose(rotations, root), strict=True), 1):
            layout.put(joint, *position, *rotation)
        for datagram in layout.datagrams:
            self._socket.send(datagram)


def _layout(character: int, max_bytes: int) -> OscLayout:
    base = f"/motiongen/{character + 1}"
    joints = [osc_message(f"{base}/{name}", *[0.0] * 7) for name in body_rest().names]
    return OscLayout([osc_message(f"{base}/time", 0.0), *joints, osc_message(f"{base}/end")], max_bytes)
