"""Schedules many characters that obey sentences on one model: those that are due take one batched step together."""

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Self

import numpy as np

from motiongen.features import FPS
from motiongen.heads import heads_for
from motiongen.heads.code_config import CodeOptions
from motiongen.inference.model import Model
from motiongen.reward import CANDIDATES, Guide, Reward
from motiongen.skeleton import SMPL22
from motiongen.step_compiler import StepCompiler
from motiongen.streaming.candidate_batch import CandidateBatch
from motiongen.streaming.gait_library import NUM_GAITS, GaitLibrary
from motiongen.streaming.prompt_plan import IDLE, PromptPlan, planned
from motiongen.streaming.refiner import Refiner
from motiongen.streaming.sentence_reader import SentenceReader
from motiongen.streaming.stream_batch import StreamBatch
from motiongen.streaming.stream_session import StreamSession
from motiongen.streaming.text_character import TextCharacter
from motiongen.streaming.ticker import TickReport
from motiongen.streaming.verbs import VERBS, VerbError
from motiongen.streaming.worker import Worker

BATCH_SIZES = (8, 56, 64)
"""A first batch that is quick to answer, then larger ones: a CPU takes a third as long for each of 64 as of 8."""


class StreamScheduler:
    """Owns text characters and one model.

    Either call `tick` from one thread, or let `start` do so in threads of its own. Frames wait with each character, at
    most about `lead_tokens` tokens of them. Pacing is left to the caller that takes them.
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
        """Make a scheduler without characters.

        Args:
            model: a head that streams, with its tokenizer and text encoder.
            max_characters: characters at once; others are refused.
            batch_sizes: slots of the batches, in order; the last size repeats.
            lead_tokens: tokens, about, that wait with each character: the more, the more a busy machine may be late.
            workers: threads that share the characters, each with batches of its own.
            refiner: rewrites frames that wait, in spare time; give it a lead of 8 tokens or more.
            options: sampling options, of the head's own class; its defaults when left out.

        Raises:
            ValueError: the model's head does not stream.
        """
        if not model.spec.streams:
            able = " or ".join(heads_for("words", streams=True))
            raise ValueError(
                f"model: expected a head that streams, got {type(model.head).__name__}; load {able}"
            )
        self.model, self.head = model, model.head
        self.options: CodeOptions = options or model.spec.options()
        self.about: dict[str, Any] = dict(model.about)
        self.max_characters, self.batch_sizes = max_characters, batch_sizes
        self.rewind_limit = lead_tokens + 1
        self.urgent_frames = (lead_tokens - 1) * model.frames_per_token
        self.room_frames = self.urgent_frames + model.frames_per_token
        self._compiler = StepCompiler()
        self._reader: SentenceReader | None = None
        self._gaits = GaitLibrary(model, self._make_gait_batch)
        self._callbacks: list[Callable[[TickReport], None]] = []
        self.workers = [
            Worker(self._make_batch, self._make_session, refiner, self._report, self._make_candidates)
            for _ in range(workers)
        ]
        self._numbers = itertools.count(1)
        self._seeds = np.random.default_rng()
        self._lock = threading.Lock()

    def open(
        self,
        *,
        prompt: str = "",
        seed: int | None = None,
        guidance_scale: float | None = None,
        reward: Reward | None = None,
        candidates: int = CANDIDATES,
    ) -> TextCharacter:
        """Return a new character, which stands idle unless a prompt is given.

        Args:
            prompt: its first prompt.
            seed: the same seed and the same commands at the same frames give the same motion; random when left out.
            guidance_scale: how strictly it follows its prompts, 1 to 10.
            reward: chooses among candidates of each next half second, see `motiongen.reward`; it is called in the
                scheduler's thread, and a fault of it ends this character alone. None for none.
            candidates: how many, 1 to 32; the character then has a batch of its own, of so many slots.

        Raises:
            VerbError: "full", or an invalid argument.
            ValueError: a reward that cannot be called, or another number of candidates.
        """
        guide = None if reward is None else Guide(reward, candidates)
        with self._lock:
            loads = [len(worker) for worker in self.workers]
            if sum(loads) >= self.max_characters:
                raise VerbError("full", f"expected at most {self.max_characters} characters; try again later")
            worker = self.workers[loads.index(min(loads))]
            character = TextCharacter(
                next(self._numbers),
                PromptPlan(),
                worker.woken.set,
                self.urgent_frames,
                partial(self._encode_later, worker),
                partial(self._write_gaits, worker),
                guide,
            )
            character.submit("seed", seed=int(self._seeds.integers(2**53)) if seed is None else seed)
            if guidance_scale is not None:
                character.submit("strength", scale=guidance_scale)
            if prompt:
                character.submit("prompt", text=prompt).add_done_callback(character.tell)
            worker.join(character)
        return character

    def describe(self) -> dict[str, Any]:
        """Return the fields of the protocol's hello that describe this kind of character."""
        return {"head": self.model.spec.name}

    def subscribe(self, callback: Callable[[TickReport], None]) -> None:
        """Call back after each tick that took a step or failed, from the thread that ticked.

        Args:
            callback: takes the tick's report.
        """
        self._callbacks.append(callback)

    def tick(self) -> TickReport:
        """Let each worker execute commands and step the batch whose characters have the fewest frames left."""
        reports = [self._tick(worker) for worker in self.workers]
        return TickReport(
            stepped=sum(report.stepped for report in reports),
            seconds=sum(report.seconds for report in reports),
            refined=sum(report.refined for report in reports),
        )

    def start(self) -> None:
        """Tick in threads until `stop`. Before, all work is done that only the first step of a kind needs."""
        self._reader = SentenceReader(self.model)
        self._warm_up()
        for worker in self.workers:
            worker.start(partial(self._tick, worker))

    def stop(self) -> None:
        """End the threads that `start` began, after their ticks."""
        for worker in self.workers:
            worker.stop()
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _tick(self, worker: Worker) -> TickReport:
        report = worker.tick(self.urgent_frames, self.room_frames)
        if report.stepped:
            self._report(report)
        return report

    def _report(self, report: TickReport) -> None:
        for callback in self._callbacks:
            callback(report)

    def _encode_later(self, worker: Worker, text: str) -> "Future[str] | None":
        """Encode a sentence beside the ticks, which would all be late by the time that it takes; for the note on it.

        Without threads there is nothing to be late for: it is encoded when its command is executed.
        """
        if self._reader is None:
            return None
        note = self._reader.read(text, [prompt.text for prompt in planned(text, 0)])
        note.add_done_callback(lambda _: worker.woken.set())
        return note

    def _write_gaits(self, worker: Worker) -> "Future[str] | None":
        """Write the gaits beside the ticks, as sentences are encoded."""
        if self._reader is None or self._gaits.is_written:
            return None
        writing = self._reader.submit(self._gaits.write)
        writing.add_done_callback(lambda _: worker.woken.set())
        return writing

    def _warm_up(self) -> None:
        """Compile a step of each size that may be needed, so that nobody's frames wait for that later."""
        self.model.text.encode([IDLE])
        share = -(-self.max_characters // len(self.workers))
        needed = sum(total < share for total in itertools.accumulate(self.batch_sizes[:-1], initial=0))
        for number in range(needed):
            self._make_batch(number)

    def _make_batch(self, number: int) -> StreamBatch:
        size = self.batch_sizes[min(number, len(self.batch_sizes) - 1)]
        return StreamBatch(
            self.head, self.model.tokenizer, size, self.rewind_limit, self.options, self._compiler
        )

    def _make_candidates(self, guide: Guide) -> StreamBatch:
        return CandidateBatch(
            self.head, self.model.tokenizer, self.rewind_limit, self.options, self._compiler, guide
        )

    def _make_gait_batch(self) -> StreamBatch:
        return StreamBatch(self.head, self.model.tokenizer, NUM_GAITS, 0, self.options, StepCompiler())

    def _make_session(self, batch: StreamBatch, slot: int, character: TextCharacter) -> StreamSession:
        session = StreamSession(self.model, batch, slot, character, self._gaits)
        if isinstance(batch, CandidateBatch):
            batch.choose = session.choose
        return session
