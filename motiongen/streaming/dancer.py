"""One streaming character that dances: the music that is played to it, and the frames that wait."""

from collections.abc import Callable, Sequence

import numpy as np

from motiongen.streaming.piece import Piece
from motiongen.streaming.streamed import Spoken, Streamed
from motiongen.streaming.verbs import DANCE_VERBS, Music, MusicEnd, Style, VerbError


class Dancer(Streamed):
    """A session of a DanceScheduler. Say `music`, then `play` its sound.

    Attributes:
        piece: the music that was begun last; none before any.
    """

    verbs = DANCE_VERBS

    def __init__(self, number: int, wake: Callable[[], None], urgent: int, styles: Sequence[str]) -> None:
        """Made by `DanceScheduler.open`."""
        super().__init__(number, wake, urgent)
        self.piece: Piece | None = None
        self._styles = styles

    def play(self, samples: np.ndarray, sample_rate: int, first: int | None = None) -> None:
        """Let the dancer hear the next samples (n,), int16 or float32, of the music that was begun.

        Args:
            samples: mono sound.
            sample_rate: samples a second, 8000 to 96000; the same for the whole piece.
            first: number of the first of them, to be checked; the next one when left out.

        Raises:
            VerbError: "not_now" without `music`, "busy" when ten seconds wait, "closed", or a wrong rate or number.
        """
        if self.is_closed:
            raise VerbError("closed", "the character is gone; open another")
        if self.piece is None or self.piece.is_over:
            raise VerbError("not_now", "audio: no music was begun; say music first")
        self.piece.add(samples, sample_rate, self.piece.came if first is None else first, self.taken)
        self._wake()

    def _put(self, spoken: Spoken) -> Spoken:
        match spoken.verb:
            case Music():
                if self.piece is not None:
                    self.piece.end(now=True)
                self.piece = Piece(spoken.number, spoken.verb.live)
            case MusicEnd():
                if self.piece is None or self.piece.is_over:
                    raise VerbError("not_now", "music_end: no music is played; say music first")
                self.piece.end(now=spoken.verb.now)
            case Style() if spoken.verb.name is not None and spoken.verb.name not in self._styles:
                known = ", ".join(self._styles) or "none"
                raise VerbError("bad_value", f"style: expected one of {known}, got {spoken.verb.name[:40]!r}")
        return spoken
