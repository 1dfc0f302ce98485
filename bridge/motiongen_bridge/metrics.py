"""Prometheus metrics of a server, and whether its scheduler is healthy."""

import os
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from motiongen.streaming.ticker import TickReport
from motiongen_bridge.peers import METRICS

SECONDS_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.2, 0.5, 1.0, 2.0)
DEGRADED_SECONDS = 2.0
"""Time after a failed tick for which the server counts as degraded."""


class Metrics:
    """Metrics of one server, in a registry of their own. Those of all its processes add up.

    Attributes:
        registry: the registry.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._failed_at = -DEGRADED_SECONDS
        one = self.registry
        self.connections = _gauge("motiongen_connections", "Open websockets.", one)
        self.sessions = _gauge("motiongen_sessions", "Sessions, those that may be resumed included.", one)
        self.characters = _gauge("motiongen_characters", "Characters.", one)
        self.steps = Histogram(
            "motiongen_step_seconds", "Time of a step of the model.", buckets=SECONDS_BUCKETS, registry=one
        )
        self.batch = Histogram(
            "motiongen_batch_size",
            "Characters in a step.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=one,
        )
        self.tick_failures = Counter(
            "motiongen_tick_failures", "Ticks of the scheduler that failed.", registry=one
        )
        self.internal_errors = Counter(
            "motiongen_internal_errors", "Verbs that failed because of a bug.", registry=one
        )
        self.sender_errors = Counter(
            "motiongen_sender_errors", "Poses that a sender failed to send.", registry=one
        )
        self.sent = Counter("motiongen_frames_sent", "Frames that were sent.", registry=one)
        self.dropped = Counter("motiongen_frames_dropped", "Frames that slow clients missed.", registry=one)
        self.late = Histogram(
            "motiongen_frame_late_seconds",
            "How late frames were sent.",
            buckets=SECONDS_BUCKETS,
            registry=one,
        )
        self.sent_bytes = Counter("motiongen_sent_bytes", "Bytes of frames that were sent.", registry=one)
        self.first_frame = Histogram(
            "motiongen_first_frame_seconds",
            "From a verb to its first frame.",
            buckets=SECONDS_BUCKETS,
            registry=one,
        )
        self.refused = Counter("motiongen_refused", "Messages that were refused.", ["code"], registry=one)
        self.wrong_tokens = Counter(
            "motiongen_wrong_tokens", "Requests with another token than the server's.", registry=one
        )
        self.cut = Counter("motiongen_cut", "Connections that the server gave up.", ["reason"], registry=one)

    def record_tick(self, report: TickReport) -> None:
        """Count a tick; may be called from any thread.

        Args:
            report: the tick's report.
        """
        if report.error is not None:
            self.tick_failures.inc()
            self._failed_at = time.monotonic()
            return
        self.steps.observe(report.seconds)
        self.batch.observe(report.stepped)

    @property
    def is_degraded(self) -> bool:
        """Whether a tick has failed in the last two seconds."""
        return time.monotonic() - self._failed_at < DEGRADED_SECONDS

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        if METRICS not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def _gauge(name: str, help: str, registry: CollectorRegistry) -> Gauge:
    """Return a gauge; those of the processes that live are added up."""
    return Gauge(name, help, registry=registry, multiprocess_mode="livesum")
