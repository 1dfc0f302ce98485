"""What a server counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from motiongen.streaming.ticker import TickReport

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.2, 0.5, 1.0, 2.0)


class Metrics:
    """Counters of one server, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        one = self.registry
        self.connections = Gauge("motiongen_connections", "Open websockets.", registry=one)
        self.sessions = Gauge(
            "motiongen_sessions", "Sessions, those that may be resumed included.", registry=one
        )
        self.characters = Gauge("motiongen_characters", "Characters.", registry=one)
        self.steps = Histogram(
            "motiongen_step_seconds", "Time of a step of the model.", buckets=SECONDS, registry=one
        )
        self.batch = Histogram(
            "motiongen_batch_size",
            "Characters in a step.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=one,
        )
        self.sent = Counter("motiongen_frames_sent", "Frames that were sent.", registry=one)
        self.dropped = Counter("motiongen_frames_dropped", "Frames that slow clients missed.", registry=one)
        self.late = Histogram(
            "motiongen_frame_late_seconds", "How late frames were sent.", buckets=SECONDS, registry=one
        )
        self.sent_bytes = Counter("motiongen_sent_bytes", "Bytes of frames that were sent.", registry=one)
        self.first_frame = Histogram(
            "motiongen_first_frame_seconds", "From a verb to its first frame.", buckets=SECONDS, registry=one
        )
        self.refused = Counter("motiongen_refused", "Messages that were refused.", ["code"], registry=one)
        self.cut = Counter("motiongen_cut", "Connections that the server gave up.", ["reason"], registry=one)

    def ticked(self, report: TickReport) -> None:
        """Take note of a step; may be called from any thread."""
        self.steps.observe(report.seconds)
        self.batch.observe(report.stepped)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)
