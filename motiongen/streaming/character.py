"""One streaming character: what it was told, what it is doing, and the frames that wait to be taken."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np

from motiongen.streaming.frame_ring import FrameRing, StreamFrame
from motiongen.streaming.script import Script
from motiongen.streaming.verbs import Answer, Prompt, Then, Verb, VerbError, parse

KEPT = 900
"""Taken frames that are remembered: half a minute."""
BACKLOG = 32
"""Verbs that may wait for the model."""


@dataclass(frozen=True, slots=True)
class Made:
    """A frame that waits: what a StreamFrame has but its number."""

    rotations: np.ndarray
    root: np.ndarray
    contacts: int
    obeys: int


@dataclass(frozen=True)
class StreamEvent:
    """Something that came about: "obeys", "ended" or "arrived", at frame `seq`, by verb `number`."""

    name: str
    seq: int
    number: int
    text: str = ""


@dataclass
class Spoken:
    """A verb on its way to the model, and who waits for its answer.

    Attributes:
        number: of the verb.
        verb: what was said.
        future: its answer.
        words: done when its sentence has been read; None where there is nothing to read.
        due: frame at which a prompt for later is to begin.
    """

    number: int
    verb: Verb
    future: "Future[Answer]"
    words: "Future[None] | None" = None
    due: int = 0

    @property
    def is_read(self) -> bool:
        """Whether it can be heard."""
        return self.words is None or self.words.done()

    def answer(self, seq: int) -> None:
        """Answer with the number of the first frame that obeys."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(Answer(self.number, seq))

    def fail(self, error: Exception) -> None:
        """Answer that it makes no sense, or that it could not be done."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)


class Character:
    """A session of a StreamScheduler; its methods may be called from any one thread, and never wait for the model.

    Attributes:
        number: of the character, in its scheduler.
        recent: the last taken frames, at most half a minute of them.
        events: what came about and was not looked at yet, oldest first; bounded.
    """

    def __init__(
        self,
        number: int,
        script: Script,
        wake: Callable[[], None],
        urgent: int,
        read: Callable[[str], "Future[None] | None"],
    ) -> None:
        """Made by `StreamScheduler.open`."""
        self.number, self.script = number, script
        self.recent = FrameRing(KEPT)
        self.events: deque[StreamEvent] = deque(maxlen=64)
        self.is_closed = False
        self._wake, self._urgent, self._read = wake, urgent, read
        self._lock = threading.Lock()
        self._made: deque[Made] = deque()
        self._said: deque[Spoken] = deque()
        self._count = 0
        self.taken = 0

    def say(self, verb: str, **arguments: Any) -> "Future[Answer]":
        """Tell the character something; the future is done when the first frame that obeys is made.

        Args:
            verb: a name in `verbs.VERBS`.
            arguments: its arguments, see there.

        Raises:
            VerbError: it makes no sense, or too much was said; what makes no sense only now fails in the future.
        """
        parsed = parse(verb, arguments)
        if self.is_closed:
            raise VerbError("closed", "the character is gone; open another")
        if len(self._said) >= BACKLOG:
            raise VerbError("busy", f"expected at most {BACKLOG} verbs to wait at once; wait for an answer")
        self._count += 1
        words = self._read(parsed.text) if isinstance(parsed, Prompt | Then) else None
        spoken = Spoken(self._count, parsed, Future(), words)
        self._said.append(spoken)
        self._wake()
        return spoken.future

    def take(self) -> StreamFrame | None:
        """Return the next frame, or None when none is ready."""
        with self._lock:
            if not self._made:
                self._wake()
                return None
            made = self._made.popleft()
            frame = StreamFrame(self.taken, made.rotations, made.root, made.contacts, made.obeys)
            self.taken += 1
            self.recent.append(frame)
            low = len(self._made) <= self._urgent
        if low:
            self._wake()
        return frame

    @property
    def said(self) -> int:
        """Verbs that were said: the number of the last one."""
        return self._count

    @property
    def ready(self) -> int:
        """Frames that `take` would give now."""
        return len(self._made)

    def close(self) -> None:
        """Leave; its place is free from the next tick on."""
        self.is_closed = True
        self._wake()

    @property
    def has_read(self) -> bool:
        """Whether the words of all that waits to be heard have been read."""
        return all(spoken.is_read for spoken in list(self._said))

    def next_said(self) -> Spoken | None:
        """Return what was said next, if there is anything and its words have been read; for the scheduler."""
        return self._said.popleft() if self._said and self._said[0].is_read else None

    def unheard(self) -> list[Spoken]:
        """Return everything that was said and not heard yet, and forget it; for the scheduler."""
        said = list(self._said)
        self._said.clear()
        return said

    def add(self, frames: list[Made]) -> int:
        """Let frames wait to be taken, and return the number of the first; for the scheduler."""
        with self._lock:
            first = self.taken + len(self._made)
            self._made.extend(frames)
        return first

    def drop(self) -> list[StreamFrame]:
        """Forget the frames that wait; return the last three taken ones; for the scheduler."""
        with self._lock:
            self._made.clear()
            return [self.recent[n] for n in range(-min(3, len(self.recent)), 0)]

    def drop_last(self, count: int) -> bool:
        """Forget the last frames that wait, or return that fewer do; for the scheduler."""
        with self._lock:
            if len(self._made) <= count:
                return False
            for _ in range(count):
                self._made.pop()
            return True
