"""A streamed character that obeys sentences."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np

from motiongen.reward import Guide
from motiongen.streaming.bend import Bend
from motiongen.streaming.bend_commands import obey_at_once
from motiongen.streaming.character import Character, StreamEvent
from motiongen.streaming.control_verbs import Goto, Path, Steer
from motiongen.streaming.pending_command import PendingCommand
from motiongen.streaming.pending_frame import PendingFrame
from motiongen.streaming.prompt_plan import PromptPlan
from motiongen.streaming.verbs import VERBS, Answer, Pose, Prompt, Then

SEAM_CONTEXT = 3
"""Taken frames that a seam is blended from."""


class TextCharacter(Character):
    """A character of a StreamScheduler.

    Attributes:
        plan: the current prompt, and those that follow.
        bend: what is done to a frame when it is taken.
        guide: chooses among candidates of what comes next; None for none.
    """

    verbs = VERBS

    def __init__(
        self,
        number: int,
        plan: PromptPlan,
        wake: Callable[[], None],
        urgent_frames: int,
        encode_later: Callable[[str], "Future[str] | None"],
        write_gaits: Callable[[], "Future[str] | None"],
        guide: Guide | None = None,
    ) -> None:
        """Make a character; for the scheduler.

        Args:
            number: number of the character in its scheduler.
            plan: its plan, at rest.
            wake: wakes the scheduler's thread.
            urgent_frames: the scheduler is woken when at most so many frames wait.
            encode_later: encodes a sentence in another thread, for the model's note on it; returns None without one.
            write_gaits: lets the gaits be written there, which the first that is driven waits for.
            guide: chooses among candidates of what comes next; None for none.
        """
        super().__init__(number, wake, urgent_frames)
        self.plan, self._encode_later, self._write_gaits = plan, encode_later, write_gaits
        self.bend, self.guide = Bend(), guide
        self._unbent: deque[PendingFrame] = deque(maxlen=SEAM_CONTEXT)

    def _accept(self, command: PendingCommand) -> PendingCommand:
        match command.verb:
            case Prompt() | Then():
                command.encoding = self._encode_later(command.verb.text)
            case Steer() | Goto() | Path() | Pose(root=np.ndarray()):
                command.encoding = self._write_gaits()
        return command

    @property
    def is_steered(self) -> bool:
        """Whether a stick drives it, and nothing else was said since."""
        drive = self.bend.drive
        return self.plan.gait is not None and drive.wish is not None and not self._commands

    def _obeys_at_once(self, command: PendingCommand) -> bool:
        return obey_at_once(self, command)

    def tell(self, opening: "Future[Answer]") -> None:
        """Tell the note on the prompt that the character was opened with, which nobody is answered; for the scheduler.

        Args:
            opening: the future of that prompt.
        """
        if not opening.cancelled() and opening.exception() is None and (answer := opening.result()).note:
            self.events.append(StreamEvent("note", answer.seq, answer.number, answer.note))

    @property
    def is_encoded(self) -> bool:
        """Whether the sentences of all commands that wait have been encoded."""
        return all(command.is_encoded for command in list(self._commands))

    def peek(self) -> PendingFrame | None:
        """Return what `Character.peek` does; None while frames are bent: the next is not known before it is taken."""
        return super().peek() if self.bend.is_idle else None

    def _pop(self) -> PendingFrame:
        frame = self.bend.tempo.next(self._frames)
        self._unbent.append(frame)
        return self.bend.apply(frame)

    def discard_frames(self) -> list[PendingFrame]:
        """Remove all frames that wait; return the last three taken ones, before they were bent; for the scheduler."""
        with self._lock:
            self._frames.clear()
            return list(self._unbent)

    @property
    def newest(self) -> PendingFrame | None:
        """The last taken frame before it was bent; None before any; for the scheduler."""
        with self._lock:
            return self._unbent[-1] if self._unbent else None

    def discard_last_frames(self, count: int) -> bool:
        """Remove the last frames that wait, or return False where no more than these wait; for the scheduler.

        Args:
            count: frames to remove.
        """
        with self._lock:
            if len(self._frames) <= count:
                return False
            for _ in range(count):
                self._frames.pop()
            return True
