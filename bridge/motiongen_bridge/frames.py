"""Frame messages: one character's pose as bytes, or as JSON (PROTOCOL.md, "Frames")."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

SUBPROTOCOL = "motiongen.v1"


class ProtocolError(ValueError):
    """A message that is refused.

    Attributes:
        code: one of PROTOCOL.md's error codes.
        id: id of the message, where it could be read.
    """

    def __init__(self, code: str, message: str, id: int | None = None) -> None:
        """Make an error.

        Args:
            code: one of PROTOCOL.md's error codes.
            message: the reason, for people.
            id: id of the message.
        """
        super().__init__(message)
        self.code, self.id = code, id


class Kind(IntEnum):
    """First byte of a binary message: its kind."""

    FRAME = 1
    AUDIO = 2


class Format(IntEnum):
    """Second byte of a frame: its number format. JSON frames are text messages."""

    F32 = 1
    I16 = 2
    JSON = 3


FORMATS = {"f32": Format.F32, "i16": Format.I16, "json": Format.JSON}
HEADER = struct.Struct("<BBBBHHIIQ")
"""kind, format, flags, contacts, character, joints, seq, obeys, time."""
GAP = 1
"""Flag: frames before this one were left out."""
MAX_JOINTS = 1024
NUMBERS = {"character": 16, "seq": 32, "obeys": 32, "time": 64}
"""Bits of the whole numbers of a frame."""
INT16 = 32767


@dataclass(frozen=True, slots=True)
class WireFrame:
    """A decoded frame message.

    Attributes:
        character: number of the character on the connection.
        seq: 0, 1, 2 …; modulo 2**32.
        time: when the frame is to be shown, microseconds of the server's clock.
        contacts: bits, in the order of hello.contacts.
        obeys: number of the verb that the frame obeys; 0 before any.
        root: (3,) float32 metres.
        rotations: (J, 4) float32, local, xyzw; q and -q mean the same.
        is_gap: whether frames before this one were left out.
    """

    character: int
    seq: int
    time: int
    contacts: int
    obeys: int
    root: np.ndarray
    rotations: np.ndarray
    is_gap: bool = False


def encode_body(rotations: np.ndarray, root: np.ndarray, format: Format) -> bytes:
    """Return the bytes after the header: the same for all watchers of that format.

    Args:
        rotations: (J, 4) float32.
        root: (3,) float32, metres.
        format: F32 or I16.
    """
    if format is Format.I16:
        return root.astype("<f4").tobytes() + np.rint(rotations * INT16).astype("<i2").tobytes()
    return root.astype("<f4").tobytes() + rotations.astype("<f4").tobytes()


def encode_header(frame: WireFrame, format: Format) -> bytes:
    """Return the 24 bytes before the body.

    Args:
        frame: the frame.
        format: F32 or I16.
    """
    flags = GAP if frame.is_gap else 0
    numbers = (frame.character, len(frame.rotations), frame.seq % 2**32, frame.obeys % 2**32, frame.time)
    return HEADER.pack(Kind.FRAME, format, flags, frame.contacts, *numbers)


def encode_frame(frame: WireFrame, format: Format = Format.F32) -> bytes:
    """Return a frame's binary message; for JSON see `frame_to_json`.

    Args:
        frame: the frame.
        format: F32 or I16.
    """
    return encode_header(frame, format) + encode_body(frame.rotations, frame.root, format)


def decode_frame(data: bytes) -> WireFrame:
    """Return the frame in a binary message.

    Args:
        data: a binary message.

    Raises:
        ProtocolError: the bytes are no frame.
    """
    if len(data) < HEADER.size:
        raise ProtocolError("bad_message", f"frame: expected {HEADER.size} bytes or more, got {len(data)}")
    kind, format, flags, contacts, character, joints, seq, obeys, time = HEADER.unpack_from(data)
    if kind != Kind.FRAME or format not in (Format.F32, Format.I16):
        raise ProtocolError(
            "bad_message", f"frame: expected kind 1 and format 1 or 2, got {kind} and {format}"
        )
    if not 1 <= joints <= MAX_JOINTS:
        raise ProtocolError("bad_message", f"frame: expected 1 to {MAX_JOINTS} joints, got {joints}")
    size = HEADER.size + 12 + joints * (16 if format == Format.F32 else 8)
    if len(data) != size:
        raise ProtocolError(
            "bad_message", f"frame: expected {size} bytes for {joints} joints, got {len(data)}"
        )
    root = np.frombuffer(data, "<f4", 3, HEADER.size).astype(np.float32)
    if format == Format.F32:
        rotations = np.frombuffer(data, "<f4", 4 * joints, HEADER.size + 12).astype(np.float32)
    else:
        numbers = np.frombuffer(data, "<i2", 4 * joints, HEADER.size + 12)
        rotations = (numbers / INT16).astype(np.float32)
    return WireFrame(
        character, seq, time, contacts, obeys, root, rotations.reshape(joints, 4), bool(flags & GAP)
    )


def frame_to_json(frame: WireFrame) -> dict[str, Any]:
    """Return a frame as the JSON message "frame".

    Args:
        frame: the frame.
    """
    return {
        "type": "frame",
        "character": frame.character,
        "seq": frame.seq % 2**32,
        "obeys": frame.obeys % 2**32,
        "time": frame.time,
        "contacts": [bool(frame.contacts >> bit & 1) for bit in range(4)],
        "root": [round(float(value), 5) for value in frame.root],
        "rotations": [[round(float(value), 6) for value in row] for row in frame.rotations],
        "gap": frame.is_gap,
    }


def frame_from_json(message: object) -> WireFrame:
    """Return the frame in a parsed JSON message.

    Args:
        message: any JSON value.

    Raises:
        ProtocolError: it is no frame.
    """
    if not isinstance(message, dict):
        raise ProtocolError("bad_message", f"frame: expected an object, got {type(message).__name__}")
    character, seq, obeys, time = (_int_field(message, name, bits) for name, bits in NUMBERS.items())
    root, rotations = _float_field(message, "root"), _float_field(message, "rotations")
    if root.shape != (3,) or rotations.shape[1:] != (4,) or not 1 <= len(rotations) <= MAX_JOINTS:
        raise ProtocolError("bad_message", "frame: expected root of 3 numbers and rotations of 4 a joint")
    flags = message.get("contacts")
    if not isinstance(flags, list) or len(flags) > 8 or not all(isinstance(flag, bool) for flag in flags):
        raise ProtocolError("bad_message", "frame: expected contacts of at most 8 truth values")
    contacts = sum(1 << bit for bit, flag in enumerate(flags) if flag)
    return WireFrame(character, seq, time, contacts, obeys, root, rotations, message.get("gap") is True)


def _int_field(message: dict[str, Any], name: str, bits: int) -> int:
    value = message.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**bits:
        raise ProtocolError("bad_message", f"frame: expected {name}, a whole number of {bits} bits")
    return value


def _float_field(message: dict[str, Any], name: str) -> np.ndarray:
    try:
        values = np.asarray(message.get(name))
    except ValueError:  # rows of different lengths
        values = np.empty(0, dtype=object)
    with np.errstate(over="ignore"):
        # By the kind of the values: a conversion would take "1" for a number, and null for NaN.
        floats = values.astype(np.float32) if values.dtype.kind in "iuf" else np.full(1, np.nan, np.float32)
    if not np.isfinite(floats).all():
        raise ProtocolError("bad_message", f"frame: expected {name} of finite numbers")
    return floats
