"""Many dancers, one model: those whose next slice is due are denoised together, in one thread."""

import itertools
import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from motiongen.features import FPS
from motiongen.inference.dance_model import DanceModel
from motiongen.skeleton import SMPL22
from motiongen.streaming.audio_queue import AHEAD, RATES
from motiongen.streaming.dance_character import DanceCharacter
from motiongen.streaming.dance_session import DanceSession, dance
from motiongen.streaming.dance_stream import DanceStream, dance_slices
from motiongen.streaming.ticker import Ticker, TickReport
from motiongen.streaming.verbs import DANCE_VERBS, VerbError

log = logging.getLogger(__name__)

MUSIC_DELAY = 7
"""Frames that the music's features come behind the sound, at the rate at which they are latest."""
JITTER = 8
"""Frames by which live sound may come late, before it is taken for silence."""
ALLOWANCE = (4, 30)
"""Frames, least and most, in which a slice is to be made."""
BUSY = 3.0
"""A slice is allowed so many times the time of one that is made alone: others may be under way."""
SHARE = 0.7
"""Of the time, that making slices may take: beyond, all dancers would stutter, and so no more are taken in."""
TOGETHER = 4
"""Slices that are measured together, to know what each more costs."""


class DanceScheduler:
    """Owns dancers and one model.

    Either call `tick` from one thread, or let `start` do so in a thread of its own. Frames wait with each dancer, at
    most about two slices of them, and pacing is left to who takes them: a whole song is danced at that pace.
    """

    fps = FPS
    skeleton = SMPL22
    verbs = DANCE_VERBS

    def __init__(
        self,
        model: DanceModel,
        *,
        max_characters: int = 256,
        style: str | None = None,
        batch: int = 8,
        allowance: int | None = None,
    ) -> None:
        """Take a model of a space that streams.

        Args:
            model: as `load_dance` gives it.
            max_characters: those beyond are refused; `start` lowers it to what it measures that there is time for.
            style: in which dancers begin, unless they are opened with another.
            batch: dancers, at most, that are denoised together.
            allowance: frames in which a slice is to be made; with it `start` measures nothing.

        Raises:
            ValueError: a style or a space that the model does not have, or one that cannot be streamed.
        """
        model.head.style_index(style)
        model.space.decoder()
        model.silence(1)  # librosa may be missing, which is better known now than in the middle of a stream
        self.model, self.max_characters, self.style = model, max_characters, style
        self.about: dict[str, Any] = dict(model.about)
        self.batch, self._allowance = batch, allowance
        self._slice_frames = model.head.config.slice_frames
        self._sessions: dict[int, DanceSession] = {}
        self._joining: list[DanceCharacter] = []
        self._numbers = itertools.count(1)
        self._seeds = np.random.default_rng()
        self._lock = threading.Lock()
        self._ticker = Ticker()
        self._callbacks: list[Callable[[TickReport], None]] = []

    @property
    def allowance(self) -> int:
        """Frames in which a slice is to be made; who has fewer left cannot wait for sound."""
        return ALLOWANCE[0] if self._allowance is None else self._allowance

    @property
    def urgent(self) -> int:
        """Frames, at most, that wait with a dancer whose next slice is due."""
        return self.allowance + JITTER

    @property
    def delay(self) -> int:
        """Frames from a live sound's coming to the frame that shows it.

        A slice's sound must have come whole, and what the features of its last frame look ahead; then it is made.
        """
        return self._slice_frames + MUSIC_DELAY + self.urgent

    def open(
        self, *, seed: int | None = None, strength: float | None = None, style: str | None = None
    ) -> DanceCharacter:
        """Return a new dancer, which stands idle until it hears music.

        Args:
            seed: what is drawn; random when left out.
            strength: how strictly it follows the music, 1 to 10.
            style: one of the model's; the scheduler's when left out.

        Raises:
            VerbError: "full", or an argument that makes no sense.
        """
        styles = self.model.head.config.styles
        with self._lock:
            living = [session.dancer for session in self._sessions.values()] + self._joining
            if sum(not dancer.is_closed for dancer in living) >= self.max_characters:
                raise VerbError("full", f"expected at most {self.max_characters} characters; try again later")
            dancer = DanceCharacter(next(self._numbers), self._ticker.woken.set, self.urgent, styles)
            dancer.submit("seed", seed=int(self._seeds.integers(2**53)) if seed is None else seed)
            if strength is not None:
                dancer.submit("strength", scale=strength)
            dancer.submit("style", name=self.style if style is None else style)
            self._joining.append(dancer)
        self._ticker.woken.set()
        return dancer

    def describe(self) -> dict[str, Any]:
        """Return what hello says of dancers."""
        audio = {
            "formats": ["s16"],
            "rates": list(RATES),
            "delay_seconds": round(self.delay / self.fps, 3),
            "ahead_seconds": AHEAD,
        }
        return {"head": self.model.spec.name, "styles": list(self.model.head.config.styles), "audio": audio}

    def subscribe(self, callback: Callable[[TickReport], None]) -> None:
        """Call back after each step, from the thread that took it."""
        self._callbacks.append(callback)

    def tick(self) -> TickReport:
        """Hear what was said and played, then make the slices that are due."""
        began = time.perf_counter()
        self._update_sessions()
        sessions = sorted(self._sessions.values(), key=lambda session: session.dancer.ready)
        for session in sessions:
            session.hear()
            _listen(session)
        due = [one for one in sessions if one.wants(self.urgent) and one.prepare(self.allowance)]
        if not due:
            return TickReport(0, time.perf_counter() - began)
        # Those that will be due within half a slice come along: a batch costs less than its parts.
        room = self.urgent + self._slice_frames // 2
        others = [one for one in sessions if one not in due and one.wants(room)]
        along = [one for one in others if one.prepare(self.allowance)]
        stepped = [*due, *along][: self.batch]
        dance(stepped)
        report = TickReport(len(stepped), time.perf_counter() - began)
        for callback in self._callbacks:
            callback(report)
        return report

    def start(self) -> None:
        """Tick in a thread until `stop`; before, measure how long slices take, unless that was given."""
        alone = self._seconds(1)  # which also does what takes long only once
        if self._allowance is None:
            self._allowance = min(max(math.ceil(BUSY * alone * FPS), ALLOWANCE[0]), ALLOWANCE[1])
            room = SHARE * self._slice_frames / FPS - alone
            each = max((self._seconds(TOGETHER) - alone) / (TOGETHER - 1), 1e-4)
            self.max_characters = min(self.max_characters, 1 + max(0, int(room / each)))
            log.info("a slice takes %.2f s; there is time for %d dancers", alone, self.max_characters)
        self._ticker.start(self.tick)

    def stop(self) -> None:
        """End the thread that `start` began, after its tick."""
        self._ticker.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _seconds(self, count: int) -> float:
        """Return the seconds in which slices of so many dancers are made together; the fastest of a few."""
        streams, taken = [DanceStream(self.model) for _ in range(count)], []
        for _ in range(3):
            for stream in streams:
                stream.hear_silence()
            began = time.perf_counter()
            dance_slices(streams)
            taken.append(time.perf_counter() - began)
        return min(taken)

    def _update_sessions(self) -> None:
        """Let those who left go, and give those who came a stream of their own."""
        with self._lock:
            left = [n for n, session in self._sessions.items() if session.dancer.is_closed]
            gone = [self._sessions.pop(number) for number in left]
            joining = self._joining[
                :1
            ]  # of many one at a time, so that the others' slices go on between them
            oldest = next(iter(self._sessions.values()), None)
        for session in gone:
            session.leave()
        # A stream begins with an idle that takes a while, in which `open` must not wait.
        for dancer in joining:
            session = DanceSession(self.model, dancer, self.delay)
            if oldest is not None:
                session.keep_step(oldest)
            with self._lock:
                self._sessions[dancer.number] = session
                self._joining.remove(dancer)


def _listen(session: DanceSession) -> None:
    """Let one dancer's music that cannot be heard be its own failure, and not the end of all streams."""
    try:
        session.listen()
    except Exception:
        log.exception("character %d: its music failed; it stands idle", session.dancer.number)
        session.silence()
