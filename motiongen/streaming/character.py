"""What every streaming character is to those who show it: frames to take, events, and verbs that wait to be heard."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np
from torch import Tensor

from motiongen.skeleton import Skeleton
from motiongen.streaming.frame_ring import FrameRing, StreamFrame
from motiongen.streaming.verbs import Answer, Verb, VerbError, parse

if TYPE_CHECKING:
    from motiongen.streaming.ticker import TickReport

KEPT = 900
"""Taken frames that are remembered: half a minute."""
BACKLOG = 32
"""Verbs that may wait for the model."""
BITS = np.array([1, 2, 4, 8])


@dataclass(frozen=True, slots=True)
class PendingFrame:
    """A frame that waits: what a StreamFrame has but its number."""

    rotations: np.ndarray
    root: np.ndarray
    contacts: int
    obeys: int


def pending_frames(
    rotations: Tensor, root: Tensor, contacts: Tensor, obeys: Sequence[int]
) -> list[PendingFrame]:
    """Return decoded poses (T, 22, 4), (T, 3) and contacts (T, 4) as frames, and which verb each of them obeys."""
    bits = (contacts.numpy() * BITS).sum(axis=1).tolist()
    poses = zip(rotations.numpy(), root.numpy(), bits, obeys, strict=True)
    return [PendingFrame(*pose) for pose in poses]


@dataclass(frozen=True)
class StreamEvent:
    """Something that came about at frame `seq`, by verb `number`.

    Attributes:
        name: "obeys", "ended" or "arrived"; of a dancer "dances" or "ended".
        seq: the frame.
        number: of the verb.
        text: its words, if it has any.
        sample: of "dances", the sample of the music that is heard when the frame is shown.
    """

    name: str
    seq: int
    number: int
    text: str = ""
    sample: int | None = None


@dataclass
class PendingCommand:
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
    """A character of a scheduler; its methods may be called from any one thread, and never wait for the model.

    Attributes:
        verbs: what can be said to one of its kind.
        number: of the character, in its scheduler.
        recent: the last taken frames, at most half a minute of them.
        events: what came about and was not looked at yet, oldest first; bounded.
        taken: frames that were taken: the number of the next.
    """

    verbs: ClassVar[Mapping[str, type[Verb]]]

    def __init__(self, number: int, wake: Callable[[], None], urgent: int) -> None:
        """Take its number, what wakes its scheduler, and how few waiting frames are a reason to."""
        self.number = number
        self.recent = FrameRing(KEPT)
        self.events: deque[StreamEvent] = deque(maxlen=64)
        self.is_closed = False
        self.taken = 0
        self._wake, self._urgent = wake, urgent
        self._lock = threading.Lock()
        self._made: deque[PendingFrame] = deque()
        self._commands: deque[PendingCommand] = deque()
        self._count = 0

    def submit(self, verb: str, **arguments: Any) -> "Future[Answer]":
        """Tell the character something; the future is done when the first frame that obeys is made.

        Args:
            verb: a name in `verbs`.
            arguments: its arguments, see `motiongen.streaming.verbs`.

        Raises:
            VerbError: it makes no sense, or too much was said; what makes no sense only now fails in the future.
        """
        parsed = parse(verb, arguments, self.verbs)
        if self.is_closed:
            raise VerbError("closed", "the character is gone; open another")
        if len(self._commands) >= BACKLOG:
            raise VerbError("busy", f"expected at most {BACKLOG} verbs to wait at once; wait for an answer")
        command = self._put(PendingCommand(self._count + 1, parsed, Future()))
        self._count += 1
        self._commands.append(command)
        self._wake()
        return command.future

    def _put(self, command: PendingCommand) -> PendingCommand:
        """Do what can be done at once about what was said. Raises VerbError where it makes no sense."""
        return command

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

    def next_command(self) -> PendingCommand | None:
        """Return what was said next, if there is anything and its words have been read; for the scheduler."""
        return self._commands.popleft() if self._commands and self._commands[0].is_read else None

    def unheard(self) -> list[PendingCommand]:
        """Return everything that was said and not heard yet, and forget it; for the scheduler."""
        said = list(self._commands)
        self._commands.clear()
        return said

    def add(self, frames: list[PendingFrame]) -> int:
        """Let frames wait to be taken, and return the number of the first; for the scheduler."""
        with self._lock:
            first = self.taken + len(self._made)
            self._made.extend(frames)
        return first


class Scheduler(Protocol):
    """Owns characters of one kind and their model; makes their frames in threads of its own."""

    fps: float
    skeleton: Skeleton
    about: dict[str, Any]

    @property
    def verbs(self) -> Mapping[str, type[Verb]]:
        """What can be said to its characters."""
        ...

    @property
    def open(self) -> Callable[..., Character]:
        """Make a character; what can be said of its beginning are verbs, by their names."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return what clients must know of this kind beside the rest, by the names of the protocol's hello."""
        ...

    def subscribe(self, callback: "Callable[[TickReport], None]") -> None:
        """Call back after each step, from the thread that took it."""
        ...

    def start(self) -> None:
        """Make frames until `stop`."""
        ...

    def stop(self) -> None:
        """End what `start` began."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...
