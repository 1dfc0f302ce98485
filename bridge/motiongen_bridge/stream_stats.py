"""Statistics of one character's stream, as a client sees it: frame rate, lateness, obeyed prompts, path."""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from motiongen_bridge.frame_rate import frame_rate
from motiongen_bridge.frames import WireFrame

if TYPE_CHECKING:
    from motiongen_bridge.frame_recorder import FrameRecorder

PATH_STEP = 0.04
"""Metres between two points of the path that are kept."""


class StreamStats:
    """Statistics of a character that is sent prompts, one after the other, and no other verbs.

    Attributes:
        prompts: the prompts, in order.
        not_started: prompts that had not started at the end.
        fps: frames a second.
        frames: count of frames that came.
        dropped: count of frames that did not come, since the first.
        first: number of the first frame; -1 before any.
        asked: when the first prompt was sent, seconds of `time.monotonic()`.
        answered: when the first frame that obeys it came, seconds of `time.monotonic()`; 0 before.
        late: lateness of the last frames, seconds.
        walked: metres that the root has travelled.
        root: (3,) last position of the root, metres.
        path: (x, z) of the root every few centimetres.
        changes: (number of a frame, prompt that is obeyed from there on).
        recorder: keeps the frames; None where they are not recorded.
    """

    def __init__(self, prompts: Sequence[str]) -> None:
        """Make empty statistics.

        Args:
            prompts: the prompts that the character is sent, in order.
        """
        self.prompts, self.not_started, self.fps = prompts, 0, 30.0
        self.frames, self.dropped, self.first = 0, 0, -1
        self.asked = self.answered = self.walked = 0.0
        self.late: deque[float] = deque(maxlen=9000)
        self.root = np.zeros(3, dtype=np.float32)
        self.path: deque[np.ndarray] = deque(maxlen=2000)
        self.changes: list[tuple[int, str]] = []
        self.recorder: FrameRecorder | None = None
        self._began, self._arrivals = 0.0, deque[float](maxlen=300)
        self._numbers: list[int] = []  # numbers of obeyed verbs, rising: the prompts, in order

    def start(self, hello: Mapping[str, Any]) -> None:
        """Start the clock: the first prompt is sent now.

        Args:
            hello: the server's first message.
        """
        self.fps, self.asked = frame_rate(hello), time.monotonic()

    def add(self, frame: WireFrame, events: Sequence[Mapping[str, Any]], late: float | None) -> None:
        """Record a frame that came now.

        Args:
            frame: its number is higher than the last one's.
            events: the last events.
            late: lateness of the frame, seconds; None where it is unknown.
        """
        now = time.monotonic()
        if not self.frames:
            self.first, self.root, self._began = frame.seq, frame.root, now
        if frame.obeys and not self.answered:
            self.answered = now
        if frame.obeys and frame.obeys not in self._numbers:
            self._numbers.append(frame.obeys)
        obeyed = self._obeyed_prompt(frame, events)
        if not self.changes or self.changes[-1][1] != obeyed:
            self.changes.append((frame.seq, obeyed))
        self.frames += 1
        self.dropped = frame.seq - self.first + 1 - self.frames
        self._arrivals.append(now)
        if late is not None:
            self.late.append(late)
        self.walked += float(np.linalg.norm((frame.root - self.root)[[0, 2]]))
        self.root = frame.root
        if not self.path or np.linalg.norm(frame.root[[0, 2]] - self.path[-1]) > PATH_STEP:
            self.path.append(frame.root[[0, 2]])
        if self.recorder is not None:
            self.recorder.add(frame)

    def _obeyed_prompt(self, frame: WireFrame, events: Sequence[Mapping[str, Any]]) -> str:
        """Return the prompt that a frame obeys.

        Events tell of queued prompts, and of idling, which keeps the number of the prompt that ended. They are not
        sent again after a lost connection, and there is none for a prompt that need not wait: the order of numbers
        tells those.
        """
        for event in reversed(events):
            if event["event"] == "obeys" and event["number"] == frame.obeys and event["seq"] <= frame.seq:
                return "".join(letter for letter in event["text"] if letter.isprintable())
        return self.prompts[min(len(self._numbers), len(self.prompts)) - 1] if frame.obeys else ""

    @property
    def rate(self) -> float:
        """Frames in the last second."""
        now = time.monotonic()
        return sum(now - arrival <= 1 for arrival in self._arrivals) / min(1.0, max(now - self._began, 0.01))

    @property
    def latency(self) -> str:
        """Time from the first prompt to the first frame that obeys it, as text."""
        return f"after {1e3 * (self.answered - self.asked):.0f} ms" if self.answered else "none"

    def captions(self) -> list[tuple[float, float, str]]:
        """Return (start, end, prompt), seconds from the first frame."""
        starts = [(seq - self.first) / self.fps for seq, _ in self.changes]
        ends = [*starts[1:], (self.frames + self.dropped) / self.fps]
        return [(start, end, text) for start, end, (_, text) in zip(starts, ends, self.changes, strict=True)]

    def facts(self) -> dict[str, str]:
        """Return the lines of a summary, by name; a frame must have come."""
        p50, p99 = np.quantile(self.late or [np.nan], [0.5, 0.99]) * 1e3
        took = self._arrivals[-1] - self._began
        filled = ", filled in between their neighbours" if self.recorder and self.recorder.filled else ""
        obeyed = [f"{start:.1f} s  {text}" for start, _, text in self.captions()]
        facts = {
            "frames": str(self.frames),
            "frames a second": f"{(self.frames - 1) / took:.1f}" if took > 0 else "unknown",
            "first obeying": self.latency,
            "late": f"{p50:.0f} ms, 99 % at most {p99:.0f} ms" if self.late else "unknown",
            "left out": f"{self.dropped}{filled}",
            "metres walked": f"{self.walked:.2f}",
            "obeyed": f"\n{'':<16} ".join(obeyed),
        }
        if self.not_started:
            facts["not begun"] = f"the last {self.not_started} of {len(self.prompts)} prompts"
        return facts
