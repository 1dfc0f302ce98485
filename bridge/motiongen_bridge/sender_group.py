"""A list of senders that get the same frames. A sender that fails never harms the stream or the other senders."""

import asyncio
import logging
from collections.abc import Callable, Sequence

import numpy as np

from motiongen_bridge.senders import FrameSender

log = logging.getLogger(__name__)

MAX_ERRORS_IN_A_ROW = 30
"""Errors after which a sender is dropped: a second of frames."""


class SenderGroup:
    """Sends each pose to all senders."""

    def __init__(self, senders: Sequence[FrameSender], on_error: Callable[[], None]) -> None:
        """Make a group.

        Args:
            senders: the senders; the group closes them.
            on_error: called for each pose that a sender fails on.
        """
        self._senders = list(senders)
        self._errors = [0] * len(self._senders)  # in a row; by place, since a sender may have no hash
        self._on_error = on_error

    def __len__(self) -> int:
        return len(self._senders)

    def send(self, rotations: np.ndarray, root: np.ndarray, time: float) -> None:
        """Send a pose. A sender that raises is tried again with the next pose, and dropped after a second of errors.

        Args:
            rotations: (22, 4) local rotations, xyzw.
            root: (3,) metres.
            time: seconds since the stream began.
        """
        for n, sender in enumerate(self._senders):
            try:
                sender.send(rotations.copy(), root.copy(), time)  # what one writes into, the others get too
            except (Exception, asyncio.CancelledError) as error:  # no task of ours was cancelled
                self._on_error()
                if not self._errors[n]:
                    log.warning("event=sender_failed sender=%s reason=%s", type(sender).__name__, error)
                self._errors[n] += 1
            else:
                self._errors[n] = 0
        self._drop_failed()

    def close(self) -> None:
        """Close all senders."""
        for sender in self._senders:
            self._close(sender)
        self._senders.clear()
        self._errors.clear()

    def _drop_failed(self) -> None:
        for n in reversed(range(len(self._senders))):
            if self._errors[n] >= MAX_ERRORS_IN_A_ROW:
                del self._errors[n]
                sender = self._senders.pop(n)
                log.error("event=sender_dropped sender=%s", type(sender).__name__)
                self._close(sender)

    def _close(self, sender: FrameSender) -> None:
        try:
            sender.close()
        except Exception:
            log.exception("event=sender_failed sender=%s at=close", type(sender).__name__)
