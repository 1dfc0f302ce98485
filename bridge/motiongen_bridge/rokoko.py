"""Sends characters as Rokoko Studio does: its live JSON, version 3, which Rokoko's plug-ins for many programs read.

A datagram is an LZ4 frame with the JSON of a scene: all actors, each with its bones by name. A bone has a position and
a rotation in the world, in Unity's axes (metres). Rotations include the bone's rotation in Studio's own T-pose (BONES),
in which a bone points along its -Y: a plug-in takes that away again, and applies the rest to its character's T-pose.

The plug-in for Unity turns the fingers with or without gloves, so they are sent: at rest, on the hand. An actor has
8 kB, and a plug-in takes all that are there from one datagram of at most 32 kB, which leaves room for three.
"""

import struct

import numpy as np

from motiongen_bridge.datagrams import DatagramSender
from motiongen_bridge.sent_body import Quaternion, body_rest, check_pose, multiply, world_pose
from motiongen_bridge.unity_axes import unity_position, unity_rotation

PORT = 14043
"""UDP port on which Rokoko's plug-ins listen by default."""
MAX_BYTES = 32768
"""Bytes of a datagram that all plug-ins read."""
GONE_SECONDS = 0.5
"""Time after which a character of which nothing more came is left out."""
COLOURS = ((64, 160, 255), (255, 160, 64), (128, 224, 96))

_S = 0.5**0.5
_UP: Quaternion = (0.0, 0.0, 1.0, 0.0)
_LEFT_LEG: Quaternion = (0.0, _S, 0.0, _S)
_LEFT_FOOT: Quaternion = (0.0, _S, -_S, 0.0)
_LEFT_ARM: Quaternion = (0.5, 0.5, -0.5, 0.5)
_MIDDLE = {
    "hip": ("pelvis", (0.0, 0.0, 0.0, 1.0)),
    "spine": ("spine1", _UP),
    "chest": ("spine3", _UP),
    "neck": ("neck", _UP),
    "head": ("head", _UP),
}
_LEFT = {
    "Shoulder": ("collar", (0.0, 0.0, -_S, _S)),
    "UpperArm": ("shoulder", _LEFT_ARM),
    "LowerArm": ("elbow", _LEFT_ARM),
    "Hand": ("wrist", _LEFT_ARM),
    "UpLeg": ("hip", _LEFT_LEG),
    "Leg": ("knee", _LEFT_LEG),
    "Foot": ("ankle", _LEFT_FOOT),
    "Toe": ("foot", _LEFT_FOOT),
    "ToeEnd": ("foot", _LEFT_FOOT),
    "ThumbProximal": ("wrist", (0.560986, 0.701057, -0.430459, 0.092296)),
    **{
        f"Thumb{part}": ("wrist", (0.653281, 0.653281, -0.270598, 0.270598))
        for part in ("Medial", "Distal", "Tip")
    },
    **{
        f"{finger}{part}": ("wrist", _LEFT_ARM)
        for finger in ("Index", "Middle", "Ring", "Little")
        for part in ("Proximal", "Medial", "Distal", "Tip")
    },
}


def _mirrored(q: Quaternion) -> Quaternion:
    x, y, z, w = q
    return x, -y, -z, w


BONES: dict[str, tuple[str, Quaternion]] = {
    **_MIDDLE,
    **{f"left{bone}": (f"left_{joint}", rest) for bone, (joint, rest) in _LEFT.items()},
    **{f"right{bone}": (f"right_{joint}", _mirrored(rest)) for bone, (joint, rest) in _LEFT.items()},
}
"""Bone of Rokoko -> SMPL-22's joint, and the bone's rotation in Studio's T-pose, in Unity's axes."""


