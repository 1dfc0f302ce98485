"""One thread's share of the text characters: its batches are stepped one at a time, the most urgent first."""

import logging
import threading
import time
from collections.abc import Callable

from motiongen.reward import Guide
from motiongen.streaming.refiner import Refiner, refinable_tokens, refine
from motiongen.streaming.session_commands import drain_commands
from motiongen.streaming.session_step import step_sessions
from motiongen.streaming.stream_batch import StreamBatch
from motiongen.streaming.stream_session import StreamSession
from motiongen.streaming.text_character import TextCharacter
from motiongen.streaming.ticker import Ticker, TickReport
from motiongen.streaming.verbs import VerbError

log = logging.getLogger(__name__)

COOLDOWN_RATIO = 2.0
"""A batch waits after a step for so many times as long as the step took: a step costs the same for one character as
for all, so that commands of one had better wait a little for those of another. With 128 characters it halves the
steps."""
PRESSING_FRAMES = 4
"""A character with fewer frames left does not wait for that."""


class Worker(Ticker):
    """Owns batches and the sessions in them. `tick` belongs to one thread; `join` and `woken` to all."""

    def __init__(
        self,
        make_batch: Callable[[int], StreamBatch],
        make_session: Callable[[StreamBatch, int, TextCharacter], StreamSession],
        refiner: Refiner | None = None,
        on_failure: Callable[[TickReport], None] | None = None,
        make_candidates: Callable[[Guide], StreamBatch] | None = None,
    ) -> None:
        """Make a worker without batches.

        Args:
            make_batch: makes the n-th batch.
            make_session: puts a character into a slot of a batch.
            refiner: rewrites tokens that wait; None for no refinement.
            on_failure: called with the report of each tick that raised.
            make_candidates: makes the batch of a character that a reward guides.
        """
        super().__init__(on_failure)
        self._make_candidates = make_candidates
        self._make_batch, self._make_session, self._refiner = make_batch, make_session, refiner
        self._batches: list[StreamBatch] = []
        self._cooled_at: dict[StreamBatch, float] = {}
        self._sessions: dict[int, StreamSession] = {}
        self._joining: list[TextCharacter] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            living = [session.character for session in self._sessions.values()] + self._joining
        return sum(not character.is_closed for character in living)

    def join(self, character: TextCharacter) -> None:
        """Give a character a slot from the next tick on.

        Args:
            character: the character.
        """
        with self._lock:
            self._joining.append(character)
        self.woken.set()

    def tick(self, urgent_frames: int, room_frames: int) -> TickReport:
        """Execute commands, then step the batch whose characters have the fewest frames left.

        Args:
            urgent_frames: a character is due when at most so many frames wait.
            room_frames: a character steps along with its batch when at most so many frames wait.
        """
        began = time.perf_counter()
        self._update_sessions()
        sessions = list(self._sessions.values())
        for session in sessions:
            drain_commands(session)
            session.keep_gait()
        due = [session for session in sessions if session.is_due(urgent_frames)]
        if not due:
            refined = self._refine(sessions)
            return TickReport(0, time.perf_counter() - began, refined)
        pressing = [
            one
            for one in due
            if one.character.ready < PRESSING_FRAMES or self._cooldown_end(one.batch) <= began
        ]
        if not pressing:
            wait = min(self._cooldown_end(one.batch) for one in due) - began
            return TickReport(0, 0.0, cooldown=wait)
        batch = min(pressing, key=lambda session: session.waiting).batch
        stepped = [session for session in sessions if session.batch is batch and session.is_due(room_frames)]
        step_began = time.perf_counter()  # a batch that was made in this tick must not lengthen the cooldown
        step_sessions(batch, stepped)
        now = time.perf_counter()
        self._cooled_at[batch] = now + COOLDOWN_RATIO * (now - step_began)
        return TickReport(len(stepped), now - began)

    def _cooldown_end(self, batch: StreamBatch) -> float:
        """When a batch may take its next step. Without a thread nobody joins meanwhile, and it need not wait."""
        return self._cooled_at.get(batch, 0.0) if self.has_thread else 0.0

    def _refine(self, sessions: list[StreamSession]) -> int:
        """While nobody is due, rewrite the longest part that waits of one session; return its tokens."""
        if self._refiner is None or not sessions:
            return 0
        counts = [refinable_tokens(session, self._refiner.guard_tokens) for session in sessions]
        tokens = max(counts)
        if tokens < self._refiner.min_tokens:
            return 0
        session = sessions[counts.index(tokens)]
        try:
            refine(session, self._refiner, tokens)
        except Exception as error:
            session.fail(error)
        return tokens

    def _update_sessions(self) -> None:
        """End the sessions of closed characters, and give new characters a session."""
        closed = [n for n, session in self._sessions.items() if session.character.is_closed]
        ended = [self._sessions[number] for number in closed]
        with self._lock:
            # A command that is submitted at once is obeyed from the first frame on, though encoding takes a moment.
            joining = [one for one in self._joining if one.is_closed or one.is_encoded]
            for number in closed:
                del self._sessions[number]
        for session in ended:
            session.close()
            if session.batch not in self._batches:  # its own
                self._cooled_at.pop(session.batch, None)
        for character in joining:  # a new batch takes a while, in which `join` must not wait
            self._admit(character)

    def _admit(self, character: TextCharacter) -> None:
        try:
            session = self._make_session(*self._slot_for(character), character)
        except Exception as error:
            log.exception("event=character_failed character=%d", character.number)
            character.fail(error)
            for command in character.clear_commands():
                command.fail(VerbError("closed", "the character failed; open another"))
            with self._lock:
                self._joining.remove(character)
            return
        with self._lock:
            self._sessions[character.number] = session
            self._joining.remove(character)

    def _slot_for(self, character: TextCharacter) -> tuple[StreamBatch, int]:
        """Return where a character goes on: one that a reward guides needs a batch of its own."""
        if character.guide is None or self._make_candidates is None:
            return self._free_slot()
        return self._make_candidates(character.guide), 0

    def _free_slot(self) -> tuple[StreamBatch, int]:
        """Return the first free slot, so that batches are full before another is made."""
        taken = {(id(session.batch), session.slot) for session in self._sessions.values()}
        for batch in self._batches:
            for slot in range(batch.size):
                if (id(batch), slot) not in taken:
                    return batch, slot
        self._batches.append(self._make_batch(len(self._batches)))
        return self._batches[-1], 0
