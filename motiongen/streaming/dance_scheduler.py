"""Schedules many dancing characters on one model: slices that are due are denoised together, in one thread."""

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
from motiongen.streaming.audio_queue import MAX_QUEUED_SECONDS, SAMPLE_RATES
from motiongen.streaming.dance_character import DanceCharacter
from motiongen.streaming.dance_room import DanceRoom
from motiongen.streaming.dance_session import DanceSession, step_dance_sessions
from motiongen.streaming.dance_stream import DanceStream, dance_slices
from motiongen.streaming.ticker import Ticker, TickReport
from motiongen.streaming.verbs import DANCE_VERBS, VerbError

log = logging.getLogger(__name__)

MUSIC_DELAY = 7
"""Frames by which the music's features lag behind the sound, at the sample rate where they lag most."""
JITTER = 8
"""Frames by which live sound may come late before it is taken for silence."""
ALLOWANCE_RANGE = (4, 30)
"""Frames, least and most, in which a slice is to be made."""
ALLOWANCE_RATIO = 3.0
"""A slice is allowed so many times the time of one that is made alone: others may be under way."""
MEASURED_BATCH = 4
"""Slices that are measured together, to know the cost of each more."""


class DanceScheduler:
    """Owns dancing characters and one model.

    Either call `tick` from one thread, or let `start` do so in a thread of its own. Frames wait with each character, at
    most about two slices of them. Pacing is left to the caller that takes them: a whole song is danced at that pace.
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
        max_batch: int = 8,
        allowance: int | None = None,
    ) -> None:
        """Make a scheduler without characters.

        Args:
            model: of a space that streams, as `load_dance` returns it.
            max_characters: characters at once, others are refused; fewer where `start` measured the machine, and it
                has no time for as many.
            style: first style of characters that are opened without one.
            max_batch: characters at most that are denoised together.
            allowance: frames in which a slice is to be made; `start` measures it when left out.

        Raises:
            ValueError: a style or a space that the model does not have, or one that cannot be streamed.
        """
        model.head.style_index(style)
        model.space.decoder()
        model.silence(1)  # librosa may be missing, which is better known now than in the middle of a stream
        self.model, self.max_characters, self.style = model, max_characters, style
        self.about: dict[str, Any] = dict(model.about)
        self.max_batch, self._allowance = max_batch, allowance
        self._slice_frames = model.head.config.slice_frames
        self._room: DanceRoom | None = None
        self._sessions: dict[int, DanceSession] = {}
        self._joining: list[DanceCharacter] = []
        self._numbers = itertools.count(1)
        self._seeds = np.random.default_rng()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[TickReport], None]] = []
        self._ticker = Ticker(self._report)

    @property
    def allowance(self) -> int:
        """Frames in which a slice is to be made; a character with fewer left cannot wait for sound."""
        return ALLOWANCE_RANGE[0] if self._allowance is None else self._allowance

    @property
    def room(self) -> int:
        """Characters that fit now: it follows what slices cost while the machine is busy, and when it no longer is."""
        return self.max_characters if self._room is None else min(self.max_characters, self._room.count)

    @property
    def urgent_frames(self) -> int:
        """A slice is due when at most so many frames wait."""
        return self.allowance + JITTER

    @property
    def delay_frames(self) -> int:
        """Frames from the arrival of live sound to the frame that shows it.

        All sound of a slice must have come, and the look-ahead of its last frame's features; then it is made.
        """
        return self._slice_frames + MUSIC_DELAY + self.urgent_frames

    def open(
        self, *, seed: int | None = None, guidance_scale: float | None = None, style: str | None = None
    ) -> DanceCharacter:
        """Return a new character, which stands idle until it hears music.

        Args:
            seed: seed of its noise; random when left out.
            guidance_scale: how strictly it follows the music, 1 to 10.
            style: one of the model's; the scheduler's when left out.

        Raises:
            VerbError: "full", or an invalid argument.
        """
        styles = self.model.head.config.styles
        with self._lock:
            living = [session.character for session in self._sessions.values()] + self._joining
            if sum(not character.is_closed for character in living) >= (room := self.room):
                raise VerbError("full", f"expected at most {room} characters now; try again later")
            character = DanceCharacter(
                next(self._numbers), self._ticker.woken.set, self.urgent_frames, styles
            )
            character.submit("seed", seed=int(self._seeds.integers(2**53)) if seed is None else seed)
            if guidance_scale is not None:
                character.submit("strength", scale=guidance_scale)
            character.submit("style", name=self.style if style is None else style)
            self._joining.append(character)
        self._ticker.woken.set()
        return character

    def describe(self) -> dict[str, Any]:
        """Return the fields of the protocol's hello that describe this kind of character."""
        audio = {
            "formats": ["s16"],
            "rates": list(SAMPLE_RATES),
            "delay_seconds": round(self.delay_frames / self.fps, 3),
            "ahead_seconds": MAX_QUEUED_SECONDS,
        }
        return {
            "head": self.model.spec.name,
            "styles": list(self.model.head.config.styles),
            "audio": audio,
        }

    def subscribe(self, callback: Callable[[TickReport], None]) -> None:
        """Call back after each tick that took a step or failed, from the thread that ticked.

        Args:
            callback: takes the tick's report.
        """
        self._callbacks.append(callback)

    def tick(self) -> TickReport:
        """Execute commands, read music, then make the slices that are due."""
        began = time.perf_counter()
        self._update_sessions()
        sessions = sorted(self._sessions.values(), key=lambda session: session.character.ready)
        for session in sessions:
            session.drain_commands()
            session.read_music()
        due = [
            one for one in sessions if one.is_due(self.urgent_frames) and one.prepare_slice(self.allowance)
        ]
        if not due:
            return TickReport(0, time.perf_counter() - began)
        # Those that will be due within half a slice come along: a batch costs less than its parts.
        room = self.urgent_frames + self._slice_frames // 2
        others = [one for one in sessions if one not in due and one.is_due(room)]
        along = [one for one in others if one.prepare_slice(self.allowance)]
        stepped = [*due, *along][: self.max_batch]
        started = time.perf_counter()
        step_dance_sessions(stepped)
        if self._room is not None:
            self._room.add(len(stepped), time.perf_counter() - started)
        report = TickReport(len(stepped), time.perf_counter() - began)
        self._report(report)
        return report

    def _report(self, report: TickReport) -> None:
        for callback in self._callbacks:
            callback(report)

    def start(self) -> None:
        """Tick in a thread until `stop`. Before, measure how long slices take, unless an allowance was given."""
        alone = self._seconds(1)  # which also does the work that only the first slice needs
        if self._allowance is None:
            self._allowance = min(
                max(math.ceil(ALLOWANCE_RATIO * alone * FPS), ALLOWANCE_RANGE[0]), ALLOWANCE_RANGE[1]
            )
            each = (self._seconds(MEASURED_BATCH) - alone) / (MEASURED_BATCH - 1)
            self._room = DanceRoom(self._slice_frames / FPS, alone, each)
            log.info("a slice takes %.2f s; there is time for %d characters", alone, self.room)
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
        """Return the time in which slices of so many characters are made together; the fastest of a few tries."""
        streams, taken = [DanceStream(self.model) for _ in range(count)], []
        for _ in range(3):
            for stream in streams:
                stream.fill_with_silence()
            began = time.perf_counter()
            dance_slices(streams)
            taken.append(time.perf_counter() - began)
        return min(taken)

    def _update_sessions(self) -> None:
        """End the sessions of closed characters, and give a new character a session."""
        with self._lock:
            closed = [n for n, session in self._sessions.items() if session.character.is_closed]
            ended = [self._sessions.pop(number) for number in closed]
            # Of many new ones one at a time, so that the others' slices go on between them.
            joining = self._joining[:1]
        for session in ended:
            session.close()
        for character in joining:
            self._admit(character)

    def _admit(self, character: DanceCharacter) -> None:
        """Give a character a session, which begins with a window of idling: `open` must not wait for that."""
        oldest = next(iter(self._sessions.values()), None)
        try:
            session = DanceSession(self.model, character, self.delay_frames)
        except Exception as error:
            log.exception("event=character_failed character=%d", character.number)
            character.fail(error)
            for command in character.clear_commands():
                command.fail(VerbError("closed", "the character failed; open another"))
            with self._lock:
                self._joining.remove(character)
            return
        if oldest is not None:
            session.align_with(oldest)
        with self._lock:
            self._sessions[character.number] = session
            self._joining.remove(character)
