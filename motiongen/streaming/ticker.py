"""A thread that makes frames: it ticks again at once while there is something to do, and else when it is woken."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TickReport:
    """What a tick did.

    Attributes:
        stepped: characters that took a step.
        seconds: that it took.
        refined: tokens that were written anew.
        rest: seconds for which characters that are due are left to wait, for others to come along.
    """

    stepped: int
    seconds: float
    refined: int = 0
    rest: float = 0.0


class Ticker:
    """Calls a tick in a thread of its own between `start` and `stop`.

    Attributes:
        woken: set when a character is due or something was said.
    """

    def __init__(self) -> None:
        self.woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_stopping = False

    @property
    def has_thread(self) -> bool:
        """Whether it ticks by itself."""
        return self._thread is not None

    def start(self, tick: Callable[[], TickReport]) -> None:
        """Tick in a thread of its own until `stop`."""
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, args=(tick,), name="motiongen-stream", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread that `start` began, after its tick."""
        self._is_stopping = True
        self.woken.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, tick: Callable[[], TickReport]) -> None:
        torch.set_flush_denormal(
            True
        )  # this thread's: softmax leaves numbers that a CPU takes ten times as long for
        while not self._is_stopping:
            self.woken.clear()
            try:
                report = tick()
                if report.rest:
                    time.sleep(report.rest)
                elif not report.stepped:
                    self.woken.wait(1.0)
            except Exception:  # a stream that dies silently is worse than a line in the log
                log.exception("tick failed; going on")
                time.sleep(0.1)
