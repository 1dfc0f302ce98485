"""Audio messages: 16-bit PCM, the only binary message of clients (PROTOCOL.md, "Music")."""

import struct
from dataclasses import dataclass

import numpy as np

from motiongen_bridge.frames import INT16, Kind, ProtocolError

HEADER = struct.Struct("<BBHIQ")
"""kind, format, character, sample rate, number of the first sample."""
S16 = 1
"""Format: 16-bit PCM, mono, little-endian."""
MAX_FIRST = 2**53 - 1


@dataclass(frozen=True, slots=True)
class WireAudio:
    """A decoded audio message.

    Attributes:
        character: number of the character on the connection.
        sample_rate: samples a second.
        first: number of the first sample in the piece of music.
        samples: (n,) int16, mono.
    """

    character: int
    sample_rate: int
    first: int
    samples: np.ndarray


def encode_audio(audio: WireAudio) -> bytes:
    """Return the bytes of an audio message.

    Args:
        audio: the message.
    """
    head = HEADER.pack(Kind.AUDIO, S16, audio.character, audio.sample_rate, audio.first)
    return head + audio.samples.astype("<i2").tobytes()


def decode_audio(data: bytes) -> WireAudio:
    """Return the audio message in some bytes.

    Args:
        data: a binary message.

    Raises:
        ProtocolError: the bytes are no audio message.
    """
    if len(data) < HEADER.size + 2 or len(data) % 2:
        raise ProtocolError(
            "bad_message",
            f"audio: expected {HEADER.size} bytes and two for each sample, got {len(data)} in all",
        )
    kind, format, character, sample_rate, first = HEADER.unpack_from(data)
    if kind != Kind.AUDIO or format != S16:
        raise ProtocolError("bad_message", f"audio: expected kind 2 and format 1, got {kind} and {format}")
    if first > MAX_FIRST:
        raise ProtocolError("bad_value", f"audio: expected a first sample 0..2**53 - 1, got {first}")
    samples = np.frombuffer(data, "<i2", offset=HEADER.size).astype(np.int16)
    return WireAudio(character, sample_rate, first, samples)


def to_s16(samples: np.ndarray) -> np.ndarray:
    """Return samples as int16; louder ones are clipped.

    Args:
        samples: (n,) mono, int16 or floats of -1..1.
    """
    if samples.dtype == np.int16:
        return samples
    return np.rint(np.clip(samples, -1, 1) * INT16).astype(np.int16)
