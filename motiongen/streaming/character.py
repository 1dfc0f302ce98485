"""The handle of a streamed character: submit commands, take frames, read events. Never waits for the model."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from motiongen.streaming.frame_ring import FrameRing, StreamFrame
from motiongen.streaming.pending_command import PendingCommand
from motiongen.streaming.pending_frame import PendingFrame
from motiongen.streaming.verbs import Answer, Verb, VerbError, parse

RECENT_FRAMES = 900
"""Taken frames that are kept for clients that reconnect: half a minute."""
MAX_PENDING_COMMANDS = 32
"""Commands of one character that may wait for the model."""


@dataclass(frozen=True)
class StreamEvent:
    """Something that happens at frame `seq` because of command `number`.

    Attributes:
        name: "obeys", "ended", "arrived" or "note"; of a dancing character "dances" or "ended".
        seq: number of the frame.
        number: number of the command.
        text: the command's sentence, if it has one; of "note" the model's note on it, for people.
        sample: of "dances": sample of the music that is heard when the frame is shown.
    """

    name: str
    seq: int
    number: int
    text: str = ""
    sample: int | None = None


class Character:
    """A character of a scheduler. One thread at a time may call its methods.

    Attributes:
        verbs: verbs that this kind of character accepts, by name.
        number: number of the character in its scheduler.
        recent: the last taken frames, at most half a minute of them.
        events: events that were not read yet, oldest first; bounded.
        is_closed: whether it was closed, by its owner or by a failure.
        taken: count of taken frames, which is the number of the next.
    """

    verbs: ClassVar[Mapping[str, type[Verb]]]

    def __init__(self, number: int, wake: Callable[[], None], urgent_frames: int) -> None:
        """Make a character; for the scheduler.

        Args:
            number: number of the character in its scheduler.
            wake: wakes the scheduler's thread.
            urgent_frames: the scheduler is woken when at most so many frames wait.
        """
        self.number = number
        self.recent = FrameRing(RECENT_FRAMES)
        self.events: deque[StreamEvent] = deque(maxlen=64)
        self.is_closed = False
        self.taken = 0
        self._failure: Exception | None = None
        self._wake, self._urgent_frames = wake, urgent_frames
        self._lock = threading.Lock()
        self._frames: deque[PendingFrame] = deque()
        self._commands: deque[PendingCommand] = deque()
        self._submitted = 0

    def submit(self, verb: str, **arguments: Any) -> "Future[Answer]":
        """Give the character a command; the returned future is done when the first frame that obeys is generated.

        Args:
            verb: a name in `verbs`.
            arguments: the verb's arguments, see `motiongen.streaming.verbs`.

        Raises:
            VerbError: the arguments are invalid, or too many commands wait. A command that is valid but impossible
                now fails in the future.
        """
        parsed = parse(verb, arguments, self.verbs)
        if self.is_closed:
            raise VerbError("closed", "the character is gone; open another")
        if len(self._commands) >= MAX_PENDING_COMMANDS:
            raise VerbError(
                "busy", f"expected at most {MAX_PENDING_COMMANDS} verbs to wait at once; wait for an answer"
            )
        command = self._accept(PendingCommand(self._submitted + 1, parsed, Future()))
        self._submitted += 1
        if not self._obeys_at_once(command):
            self._commands.append(command)
        self._wake()
        return command.future

    def _obeys_at_once(self, command: PendingCommand) -> bool:
        """Execute and answer a command that need not wait for the model; return False for others."""
        return False

    def _accept(self, command: PendingCommand) -> PendingCommand:
        """Prepare a command before it waits for the model, and return it. Raises VerbError to refuse it."""
        return command

    def play(self, samples: np.ndarray, sample_rate: int, first: int | None = None) -> None:
        """Give the character sound to dance to.

        Args:
            samples: (n,) mono sound, int16 or float32.
            sample_rate: samples a second.
            first: number of the first sample, to be checked; the next one when left out.

        Raises:
            VerbError: this kind of character hears no sound.
        """
        raise VerbError("not_now", "audio: this character hears no sound; send it a prompt")

    def take(self) -> StreamFrame | None:
        """Return the next frame, or None when none is ready.

        Raises:
            RuntimeError: the character failed; it gives no more frames.
        """
        with self._lock:
            if self._failure is not None:
                raise RuntimeError(
                    f"character {self.number}: it failed: {self._failure}; open another"
                ) from self._failure
            if not self._frames:
                self._wake()
                return None
            pending = self._pop()
            frame = StreamFrame(self.taken, pending.rotations, pending.root, pending.contacts, pending.obeys)
            self.taken += 1
            self.recent.append(frame)
            is_low = len(self._frames) <= self._urgent_frames
        if is_low:
            self._wake()
        return frame

    def peek(self) -> PendingFrame | None:
        """Return the next frame without taking it, or None when none is ready; a command may still replace it."""
        with self._lock:
            return self._frames[0] if self._frames and self._failure is None else None

    def _pop(self) -> PendingFrame:
        """Remove and return the next of the frames that wait, of which there is one."""
        return self._frames.popleft()

    @property
    def submitted(self) -> int:
        """Count of submitted commands, which is the number of the last one."""
        return self._submitted

    @property
    def ready(self) -> int:
        """Count of frames that wait to be taken."""
        return len(self._frames)

    def close(self) -> None:
        """Close the character; its slot is free from the next tick on."""
        self.is_closed = True
        self._wake()

    # For the scheduler.

    def fail(self, error: Exception) -> None:
        """Close the character because of an error, which `take` raises from now on; for the scheduler.

        Args:
            error: the reason.
        """
        with self._lock:
            self._failure = error
        self.close()

    def next_command(self) -> PendingCommand | None:
        """Remove and return the next command that can be executed, or None; for the scheduler."""
        return self._commands.popleft() if self._commands and self._commands[0].is_encoded else None

    def clear_commands(self) -> list[PendingCommand]:
        """Remove and return all commands that wait; for the scheduler."""
        commands = list(self._commands)
        self._commands.clear()
        return commands

    def append_frames(self, frames: list[PendingFrame]) -> int:
        """Let frames wait to be taken, and return the number of the first; for the scheduler.

        Args:
            frames: the next frames, in order.
        """
        with self._lock:
            first = self.taken + len(self._frames)
            self._frames.extend(frames)
        return first
