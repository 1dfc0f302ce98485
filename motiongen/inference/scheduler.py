"""Many streaming characters, one model: each tick, all that are due take one batched step together."""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch

from motiongen.features import FPS
from motiongen.heads.mogo import Mogo, MogoOptions
from motiongen.inference.block import Block
from motiongen.inference.character import Character
from motiongen.inference.model import Model
from motiongen.inference.performer import Performer, perform
from motiongen.inference.script import Script
from motiongen.inference.verbs import VerbError
from motiongen.skeleton import SMPL22

log = logging.getLogger(__name__)


BLOCK_SIZES = (16, 64)
"""A first block that is quick to answer, then larger ones: a CPU takes half as long for each of 64 as of 16."""


@dataclass(frozen=True)
class TickReport:
    """What a tick did: characters that took a step, and seconds it took."""

    stepped: int
    seconds: float


class StreamScheduler:
    """Owns characters and one model.

    `tick` steps one block of characters; call it, and `wait`, from one thread, or let `start` do so in one of its own.
    Frames wait with each character, at most about `lead_tokens` tokens of them, and pacing is left to who takes them.
    """

    fps = FPS
    skeleton = SMPL22

    def __init__(
        self,
        model: Model,
        *,
        max_characters: int = 256,
        block_sizes: tuple[int, ...] = BLOCK_SIZES,
        lead_tokens: int = 2,
        options: MogoOptions | None = None,
    ) -> None:
        """Take a model whose head streams.

        Args:
            model: a head that streams, with its tokenizer and text encoder.
            max_characters: those beyond are refused.
            block_sizes: characters that step together, block by block; the last size goes on.
            lead_tokens: tokens, about, that wait with each character: the more, the more a busy machine may be late.
            options: how tokens are drawn.

        Raises:
            ValueError: the model's head does not stream.
        """
        if not isinstance(model.head, Mogo):
            raise ValueError(
                f"model: expected a head that streams, got {type(model.head).__name__}; load mogo"
            )
        self.model, self.head, self.options = model, model.head, options or MogoOptions()
        self.about: dict[str, Any] = dict(model.about)
        self.max_characters, self.block_sizes = max_characters, block_sizes
        self.frames_per_token = model.frames_per_token
        self.spare = lead_tokens + 1
        self.urgent = (lead_tokens - 1) * self.frames_per_token
        """Frames, at most, that wait with a character that is due."""
        self.room = self.urgent + self.frames_per_token // 2
        """Frames, at most, that wait with one which steps along when its block does."""
        self._blocks: list[Block] = []
        self._performers: dict[int, Performer] = {}
        self._joining: list[Character] = []
        self._numbers = itertools.count(1)
        self._seeds = np.random.default_rng()
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._callbacks: list[Callable[[TickReport], None]] = []
        self._thread: threading.Thread | None = None
        self._stopping = False

    def open(self, *, prompt: str = "", seed: int | None = None, strength: float | None = None) -> Character:
        """Return a new character, which stands idle unless a prompt is given.

        Args:
            prompt: what it does first.
            seed: the same seed and the same verbs at the same frames give the same motion; random when left out.
            strength: how strictly it follows its words.

        Raises:
            VerbError: "full", or an argument that makes no sense.
        """
        with self._lock:
            living = [performer.character for performer in self._performers.values()] + self._joining
            if sum(not character.is_closed for character in living) >= self.max_characters:
                raise VerbError("full", f"expected at most {self.max_characters} characters; try again later")
            character = Character(next(self._numbers), Script(), self._woken.set, self.urgent)
            character.say("seed", seed=int(self._seeds.integers(2**53)) if seed is None else seed)
            if strength is not None:
                character.say("strength", scale=strength)
            if prompt:
                character.say("prompt", text=prompt)
            self._joining.append(character)
        self._woken.set()
        return character

    def subscribe(self, callback: Callable[[TickReport], None]) -> None:
        """Call back after each tick, from the thread that ticks."""
        self._callbacks.append(callback)

    def start(self) -> None:
        """Tick in a thread of its own until `stop`."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="motiongen-scheduler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread that `start` began, after its tick."""
        self._stopping = True
        self._woken.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def wait(self, timeout: float) -> bool:
        """Wait until a character is due or says something, at most `timeout` seconds; return whether one is."""
        woken = self._woken.wait(timeout)
        self._woken.clear()
        return woken

    def _run(self) -> None:
        torch.set_flush_denormal(
            True
        )  # this thread's: softmax leaves numbers that a CPU takes ten times as long for
        while not self._stopping:
            try:
                if not self.tick().stepped:
                    self.wait(1.0)
            except Exception:  # a stream that dies silently is worse than a line in the log
                log.exception("tick failed; going on")
                time.sleep(0.1)

    def tick(self) -> TickReport:
        """Hear what was said, then step the block that needs it most."""
        began = time.perf_counter()
        self._seat()
        performers = list(self._performers.values())
        for performer in performers:
            performer.hear()
        due = [performer for performer in performers if _waits(performer, self.urgent)]
        if not due:
            return TickReport(0, time.perf_counter() - began)
        first = min(due, key=lambda performer: -1 if performer.replaces else performer.character.ready)
        stepped = [p for p in performers if p.block is first.block and _waits(p, self.room)]
        perform(first.block, stepped)
        report = TickReport(len(stepped), time.perf_counter() - began)
        for callback in self._callbacks:
            callback(report)
        return report

    def _seat(self) -> None:
        """Free the places of those who left, and give those who came one."""
        for number in [n for n, performer in self._performers.items() if performer.character.is_closed]:
            self._performers.pop(number).leave()
        with self._lock:
            joining, self._joining = self._joining, []
            for character in joining:
                block, item = self._free_place()
                self._performers[character.number] = Performer(self.model, block, item, character)

    def _free_place(self) -> tuple[Block, int]:
        """The first free place, so that blocks are full before another is begun."""
        taken = {(id(performer.block), performer.item) for performer in self._performers.values()}
        for block in self._blocks:
            for item in range(block.size):
                if (id(block), item) not in taken:
                    return block, item
        size = self.block_sizes[min(len(self._blocks), len(self.block_sizes) - 1)]
        block = Block(self.head, self.model.tokenizer, size, self.spare, self.options)
        self._blocks.append(block)
        return block, 0


def _waits(performer: Performer, frames: int) -> bool:
    """Whether at most so many frames wait with a character, or are to be replaced."""
    return performer.replaces or performer.character.ready <= frames
