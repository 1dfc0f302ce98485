"""One thread's share of the streaming characters: their blocks, stepped one at a time, the most urgent first."""

import threading
import time
from collections.abc import Callable

from motiongen.streaming.block import Block
from motiongen.streaming.character import Character
from motiongen.streaming.performer import Performer, perform
from motiongen.streaming.refiner import Refiner
from motiongen.streaming.ticker import Ticker, TickReport

REST = 2.0
"""A block rests for so many times as long as its step took: a step costs the same for one as for all, so that words
for one had better wait a little for words for another. With 128 characters it halves the steps."""
PRESSING = 4
"""Frames: who has fewer left does not wait for that."""


class Worker(Ticker):
    """Owns blocks and who is in them. `tick` belongs to one thread; `join` and `woken` to all."""

    def __init__(
        self,
        make_block: Callable[[int], Block],
        seat: Callable[[Block, int, Character], Performer],
        refiner: Refiner | None = None,
    ) -> None:
        """Take how the n-th block is made, how a character is put into a place of one, and who refines."""
        super().__init__()
        self._make_block, self._seat, self._refiner = make_block, seat, refiner
        self._blocks: list[Block] = []
        self._rests: dict[Block, float] = {}
        self._performers: dict[int, Performer] = {}
        self._joining: list[Character] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            living = [performer.character for performer in self._performers.values()] + self._joining
        return sum(not character.is_closed for character in living)

    def join(self, character: Character) -> None:
        """Let a character have a place from the next tick on."""
        with self._lock:
            self._joining.append(character)
        self.woken.set()

    def tick(self, urgent: int, room: int) -> TickReport:
        """Hear what was said, then step the block that needs it most.

        Args:
            urgent: frames, at most, that wait with a character that is due.
            room: frames, at most, that wait with one that steps along when its block does.
        """
        began = time.perf_counter()
        self._come_and_go()
        performers = list(self._performers.values())
        for performer in performers:
            performer.hear()
        wanting = [performer for performer in performers if performer.wants(urgent)]
        if not wanting:
            refined = self._refine(performers)
            return TickReport(0, time.perf_counter() - began, refined)
        due = [one for one in wanting if one.character.ready < PRESSING or self._rested(one.block) <= began]
        if not due:
            return TickReport(0, 0.0, rest=min(self._rested(one.block) for one in wanting) - began)
        block = min(due, key=lambda performer: performer.wait).block
        stepped = [
            performer for performer in performers if performer.block is block and performer.wants(room)
        ]
        step_began = (
            time.perf_counter()
        )  # a block that was made in this tick must not make this one rest longer
        perform(block, stepped)
        now = time.perf_counter()
        self._rests[block] = now + REST * (now - step_began)
        return TickReport(len(stepped), now - began)

    def _rested(self, block: Block) -> float:
        """When a block may take its next step; without a thread nobody comes along meanwhile, and it need not wait."""
        return self._rests.get(block, 0.0) if self.has_thread else 0.0

    def _refine(self, performers: list[Performer]) -> int:
        """While nobody is due, write anew what waits the longest with one character; return its tokens."""
        if self._refiner is None or not performers:
            return 0
        counts = [performer.refinable(self._refiner.kept) for performer in performers]
        most = max(counts)
        if most < self._refiner.least:
            return 0
        performers[counts.index(most)].refine(self._refiner, most)
        return most

    def _come_and_go(self) -> None:
        """Free the places of those who left, and give those who came one."""
        left = [n for n, performer in self._performers.items() if performer.character.is_closed]
        gone = [self._performers[number] for number in left]
        with self._lock:
            # What is said at once is done from the first frame on, though it takes a moment to read.
            joining = [one for one in self._joining if one.is_closed or one.has_read]
            for number in left:
                del self._performers[number]
        for performer in gone:
            performer.leave()
        for character in joining:  # a new block takes a while, in which `join` must not wait
            performer = self._seat(*self._free_place(), character)
            with self._lock:
                self._performers[character.number] = performer
                self._joining.remove(character)

    def _free_place(self) -> tuple[Block, int]:
        """The first free place, so that blocks are full before another is begun."""
        taken = {(id(performer.block), performer.item) for performer in self._performers.values()}
        for block in self._blocks:
            for item in range(block.size):
                if (id(block), item) not in taken:
                    return block, item
        self._blocks.append(self._make_block(len(self._blocks)))
        return self._blocks[-1], 0
