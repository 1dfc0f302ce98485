"""What a watcher of one character knows of its stream: how fast, how late, what it obeys, and where it went."""

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from motiongen_bridge.frames import WireFrame

if TYPE_CHECKING:
    from motiongen_bridge.frame_recorder import FrameRecorder

BRAILLE = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Bits of a braille character's dots, by row and column (Unicode 15, section 21.1)."""
STEP = 0.04
"""Metres between two points of the path that is remembered."""


class StreamStats:
    """What came of a character that is told sentences, one after the other, and nothing else.

    Attributes:
        said: the sentences.
        unbegun: sentences that were not begun when it was left.
        fps: frames a second.
        frames: that came.
        dropped: frames that did not, since the first.
        first: number of the first frame; -1 before any.
        asked, answered: when the first sentence was sent, and when a frame obeyed it; seconds of `time.monotonic()`.
        late: seconds by which the last frames came after their time.
        walked: metres that the root has gone.
        root: (3,) its last position, metres.
        path: (x, z) of the root every few centimetres.
        changes: (frame number, what is obeyed from there on).
        recorder: keeps the frames, if they are to be kept.
    """

    def __init__(self, said: Sequence[str]) -> None:
        self.said, self.unbegun, self.fps = said, 0, 30.0
        self.frames, self.dropped, self.first = 0, 0, -1
        self.asked = self.answered = self.walked = 0.0
        self.late: deque[float] = deque(maxlen=9000)
        self.root = np.zeros(3, dtype=np.float32)
        self.path: deque[np.ndarray] = deque(maxlen=2000)
        self.changes: list[tuple[int, str]] = []
        self.recorder: FrameRecorder | None = None
        self._began, self._arrivals = 0.0, deque[float](maxlen=300)
        self._numbers: list[int] = []  # of verbs that were obeyed, rising: the sentences, in their order

    def start(self, hello: Mapping[str, Any]) -> None:
        """Take a server's hello; the first sentence is sent now."""
        self.fps, self.asked = frame_rate(hello), time.monotonic()

    def add(self, frame: WireFrame, events: Sequence[Mapping[str, Any]], late: float | None) -> None:
        """Take note of a frame that came now.

        Args:
            frame: its number is higher than the last one's.
            events: what came about lately.
            late: seconds by which it came after its time, where that is known.
        """
        now = time.monotonic()
        if not self.frames:
            self.first, self.root, self._began = frame.seq, frame.root, now
        if frame.obeys and not self.answered:
            self.answered = now
        if frame.obeys and frame.obeys not in self._numbers:
            self._numbers.append(frame.obeys)
        obeyed = self._obeyed(frame, events)
        if not self.changes or self.changes[-1][1] != obeyed:
            self.changes.append((frame.seq, obeyed))
        self.frames += 1
        self.dropped = frame.seq - self.first + 1 - self.frames
        self._arrivals.append(now)
        if late is not None:
            self.late.append(late)
        self.walked += float(np.linalg.norm((frame.root - self.root)[[0, 2]]))
        self.root = frame.root
        if not self.path or np.linalg.norm(frame.root[[0, 2]] - self.path[-1]) > STEP:
            self.path.append(frame.root[[0, 2]])
        if self.recorder is not None:
            self.recorder.add(frame)

    def _obeyed(self, frame: WireFrame, events: Sequence[Mapping[str, Any]]) -> str:
        """Return what a frame obeys.

        Events tell of what was queued, and of idling, which keeps the number of what ended. They are not sent again
        after a lost connection, and there is none for a sentence that need not wait: the order of numbers tells those.
        """
        for event in reversed(events):
            if event["event"] == "obeys" and event["number"] == frame.obeys and event["seq"] <= frame.seq:
                return "".join(letter for letter in event["text"] if letter.isprintable())
        return self.said[min(len(self._numbers), len(self.said)) - 1] if frame.obeys else ""

    @property
    def rate(self) -> float:
        """Frames of the last second."""
        now = time.monotonic()
        return sum(now - arrival <= 1 for arrival in self._arrivals) / min(1.0, max(now - self._began, 0.01))

    @property
    def answer(self) -> str:
        """How soon a frame obeyed the first sentence."""
        return f"after {1e3 * (self.answered - self.asked):.0f} ms" if self.answered else "none"

    def captions(self) -> list[tuple[float, float, str]]:
        """Return (start, end, what was obeyed), seconds from the first frame."""
        starts = [(seq - self.first) / self.fps for seq, _ in self.changes]
        ends = [*starts[1:], (self.frames + self.dropped) / self.fps]
        return [(start, end, text) for start, end, (_, text) in zip(starts, ends, self.changes, strict=True)]

    def facts(self) -> dict[str, str]:
        """Return the lines of a summary; a frame must have come."""
        half, most = np.quantile(self.late or [np.nan], [0.5, 0.99]) * 1e3
        took = self._arrivals[-1] - self._began
        filled = ", filled in between their neighbours" if self.recorder and self.recorder.filled else ""
        obeyed = [f"{start:.1f} s  {text}" for start, _, text in self.captions()]
        return {
            "frames": str(self.frames),
            "frames a second": f"{(self.frames - 1) / took:.1f}" if took > 0 else "unknown",
            "first obeying": self.answer,
            "late": f"{half:.0f} ms, 99 % at most {most:.0f} ms" if self.late else "unknown",
            "left out": f"{self.dropped}{filled}",
            "metres walked": f"{self.walked:.2f}",
            "obeyed": f"\n{'':<16} ".join(obeyed),
        } | ({"not begun": f"the last {self.unbegun} of {len(self.said)} prompts"} if self.unbegun else {})


def frame_rate(hello: Mapping[str, Any]) -> float:
    """Return a server's frames a second.

    Raises:
        ValueError: its hello names none that makes sense.
    """
    fps = hello.get("fps")
    if isinstance(fps, bool) or not isinstance(fps, int | float) or not 1 <= fps <= 1000:
        raise ValueError(f"hello: expected fps 1..1000, got {fps!r}; is this a motiongen server?")
    return float(fps)


def top_view(path: Iterable[np.ndarray], columns: int = 46, rows: int = 9) -> list[str]:
    """Return lines of braille that show a path (x, z) on the floor from above: +Z up, +X to the left."""
    cells, points = np.full((rows, columns), 0x2800), np.array(list(path)).reshape(-1, 2)
    if not len(points):
        return []
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.array([2 * columns - 1, 4 * rows - 1])  # dots
    metres = max(0.05, *((high - low) / size))  # of a dot
    x, z = np.rint(size / 2 - (points - (low + high) / 2) / metres).astype(int).clip(0, size).T
    np.bitwise_or.at(cells, (z // 4, x // 2), BRAILLE[z % 4, x % 2])
    cells[z[-1] // 4, x[-1] // 2] = ord("●")
    return ["".join(map(chr, row)) for row in cells]