class RokokoSender(DatagramSender):
    """Sends characters as actors of one scene, ``motiongen1`` and so on.

    Attributes:
        lost: datagrams that could not be sent.
        max_characters: actors at most.
    """

    max_characters = len(COLOURS)

    def __init__(self, host: str, port: int = PORT) -> None:
        """Open a socket.

        Args:
            host: name or address of the receiver's machine.
            port: UDP port of the receiver.

        Raises:
            ValueError: the host is unknown.
        """
        super().__init__(host, port)
        names = body_rest().names
        self._bones = [(names.index(joint), rest) for joint, rest in BONES.values()]
        self._template = _actor_template()
        self._actors: dict[int, tuple[float, str]] = {}

    def send(self, rotations: np.ndarray, root: np.ndarray, time: float, character: int = 0) -> None:
        """Take a pose of a character; the first of those there sends the scene with all of them.

        Args:
            rotations: (22, 4) local rotations, xyzw.
            root: (3,) position of the pelvis, metres.
            time: seconds since the stream began.
            character: 0, 1, 2 …

        Raises:
            ValueError: the pose is of another skeleton.
        """
        check_pose(rotations, root)
        self._actors[character] = time, self._actor(rotations, root, character)
        there = {n: actor for n, actor in self._actors.items() if time - actor[0] <= GONE_SECONDS}
        self._actors = there
        if character == min(there):
            actors = ",".join(text for _, (_, text) in sorted(there.items()))
            scene = f'{{"timestamp":{time:.4f},"actors":[{actors}],"characters":[],"props":[]}}'
            self._socket.send(lz4_frame(f'{{"version":3.0,"fps":30.0,"scene":{scene}}}'.encode("ascii")))

    def _actor(self, rotations: np.ndarray, root: np.ndarray, character: int) -> str:
        places, turns = world_pose(rotations, root)
        positions = [unity_position(place) for place in places]
        world = [unity_rotation(turn) for turn in turns]
        numbers: list[float] = []
        for joint, rest in self._bones:
            numbers.extend(positions[joint])
            numbers.extend(multiply(world[joint], rest))
        # No minus before a zero: adding 0.0 takes it away.
        return self._template % (character + 1, *COLOURS[character], *[number + 0.0 for number in numbers])


def _actor_template() -> str:
    """Return the text of an actor, in which its number, its colour and all bones' numbers are left out."""
    rest = body_rest()
    head = rest.hip_height
    joint = rest.names.index("head")
    while joint > 0:
        head, joint = head + rest.offsets[joint][1], rest.parents[joint]
    bones = ",".join(
        f'"{bone}":{{"position":{{"x":%.4f,"y":%.4f,"z":%.4f}},'
        '"rotation":{"x":%.5f,"y":%.5f,"z":%.5f,"w":%.5f}}'
        for bone in BONES
    )
    return (
        '{"name":"motiongen%d","color":[%d,%d,%d],"meta":{"hasGloves":false,"hasLeftGlove":false,'
        '"hasRightGlove":false,"hasBody":true,"hasFace":false},'
        # The skull over the head's joint, which is where it turns on the neck.
        f'"dimensions":{{"totalHeight":{head + 0.2:.4f},"hipHeight":{rest.hip_height:.4f}}},'
        f'"body":{{{bones}}}}}'
    )


def lz4_frame(data: bytes) -> bytes:
    """Return bytes as an LZ4 frame with its content's size, in one stored block (LZ4 Frame Format 1.6.4).

    Stored, since packing in Python would take longer than a frame lasts.

    Args:
        data: less than 64 KiB.
    """
    # Version 1, independent blocks, content size; blocks of up to 64 KiB.
    descriptor = struct.pack("<BBQ", 0b01101000, 0b01000000, len(data))
    check = xxhash32(descriptor) >> 8 & 0xFF
    stored = 1 << 31 | len(data)
    return struct.pack("<I10sBI", 0x184D2204, descriptor, check, stored) + data + bytes(4)


def xxhash32(data: bytes) -> int:
    """Return the 32-bit xxHash of less than 16 bytes, with seed 0 (XXH32 of the xxHash specification 0.1.1).

    Args:
        data: less than 16 bytes.
    """
    assert len(data) < 16, len(data)
    mask, whole = 2**32 - 1, len(data) // 4 * 4
    value = (374761393 + len(data)) & mask
    for (lane,) in struct.iter_unpack("<I", data[:whole]):
        value = (value + lane * 3266489917) & mask
        value = (value << 17 | value >> 15) * 668265263 & mask
    for byte in data[whole:]:
        value = (value + byte * 374761393) & mask
        value = ((value << 11 | value >> 21) & mask) * 2654435761 & mask
    value = (value ^ value >> 15) * 2246822519 & mask
    value = (value ^ value >> 13) * 3266489917 & mask
    return value ^ value >> 16
