"""A streamed character that obeys sentences."""

from collections.abc import Callable
from concurrent.futures import Future

from motiongen.streaming.character import Character, StreamEvent
from motiongen.streaming.frame_ring import StreamFrame
from motiongen.streaming.pending_command import PendingCommand
from motiongen.streaming.prompt_plan import PromptPlan
from motiongen.streaming.verbs import VERBS, Answer, Prompt, Then

SEAM_CONTEXT = 3
"""Taken frames that a seam is blended from."""


class TextCharacter(Character):
    """A character of a StreamScheduler.

    Attributes:
        plan: the current prompt, and those that follow.
    """

    verbs = VERBS

    def __init__(
        self,
        number: int,
        plan: PromptPlan,
        wake: Callable[[], None],
        urgent_frames: int,
        encode_later: Callable[[str], "Future[str] | None"],
    ) -> None:
        """Make a character; for the scheduler.

        Args:
            number: number of the character in its scheduler.
            plan: its plan, at rest.
            wake: wakes the scheduler's thread.
            urgent_frames: the scheduler is woken when at most so many frames wait.
            encode_later: encodes a sentence in another thread, for the model's note on it; returns None without one.
        """
        super().__init__(number, wake, urgent_frames)
        self.plan, self._encode_later = plan, encode_later

    def _accept(self, command: PendingCommand) -> PendingCommand:
        if isinstance(command.verb, Prompt | Then):
            command.encoding = self._encode_later(command.verb.text)
        return command

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

    def discard_frames(self) -> list[StreamFrame]:
        """Remove all frames that wait; return the last three taken ones; for the scheduler."""
        with self._lock:
            self._frames.clear()
            return [self.recent[n] for n in range(-min(SEAM_CONTEXT, len(self.recent)), 0)]

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
