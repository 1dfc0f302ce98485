"""A list of senders that get the same frames. A sender that fails never harms the stream or the other senders."""

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
        self._errors = dict.fromkeys(senders, 0)
        self._on_error = on_error

    def __len__(self) -> int:
        return len(self._errors)

    def send(self, rotations: np.ndarray, root: np.ndarray, time: float) -> None:
        """Send a pose. A sender that raises is tried again with the next pose, and dropped after a second of errors.

        Args:
            rotations: (22, 4) local rotations, xyzw.
            root: (3,) metres.
            time: seconds since the stream began.
        """
        for sender, errors in list(self._errors.items()):
            try:
                sender.send(rotations, root, time)
            except Exception as error:
                self._on_error()
                if not errors:
                    log.warning("event=sender_failed sender=%s reason=%s", type(sender).__name__, error)
                self._errors[sender] = errors + 1
                if errors + 1 >= MAX_ERRORS_IN_A_ROW:
                    self._drop(sender)
            else:
                self._errors[sender] = 0

    def close(self) -> None:
        """Close all senders."""
        for sender in list(self._errors):
            self._close(sender)
        self._errors.clear()

    def _drop(self, sender: FrameSender) -> None:
        log.error("event=sender_dropped sender=%s", type(sender).__name__)
        del self._errors[sender]
        self._close(sender)

    def _close(self, sender: FrameSender) -> None:
        try:
            sender.close()
        except Exception:
            log.exception("event=sender_failed sender=%s at=close", type(sender).__name__)
