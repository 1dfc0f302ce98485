"""A streamed character that dances to sound."""

from collections.abc import Callable, Sequence

import numpy as np

from motiongen.streaming.audio_queue import AudioQueue
from motiongen.streaming.character import Character
from motiongen.streaming.pending_command import PendingCommand
from motiongen.streaming.verbs import DANCE_VERBS, Music, MusicEnd, Style, VerbError


class DanceCharacter(Character):
    """A character of a DanceScheduler. Submit `music`, then `play` its sound.

    Attributes:
        audio: sound of the music that was begun last; None before any.
    """

    verbs = DANCE_VERBS

    def __init__(
        self, number: int, wake: Callable[[], None], urgent_frames: int, styles: Sequence[str]
    ) -> None:
        """Make a character; for the scheduler.

        Args:
            number: number of the character in its scheduler.
            wake: wakes the scheduler's thread.
            urgent_frames: the scheduler is woken when at most so many frames wait.
            styles: styles that the model has.
        """
        super().__init__(number, wake, urgent_frames)
        self.audio: AudioQueue | None = None
        self._styles = styles

    def play(self, samples: np.ndarray, sample_rate: int, first: int | None = None) -> None:
        """Queue the next sound of the music that was begun.

        Args:
            samples: (n,) mono sound, int16 or float32.
            sample_rate: samples a second, 8000 to 96000; the same for the whole piece.
            first: number of the first sample, to be checked; the next one when left out.

        Raises:
            VerbError: "not_now" without `music`, "busy" when ten seconds wait, "closed", or a wrong rate or number.
        """
        if self.is_closed:
            raise VerbError("closed", "the character is gone; open another")
        if self.audio is None or self.audio.is_over:
            raise VerbError("not_now", "audio: no music was begun; say music first")
        self.audio.add(samples, sample_rate, self.audio.received if first is None else first, self.taken)
        self._wake()

    def _accept(self, command: PendingCommand) -> PendingCommand:
        match command.verb:
            case Music():
                if self.audio is not None:
                    self.audio.end(now=True)
                self.audio = AudioQueue(command.number, command.verb.live)
            case MusicEnd():
                if self.audio is None or self.audio.is_over:
                    raise VerbError("not_now", "music_end: no music is played; say music first")
                self.audio.end(now=command.verb.now)
            case Style() if command.verb.name is not None and command.verb.name not in self._styles:
                known = ", ".join(self._styles) or "none"
                raise VerbError(
                    "bad_value", f"style: expected one of {known}, got {command.verb.name[:40]!r}"
                )
        return command
