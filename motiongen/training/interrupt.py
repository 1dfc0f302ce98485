"""Deferred Ctrl-C: interrupts take effect at the end of a training step, so that checkpoints are consistent."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class Interrupt:
    """Flag of a pending interrupt."""

    pending: bool = False


@contextmanager
def deferred_interrupt(*, repeats: bool = True) -> Iterator[Interrupt]:
    """Yield a flag that the first Ctrl-C sets; a second Ctrl-C raises KeyboardInterrupt as usual.

    Args:
        repeats: whether the second one does. A launcher of processes passes on what the terminal has sent them already.

    Signals are handled in the main thread only: in any other, the flag is never set.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = signal.getsignal(signal.SIGINT)

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        if interrupt.pending and repeats:
            raise KeyboardInterrupt
        interrupt.pending = True

    signal.signal(signal.SIGINT, request_stop)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
