"""One thread's share of the streaming characters: their batches, stepped one at a time, the most urgent first."""

import threading
import time
from collections.abc import Callable

from motiongen.streaming.refiner import Refiner
from motiongen.streaming.stream_batch import StreamBatch
from motiongen.streaming.stream_session import StreamSession, step_sessions
from motiongen.streaming.text_character import TextCharacter
from motiongen.streaming.ticker import Ticker, TickReport

REST = 2.0
"""A batch rests for so many times as long as its step took: a step costs the same for one as for all, so that words
for one had better wait a little for words for another. With 128 characters it halves the steps."""
PRESSING = 4
"""Frames: who has fewer left does not wait for that."""


class Worker(Ticker):
    """Owns batches and who is in them. `tick` belongs to one thread; `join` and `woken` to all."""

    def __init__(
        self,
        make_batch: Callable[[int], StreamBatch],
        seat: Callable[[StreamBatch, int, TextCharacter], StreamSession],
        refiner: Refiner | None = None,
    ) -> None:
        """Take how the n-th batch is made, how a character is put into a place of one, and who refines."""
        super().__init__()
        self._make_batch, self._seat, self._refiner = make_batch, seat, refiner
        self._batches: list[StreamBatch] = []
        self._rests: dict[StreamBatch, float] = {}
        self._sessions: dict[int, StreamSession] = {}
        self._joining: list[TextCharacter] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            living = [session.character for session in self._sessions.values()] + self._joining
        return sum(not character.is_closed for character in living)

    def join(self, character: TextCharacter) -> None:
        """Let a character have a place from the next tick on."""
        with self._lock:
            self._joining.append(character)
        self.woken.set()

    def tick(self, urgent: int, room: int) -> TickReport:
        """Hear what was said, then step the batch that needs it most.

        Args:
            urgent: frames, at most, that wait with a character that is due.
            room: frames, at most, that wait with one that steps along when its batch does.
        """
        began = time.perf_counter()
        self._update_sessions()
        sessions = list(self._sessions.values())
        for session in sessions:
            session.hear()
        wanting = [session for session in sessions if session.wants(urgent)]
        if not wanting:
            refined = self._refine(sessions)
            return TickReport(0, time.perf_counter() - began, refined)
        due = [one for one in wanting if one.character.ready < PRESSING or self._rested(one.batch) <= began]
        if not due:
            return TickReport(0, 0.0, rest=min(self._rested(one.batch) for one in wanting) - began)
        batch = min(due, key=lambda session: session.wait).batch
        stepped = [session for session in sessions if session.batch is batch and session.wants(room)]
        step_began = (
            time.perf_counter()
        )  # a batch that was made in this tick must not make this one rest longer
        step_sessions(batch, stepped)
        now = time.perf_counter()
        self._rests[batch] = now + REST * (now - step_began)
        return TickReport(len(stepped), now - began)

    def _rested(self, batch: StreamBatch) -> float:
        """When a batch may take its next step; without a thread nobody comes along meanwhile, and it need not wait."""
        return self._rests.get(batch, 0.0) if self.has_thread else 0.0

    def _refine(self, sessions: list[StreamSession]) -> int:
        """While nobody is due, write anew what waits the longest with one character; return its tokens."""
        if self._refiner is None or not sessions:
            return 0
        counts = [session.refinable(self._refiner.kept) for session in sessions]
        most = max(counts)
        if most < self._refiner.least:
            return 0
        sessions[counts.index(most)].refine(self._refiner, most)
        return most

    def _update_sessions(self) -> None:
        """Free the places of those who left, and give those who came one."""
        left = [n for n, session in self._sessions.items() if session.character.is_closed]
        gone = [self._sessions[number] for number in left]
        with self._lock:
            # What is said at once is done from the first frame on, though it takes a moment to read.
            joining = [one for one in self._joining if one.is_closed or one.has_read]
            for number in left:
                del self._sessions[number]
        for session in gone:
            session.leave()
        for character in joining:  # a new batch takes a while, in which `join` must not wait
            session = self._seat(*self._free_slot(), character)
            with self._lock:
                self._sessions[character.number] = session
                self._joining.remove(character)

    def _free_slot(self) -> tuple[StreamBatch, int]:
        """The first free place, so that batches are full before another is begun."""
        taken = {(id(session.batch), session.item) for session in self._sessions.values()}
        for batch in self._batches:
            for item in range(batch.size):
                if (id(batch), item) not in taken:
                    return batch, item
        self._batches.append(self._make_batch(len(self._batches)))
        return self._batches[-1], 0
