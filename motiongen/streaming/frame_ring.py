"""The last frames of a stream, in flat arrays: a hundred streams of frame objects would stall Python's collector."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class StreamFrame:
    """One frame of a stream.

    Attributes:
        seq: 0, 1, 2 … since the character was opened; frames that were replaced before they were taken do not count.
        rotations: (22, 4) float32, local, xyzw.
        root: (3,) float32, metres.
        contacts: bits 0..3 in the order of `contacts.CONTACT_JOINTS`.
        obeys: number of the command that the frame obeys, 0 before any.
    """

    seq: int
    rotations: np.ndarray
    root: np.ndarray
    contacts: int
    obeys: int


class FrameRing:
    """Ring buffer of the last frames, a sequence of StreamFrames, oldest first. Frames are made when they are read."""

    def __init__(self, size: int, joints: int = 22) -> None:
        """Make an empty ring.

        Args:
            size: frames that it holds.
            joints: joints of a frame.
        """
        kind: list[Any] = [
            ("seq", np.int64),
            ("rotations", np.float32, (joints, 4)),
            ("root", np.float32, 3),
            ("contacts", np.int64),
            ("obeys", np.int64),
        ]
        self._rows = np.zeros(size, dtype=kind)
        self._count = 0

    def append(self, frame: StreamFrame) -> None:
        """Add a frame; the oldest is removed where the ring is full.

        Args:
            frame: the next frame.
        """
        row = self._rows[self._count % len(self._rows)]
        row["seq"], row["contacts"], row["obeys"] = frame.seq, frame.contacts, frame.obeys
        row["rotations"], row["root"] = frame.rotations, frame.root
        self._count += 1

    def __len__(self) -> int:
        return min(self._count, len(self._rows))

    def __getitem__(self, index: int) -> StreamFrame:
        if not -len(self) <= index < len(self):
            raise IndexError(f"frame {index} of {len(self)}")
        position = self._count + index if index < 0 else self._count - len(self) + index
        row = self._rows[position % len(self._rows)]
        return StreamFrame(
            int(row["seq"]),
            row["rotations"].copy(),
            row["root"].copy(),
            int(row["contacts"]),
            int(row["obeys"]),
        )

    def __iter__(self) -> Iterator[StreamFrame]:
        return (self[n] for n in range(len(self)))
