"""Many streaming characters, one model: each tick, all of a batch that are due take one batched step together."""

import itertools
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Self

import numpy as np

from motiongen.features import FPS
from motiongen.heads import heads_for
from motiongen.heads.code_config import CodeOptions
from motiongen.inference.model import Model
from motiongen.skeleton import SMPL22
from motiongen.step_compiler import StepCompiler
from motiongen.streaming.prompt_plan import IDLE, PromptPlan
from motiongen.streaming.refiner import Refiner
from motiongen.streaming.stream_batch import StreamBatch
from motiongen.streaming.stream_session import StreamSession
from motiongen.streaming.text_character import TextCharacter
from motiongen.streaming.ticker import TickReport
from motiongen.streaming.verbs import VERBS, VerbError
from motiongen.streaming.worker import Worker

BATCH_SIZES = (8, 56, 64)
"""A first batch that is quick to answer, then larger ones: a CPU takes a third as long for each of 64 as of 8."""


class StreamScheduler:
    """Owns characters and one model.

    Either call `tick` from one thread, or let `start` do so in threads of its own. Frames wait with each character, at
    most about `lead_tokens` tokens of them, and pacing is left to who takes them.
    """

    fps = FPS
    skeleton = SMPL22
    verbs = VERBS

    def __init__(
        self,
        model: Model,
        *,
        max_characters: int = 256,
        batch_sizes: tuple[int, ...] = BATCH_SIZES,
        lead_tokens: int = 3,
        workers: int = 1,
        refiner: Refiner | None = None,
        options: CodeOptions | None = None,
    ) -> None:
        """Take a model whose head streams.

        Args:
            model: a head that streams, with its tokenizer and text encoder.
            max_characters: those beyond are refused.
            batch_sizes: characters that step together, batch by batch; the last size goes on.
            lead_tokens: tokens, about, that wait with each character: the more, the more a busy machine may be late.
            workers: threads among which the characters are shared, each with batches of its own.
            refiner: rewrites what waits, in the time that is left; give it a lead of 8 tokens or more.
            options: how tokens are drawn.

        Raises:
            ValueError: the model's head does not stream.
        """
        if not model.spec.streams:
            able = " or ".join(heads_for("words", streams=True))
            raise ValueError(
                f"model: expected a head that streams, got {type(model.head).__name__}; load {able}"
            )
        self.model, self.head, self.options = model, model.head, options or model.spec.options()
        self.about: dict[str, Any] = dict(model.about)
        self.max_characters, self.batch_sizes, self.spare = max_characters, batch_sizes, lead_tokens + 1
        self.urgent = (lead_tokens - 1) * model.frames_per_token
        self.room = self.urgent + model.frames_per_token
        self._compiler = StepCompiler()
        self._reader: ThreadPoolExecutor | None = None
        self.workers = [Worker(self._make_batch, self._seat, refiner) for _ in range(workers)]
        self._numbers = itertools.count(1)
        self._seeds = np.random.default_rng()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[TickReport], None]] = []

    def open(
        self, *, prompt: str = "", seed: int | None = None, strength: float | None = None
    ) -> TextCharacter:
        """Return a new character, which stands idle unless a prompt is given.

        Args:
            prompt: what it does first.
            seed: the same seed and the same verbs at the same frames give the same motion; random when left out.
            strength: how strictly it follows its words.

        Raises:
            VerbError: "full", or an argument that makes no sense.
        """
        with self._lock:
            loads = [len(worker) for worker in self.workers]
            if sum(loads) >= self.max_characters:
                raise VerbError("full", f"expected at most {self.max_characters} characters; try again later")
            worker = self.workers[loads.index(min(loads))]
            character = TextCharacter(
                next(self._numbers), PromptPlan(), worker.woken.set, self.urgent, partial(self._read, worker)
            )
            character.submit("seed", seed=int(self._seeds.integers(2**53)) if seed is None else seed)
            if strength is not None:
                character.submit("strength", scale=strength)
            if prompt:
                character.submit("prompt", text=prompt)
            worker.join(character)
        return character

    def describe(self) -> dict[str, Any]:
        """Return what hello says of this kind of character."""
        return {"head": self.model.spec.name}

    def subscribe(self, callback: Callable[[TickReport], None]) -> None:
        """Call back after each step, from the thread that took it."""
        self._callbacks.append(callback)

    def tick(self) -> TickReport:
        """Let each worker hear what was said, and step the batch that needs it most."""
        reports = [self._tick(worker) for worker in self.workers]
        return TickReport(
            stepped=sum(report.stepped for report in reports),
            seconds=sum(report.seconds for report in reports),
            refined=sum(report.refined for report in reports),
        )

    def start(self) -> None:
        """Tick in threads until `stop`; before, whatever the first of its kind takes long for is done."""
        self._warm_up()
        self._reader = ThreadPoolExecutor(1, "motiongen-words", initializer=_step_back)
        for worker in self.workers:
            worker.start(partial(self._tick, worker))

    def stop(self) -> None:
        """End the threads that `start` began, after their ticks."""
        for worker in self.workers:
            worker.stop()
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _tick(self, worker: Worker) -> TickReport:
        report = worker.tick(self.urgent, self.room)
        if report.stepped:
            for callback in self._callbacks:
                callback(report)
        return report

    def _read(self, worker: Worker, text: str) -> "Future[None] | None":
        """Let a sentence be read beside the ticks, which would all be late by the time that it takes.

        Without threads there is nothing to be late for: it is read when it is heard.
        """
        if self._reader is None or self.model.text.knows(text):
            return None
        reading = self._reader.submit(self._learn, text)
        reading.add_done_callback(lambda _: worker.woken.set())
        return reading

    def _learn(self, text: str) -> None:
        self.model.text.encode([text])

    def _warm_up(self) -> None:
        """Record a step of each size that may be needed, so that nobody's frames wait for that later."""
        self.model.text.encode([IDLE])
        share = -(-self.max_characters // len(self.workers))
        needed = sum(total < share for total in itertools.accumulate(self.batch_sizes[:-1], initial=0))
        for number in range(needed):
            self._make_batch(number)

    def _make_batch(self, number: int) -> StreamBatch:
        size = self.batch_sizes[min(number, len(self.batch_sizes) - 1)]
        return StreamBatch(self.head, self.model.tokenizer, size, self.spare, self.options, self._compiler)

    def _seat(self, batch: StreamBatch, item: int, character: TextCharacter) -> StreamSession:
        return StreamSession(self.model, batch, item, character)


def _step_back() -> None:
    """Let this thread run after others where there are too few cores: frames first, then new words."""
    if sys.platform == "linux":  # elsewhere a thread has no niceness of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + 5)
