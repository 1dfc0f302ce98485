"""Sends characters to Unreal's Live Link, in the JSON over UDP that the plug-in JSONLiveLink reads.

A datagram is an object whose key is a subject's name and whose value is the list of its bones:
``{"motiongen1": [{"Name": "pelvis", "Parent": -1, "Location": [x, y, z], "Rotation": [x, y, z, w],
"Scale": [1, 1, 1]}, …]}``, local to the parent, in centimetres. The plug-in takes a whole pose alone, and the bones'
names: a datagram has about 2.6 kB, which a network with an MTU of 1500 bytes carries in two fragments.
"""

import numpy as np

from motiongen_bridge.datagrams import DatagramSender
from motiongen_bridge.sent_body import body_rest, check_pose
from motiongen_bridge.unreal_axes import unreal_position, unreal_rotation

PORT = 54321
"""UDP port on which the plug-in listens by default."""
MAX_BYTES = 4096
"""Bytes of a datagram at most, wherever a character walks within a hundred kilometres."""


class LiveLinkSender(DatagramSender):
    """Sends each character as a Live Link subject of its own, ``motiongen1`` and so on.

    Attributes:
        lost: datagrams that could not be sent.
        max_characters: subjects at most.
    """

    max_characters = 8

    def __init__(self, host: str, port: int = PORT) -> None:
        """Open a socket.

        Args:
            host: name or address of the receiver's machine.
            port: UDP port of the receiver.

        Raises:
            ValueError: the host is unknown.
        """
        super().__init__(host, port)
        self._template = _template()

    def send(self, rotations: np.ndarray, root: np.ndarray, time: float, character: int = 0) -> None:
        """Send a pose of a character.

        Args:
            rotations: (22, 4) local rotations, xyzw.
            root: (3,) position of the pelvis, metres.
            time: seconds since the stream began; Live Link takes the time of arrival.
            character: 0, 1, 2 …

        Raises:
            ValueError: the pose is of another skeleton.
        """
        check_pose(rotations, root)
        x, y, z = root.tolist()
        numbers: list[float] = [*unreal_position((x, y, z))]
        for a, b, c, w in rotations.tolist():
            numbers.extend(unreal_rotation((a, b, c, w)))
        # No minus before a zero: adding 0.0 takes it away.
        text = self._template % (character + 1, *[number + 0.0 for number in numbers])
        self._socket.send(text.encode("ascii"))


def _template() -> str:
    """Return the text of a pose, in which the subject's number, the root's place and all rotations are left out."""
    rest, bones = body_rest(), []
    for name, parent, offset in zip(rest.names, rest.parents, rest.offsets, strict=True):
        place = "%.2f,%.2f,%.2f"
        if parent >= 0:
            place = place % tuple(value + 0.0 for value in unreal_position(offset))
        bones.append(
            f'{{"Name":"{name}","Parent":{parent},"Location":[{place}],'
            '"Rotation":[%.5f,%.5f,%.5f,%.5f],"Scale":[1,1,1]}'
        )
    return '{"motiongen%d":[' + ",".join(bones) + "]}"
