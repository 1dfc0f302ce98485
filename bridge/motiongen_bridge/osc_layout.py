"""OSC messages whose numbers change, in bundles that are built once (Open Sound Control 1.0, 2002)."""

import struct
from collections.abc import Iterable

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from motiongen_bridge.datagrams import MTU_BYTES


class OscLayout:
    """The datagrams of some messages, built once: only the float arguments that end a message change.

    Attributes:
        datagrams: the bundles, with the numbers that were put in last.
    """

    def __init__(self, messages: Iterable[OscMessage], max_bytes: int = MTU_BYTES) -> None:
        """Build the datagrams.

        Args:
            messages: in the order in which they are sent.
            max_bytes: bytes of a datagram at most.

        Raises:
            ValueError: a message does not fit into a datagram.
        """
        self.datagrams: list[bytearray] = []
        self._ends: list[tuple[bytearray, int]] = []
        for part in _split(list(messages), max_bytes):
            bundle = OscBundleBuilder(IMMEDIATELY)
            for message in part:
                bundle.add_content(message)
            datagram = bytearray(bundle.build().dgram)
            end = 16  # of "#bundle" and the time; then each message follows its size
            for message in part:
                end += 4 + message.size
                self._ends.append((datagram, end))
            self.datagrams.append(datagram)

    def put(self, message: int, *numbers: float) -> None:
        """Put numbers in place of a message's last arguments, which are floats.

        Args:
            message: its place among the messages; may be negative, from the end.
            numbers: its last arguments.
        """
        datagram, end = self._ends[message]
        struct.pack_into(f">{len(numbers)}f", datagram, end - 4 * len(numbers), *numbers)


def osc_message(address: str, *values: str | int | float) -> OscMessage:
    """Return a message.

    Args:
        address: its address pattern.
        values: its arguments; whole numbers go as int32, others as float32.
    """
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
