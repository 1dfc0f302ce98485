"""A thread that calls a scheduler's tick: again at once while there is work, and else when it is woken."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.1
"""Pause after a tick that failed."""


@dataclass(frozen=True)
class TickReport:
    """What a tick did.

    Attributes:
        stepped: characters that took a step.
        seconds: time that the tick took.
        refined: tokens that were rewritten.
        cooldown: seconds to wait before the next tick, so that more characters are due together.
        error: the exception that ended the tick; None where it succeeded.
    """

    stepped: int
    seconds: float
    refined: int = 0
    cooldown: float = 0.0
    error: Exception | None = None


class Ticker:
    """Calls a function in a thread of its own between `start` and `stop`.

    Attributes:
        woken: set when there is new work.
    """

    def __init__(self, on_failure: Callable[[TickReport], None] | None = None) -> None:
        """Make a ticker without a thread.

        Args:
            on_failure: called from the thread with the report of each tick that raised.
        """
        self.woken = threading.Event()
        self._on_failure = on_failure
        self._thread: threading.Thread | None = None
        self._is_stopping = False

    @property
    def has_thread(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None

    def start(self, tick: Callable[[], TickReport]) -> None:
        """Start the thread.

        Args:
            tick: called again and again.
        """
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, args=(tick,), name="motiongen-stream", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after its tick, and wait for it."""
        self._is_stopping = True
        self.woken.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, tick: Callable[[], TickReport]) -> None:
        # Of this thread: softmax leaves numbers that a CPU takes ten times as long for.
        torch.set_flush_denormal(True)
        while not self._is_stopping:
            self.woken.clear()
            began = time.perf_counter()
            try:
                report = tick()
            except Exception as error:  # a stream that ends without a trace is worse than a line in the log
                log.exception("event=tick_failed")
                if self._on_failure is not None:
                    self._on_failure(TickReport(0, time.perf_counter() - began, error=error))
                time.sleep(RETRY_SECONDS)
                continue
            if report.cooldown:
                time.sleep(report.cooldown)
            elif not report.stepped:
                self.woken.wait(1.0)
