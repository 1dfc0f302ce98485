"""Sends a character by VMC (Virtual Motion Capture protocol 2): to Unity, Unreal, Blender, VSeeFace and others.

VMC is OSC over UDP, in Unity's world: left-handed, Y up, metres, facing +Z. What is right-handed goes there through the
mirror x -> -x: positions (-x, y, z), quaternions (x, -y, -z, w). Bones turn from the T-pose of a VRM avatar, which is
SMPL-22's rest pose, so that its local rotations go over as they are.
"""

import logging
import socket
import struct
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import ArrayLike
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

log = logging.getLogger(__name__)

PORT = 39539
"""Usual UDP port of VMC receivers."""
MAX_BYTES = 1400
"""Bytes of a datagram: one that is fragmented on its way is lost whole when a fragment is."""

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

_POSITION = np.array([-1.0, 1.0, 1.0], dtype=np.float32)
_ROTATION = np.array([1.0, -1.0, -1.0, 1.0], dtype=np.float32)


class VMCSender:
    """Sends poses of SMPL-22 to one receiver. Never blocks, and does not fail when nobody receives.

    The position on the floor is sent as the root's and the height as the hips', so that a receiver that ignores bone
    positions, as is advised for an avatar of other proportions, still walks.

    Attributes:
        lost: datagrams that could not be sent.
    """

    def __init__(
        self, host: str, port: int = PORT, offsets: ArrayLike | None = None, *, max_bytes: int = MAX_BYTES
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
        positions = np.asarray(_own_offsets() if offsets is None else offsets, dtype=np.float32)
        if positions.shape != (len(BONES), 3):
            raise ValueError(f"offsets: expected shape (22, 3) as of SMPL-22, got {positions.shape}")
        try:
            family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except OSError as error:
            raise ValueError(f"host: expected a machine that is known, got {host!r}: {error}") from None
        self._address: tuple[object, ...] = address
        self._layout = _Layout(max_bytes)
        self._values = np.zeros((len(BONES), 7), dtype=np.float32)
        self._values[:, :3] = positions * _POSITION
        self._socket = socket.socket(family, kind)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.lost = 0

    def send(self, rotations: np.ndarray, root: np.ndarray, time: float) -> None:
        """Send a pose.

        Args:
            rotations: (22, 4) local rotations, xyzw.
            root: (3,) position of the pelvis, metres.
            time: seconds since the stream began.

        Raises:
            ValueError: the pose is of another skeleton.
        """
        if np.shape(rotations) != (len(BONES), 4) or np.shape(root) != (3,):
            raise ValueError(
                f"pose: expected rotations (22, 4) and root (3,), got {np.shape(rotations)} and {np.shape(root)}"
            )
        self._values[:, 3:] = rotations * _ROTATION
        x, height, z = (root * _POSITION).tolist()
        self._values[0, :3] = (0.0, height, 0.0)
        for datagram in self._layout.fill((x, 0.0, z, 0.0, 0.0, 0.0, 1.0), self._values, time):
            # Not connected: a connected socket would report on one datagram by failing to send the next.
            try:
                self._socket.sendto(datagram, self._address)
            except OSError as error:  # a full buffer, a network that is gone: the next pose is as good
                if not self.lost:
                    log.warning("event=vmc_lost reason=%s", error)
                self.lost += 1

    def close(self) -> None:
        """Close the socket; what was sent may still arrive."""
        self._socket.close()


def parse_address(address: str) -> tuple[str, int]:
    """Return the host and the port of a receiver.

    Args:
        address: ``HOST:PORT``, ``[IPv6]:PORT``, or ``HOST`` with the usual port.

    Raises:
        ValueError: it is no address.
    """
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, PORT if parts.port is None else parts.port
    except ValueError:  # of urlsplit: a port that is no number, brackets that do not close
        host, port = None, 0
    if not host or not port or parts.netloc != address or address[-1] == ":" or "@" in address:
        raise ValueError(f"vmc: expected HOST:PORT such as 127.0.0.1:{PORT}, got {address!r}")
    return host, port


class _Layout:
    """The datagrams of a pose, built once: only their numbers change, and these end each message."""

    def __init__(self, max_bytes: int) -> None:
        """Build the datagrams.

        Args:
            max_bytes: bytes of a datagram at most.
        """
        pose = [_message("/VMC/Ext/Bone/Pos", bone, *[0.0] * 7) for bone in BONES.values()]
        # A pose becomes visible by its last message, which therefore comes last of all.
        messages = [
            _message("/VMC/Ext/OK", 1),
            _message("/VMC/Ext/T", 0.0),
            _message("/VMC/Ext/Root/Pos", "root", *[0.0] * 7),
            *pose,
            _message("/VMC/Ext/Blend/Apply"),
        ]
        self._datagrams: list[bytearray] = []
        ends: list[tuple[bytearray, int]] = []
        for part in _split(messages, max_bytes):
            bundle = OscBundleBuilder(IMMEDIATELY)
            for message in part:
                bundle.add_content(message)
            datagram = bytearray(bundle.build().dgram)
            end = 16  # of "#bundle" and the time; then each message follows its size
            for message in part:
                end += 4 + message.size
                ends.append((datagram, end))
            self._datagrams.append(datagram)
        _, self._time, self._root, *self._bones, _ = ends

    def fill(self, root: tuple[float, ...], bones: np.ndarray, time: float) -> list[bytearray]:
        """Return the datagrams of a pose, valid until the next.

        Args:
            root: position and rotation, 7 numbers.
            bones: (22, 7) positions and rotations.
            time: seconds since the stream began.
        """
        for (datagram, end), numbers in zip(self._bones, bones.tolist(), strict=True):
            struct.pack_into(">7f", datagram, end - 28, *numbers)
        datagram, end = self._root
        struct.pack_into(">7f", datagram, end - 28, *root)
        datagram, end = self._time
        struct.pack_into(">f", datagram, end - 4, time)
        return self._datagrams


def _own_offsets() -> np.ndarray:
    from motiongen.skeleton import SMPL22  # brings torch, which a sender alone does without

    return SMPL22.offsets.numpy()


def _message(address: str, *values: str | int | float) -> OscMessage:
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return builder.build()


def _split(messages: list[OscMessage], max_bytes: int) -> list[list[OscMessage]]:
    """Share messages, in their order, among bundles that are no larger than asked."""
    parts: list[list[OscMessage]] = []
    room = -1
    for message in messages:
        if 4 + message.size > room:
            parts.append([])
            room = max_bytes - 16
            if 4 + message.size > room:
                raise ValueError(f"max_bytes: expected room for {message.size} bytes, got {max_bytes}")
        parts[-1].append(message)
        room -= 4 + message.size
    return parts
