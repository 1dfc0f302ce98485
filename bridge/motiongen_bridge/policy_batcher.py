"""PolicyBatcher: chunks for all robots that wait, in one pass of the policy, off the event loop."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from motiongen.inference.chunk_predictor import ChunkPredictor, ChunkRequest

log = logging.getLogger(__name__)

MAX_BATCH = 64
"""Robots in a pass; more wait for the next one."""
DEGRADED_SECONDS = 2.0
"""Time after a failed pass for which the server counts as degraded."""

Answer = Callable[[NDArray[np.float32] | Exception], None]
"""Takes the chunk (H', A), or why there is none."""


@dataclass(frozen=True)
class _Waiting:
    request: ChunkRequest
    answer: Answer
    since: float = field(default_factory=time.monotonic)


class PolicyMetrics:
    """Metrics of a policy server, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = one = CollectorRegistry()
        self.chunks = Counter("motiongen_policy_chunks", "Chunks that were sent.", registry=one)
        self.replaced = Counter(
            "motiongen_policy_replaced", "Observations for which a newer one came in time.", registry=one
        )
        self.refused = Counter("motiongen_policy_refused", "Messages that were refused.", registry=one)
        self.failed = Counter(
            "motiongen_policy_failures", "Passes that failed because of a bug.", registry=one
        )
        self.wrong_tokens = Counter(
            "motiongen_policy_wrong_tokens", "Requests with a wrong token.", registry=one
        )
        self.batch = Histogram(
            "motiongen_policy_batch_size", "Robots in a pass.", buckets=(1, 2, 4, 8, 16, 32, 64), registry=one
        )
        self.seconds = Histogram(
            "motiongen_policy_seconds",
            "From an observation to its chunk.",
            buckets=(0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.5, 1.0),
            registry=one,
        )

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class PolicyBatcher:
    """Answers the observations of robots. `submit` is called from the event loop on which `run` runs.

    While a pass runs, observations wait; the next pass takes all of them, so that a batch is as large as it needs to
    be, and one robot alone never waits for others. Of a robot only the newest observation waits.

    Args:
        predictor: the policy.
        metrics: counts.
        seed: of a policy that samples.
    """

    def __init__(self, predictor: ChunkPredictor, metrics: PolicyMetrics, seed: int = 0) -> None:
        self._predictor, self._metrics = predictor, metrics
        self._generator = torch.Generator().manual_seed(seed)
        self._waiting: dict[object, _Waiting] = {}
        self._wake = asyncio.Event()
        self._failed_at = -DEGRADED_SECONDS

    @property
    def is_degraded(self) -> bool:
        """Whether a pass has failed in the last two seconds."""
        return time.monotonic() - self._failed_at < DEGRADED_SECONDS

    def submit(self, robot: object, request: ChunkRequest, answer: Answer) -> None:
        """Have an observation answered, in place of one of the same robot that still waits.

        Args:
            robot: what tells robots apart.
            request: the observation.
            answer: called with the chunk or the error, from the event loop.
        """
        if self._waiting.pop(robot, None) is not None:
            self._metrics.replaced.inc()
        self._waiting[robot] = _Waiting(request, answer)
        self._wake.set()

    async def run(self) -> None:
        """Answer until cancelled."""
        while True:
            await self._wake.wait()
            robots = list(self._waiting)[:MAX_BATCH]  # those that wait longest
            batch = [self._waiting.pop(robot) for robot in robots]
            if not self._waiting:
                self._wake.clear()
            await self._answer(batch)

    async def _answer(self, batch: list[_Waiting]) -> None:
        self._metrics.batch.observe(len(batch))
        requests = [one.request for one in batch]
        try:
            chunks = await asyncio.to_thread(self._predictor.predict, requests, self._generator)
        except Exception as error:
            log.exception("event=failed at=policy robots=%d", len(batch))
            self._metrics.failed.inc()
            self._failed_at = time.monotonic()
            for one in batch:
                one.answer(error)
            return
        for one, chunk in zip(batch, chunks, strict=True):
            self._metrics.seconds.observe(time.monotonic() - one.since)
            self._metrics.chunks.inc()
            one.answer(chunk)
