"""One streaming character that obeys words: what it was told, what it is doing, and the frames that wait."""

from collections.abc import Callable
from concurrent.futures import Future

from motiongen.streaming.character import Character, PendingCommand
from motiongen.streaming.frame_ring import StreamFrame
from motiongen.streaming.prompt_plan import PromptPlan
from motiongen.streaming.verbs import VERBS, Prompt, Then


class TextCharacter(Character):
    """A session of a StreamScheduler."""

    verbs = VERBS

    def __init__(
        self,
        number: int,
        plan: PromptPlan,
        wake: Callable[[], None],
        urgent: int,
        read: Callable[[str], "Future[None] | None"],
    ) -> None:
        """PendingFrame by `StreamScheduler.open`."""
        super().__init__(number, wake, urgent)
        self.plan, self._read = plan, read

    def _put(self, command: PendingCommand) -> PendingCommand:
        if isinstance(command.verb, Prompt | Then):
            command.words = self._read(command.verb.text)
        return command

    @property
    def has_read(self) -> bool:
        """Whether the words of all that waits to be heard have been read."""
        return all(command.is_read for command in list(self._commands))

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
