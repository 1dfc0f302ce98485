"""One streaming character that dances: the music that is played to it, and the frames that wait."""

from collections.abc import Callable, Sequence

import numpy as np

from motiongen.streaming.audio_queue import AudioQueue
from motiongen.streaming.character import Character, PendingCommand
from motiongen.streaming.verbs import DANCE_VERBS, Music, MusicEnd, Style, VerbError


class DanceCharacter(Character):
    """A session of a DanceScheduler. Say `music`, then `play` its sound.

    Attributes:
        audio: the music that was begun last; none before any.
    """

    verbs = DANCE_VERBS

    def __init__(self, number: int, wake: Callable[[], None], urgent: int, styles: Sequence[str]) -> None:
        """PendingFrame by `DanceScheduler.open`."""
        super().__init__(number, wake, urgent)
        self.audio: AudioQueue | None = None
        self._styles = styles

    def play(self, samples: np.ndarray, sample_rate: int, first: int | None = None) -> None:
        """Let the dancer hear the next samples (n,), int16 or float32, of the music that was begun.

        Args:
            samples: mono sound.
            sample_rate: samples a second, 8000 to 96000; the same for the whole audio.
            first: number of the first of them, to be checked; the next one when left out.

        Raises:
            VerbError: "not_now" without `music`, "busy" when ten seconds wait, "closed", or a wrong rate or number.
        """
        if self.is_closed:
            raise VerbError("closed", "the character is gone; open another")
        if self.audio is None or self.audio.is_over:
            raise VerbError("not_now", "audio: no music was begun; say music first")
        self.audio.add(samples, sample_rate, self.audio.came if first is None else first, self.taken)
        self._wake()

    def _put(self, command: PendingCommand) -> PendingCommand:
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
