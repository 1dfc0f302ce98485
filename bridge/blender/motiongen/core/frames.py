"""Frame messages of the stream (bridge/PROTOCOL.md, "Frames")."""

import math
import struct
from typing import NamedTuple

from .quaternion import IDENTITY, Quaternion, Vector

HEADER = struct.Struct("<BBBBHHIIQ")
MAX_JOINTS = 1024


class Frame(NamedTuple):
    """A pose of one character.

    Attributes:
        character: its number on the connection.
        seq: 0, 1, 2 …
        time: when it is to be shown, microseconds of the server's clock.
        contacts: bits, in the order of hello.contacts.
        obeys: number of the verb that it obeys.
        root: position of the root, metres.
        rotations: local rotations of the joints, xyzw, of unit length.
        is_gap: whether frames before it were left out.
    """

    character: int
    seq: int
    time: int
    contacts: int
    obeys: int
    root: Vector
    rotations: tuple[Quaternion, ...]
    is_gap: bool


def decode_frame(data: bytes) -> Frame:
    """Return the frame in a binary message.

    Args:
        data: the message.

    Raises:
        ValueError: it is no frame.
    """
    if len(data) < HEADER.size:
        raise ValueError(f"frame: expected {HEADER.size} bytes or more, got {len(data)}")
    kind, form, flags, contacts, character, joints, seq, obeys, time = HEADER.unpack_from(data)
    size = {1: 16, 2: 8}.get(form)
    if kind != 1 or size is None or not 1 <= joints <= MAX_JOINTS:
        raise ValueError(f"frame: expected kind 1, format 1 or 2 and joints, got {kind}, {form} and {joints}")
    if len(data) != HEADER.size + 12 + joints * size:
        raise ValueError(f"frame: expected another length for {joints} joints, got {len(data)} bytes")
    root = struct.unpack_from("<3f", data, HEADER.size)
    numbers = struct.unpack_from(f"<{4 * joints}{'f' if form == 1 else 'h'}", data, HEADER.size + 12)
    rotations = tuple(_unit(*numbers[at : at + 4]) for at in range(0, 4 * joints, 4))
    return Frame(character, seq, time, contacts, obeys, root, rotations, bool(flags & 1))


def _unit(x: float, y: float, z: float, w: float) -> Quaternion:
    size = math.sqrt(x * x + y * y + z * z + w * w)
    return (x / size, y / size, z / size, w / size) if size > 0 else IDENTITY
