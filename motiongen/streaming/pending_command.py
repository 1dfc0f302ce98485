"""A command on its way from the caller to the model thread, with the future that carries its answer."""

from concurrent.futures import Future
from dataclasses import dataclass

from motiongen.streaming.verbs import Answer, Verb


@dataclass
class PendingCommand:
    """A parsed verb that waits to be executed or answered.

    Attributes:
        number: number of the command; frames that obey it carry it.
        verb: the parsed verb.
        future: receives the answer, or the error.
        encoding: done when the text encoder has read the command's sentence, with the model's note on it; None where
            there is nothing to read, or nobody reads beside the ticks.
        start_frame: frame at which a deferred prompt starts.
        remark: a sentence for people on what of the command cannot be met; empty where all can.
    """

    number: int
    verb: Verb
    future: "Future[Answer]"
    encoding: "Future[str] | None" = None
    start_frame: int = 0
    remark: str = ""

    @property
    def is_encoded(self) -> bool:
        """Whether the command can be executed without waiting for the text encoder."""
        return self.encoding is None or self.encoding.done()

    @property
    def note(self) -> str:
        """What of the command cannot be met, or the model's note on its sentence; empty where there is nothing."""
        if self.remark:
            return self.remark
        encoding = self.encoding
        is_read = encoding is not None and encoding.done() and not encoding.cancelled()
        return encoding.result() if encoding is not None and is_read and not encoding.exception() else ""

    def answer(self, seq: int) -> None:
        """Resolve the future.

        Args:
            seq: number of the first frame that obeys.
        """
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(Answer(self.number, seq, self.note))

    def fail(self, error: Exception) -> None:
        """Reject the future.

        Args:
            error: the reason; a VerbError carries its code to the client.
        """
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)
