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
    """Sends characters' poses to all senders, to each as many characters as it takes: those that come first."""

    def __init__(self, senders: Sequence[FrameSender], on_error: Callable[[], None]) -> None:
        """Make a group.

        Args:
            senders: the senders; the group closes them.
            on_error: called for each pose that a sender fails on.
        """
        self._senders = list(senders)
        self._places: list[dict[str, int]] = [{} for _ in self._senders]  # key of a character -> its number
        self._errors = [0] * len(self._senders)  # in a row; by place, since a sender may have no hash
        self._on_error = on_error

    def __len__(self) -> int:
        return len(self._senders)

    def send(self, key: str, rotations: np.ndarray, root: np.ndarray, time: float) -> None:
        """Send a pose. A sender that raises is tried again with the next pose, and dropped after a second of errors.

        Args:
            key: which character's it is.
            rotations: (22, 4) local rotations, xyzw.
            root: (3,) metres.
            time: seconds since the stream began.
        """
        for n, sender in enumerate(self._senders):
            number = _number(key, self._places[n], sender.max_characters)
            if number is None:
                continue
            try:
                # Copies: what one writes into, the others get too.
                sender.send(rotations.copy(), root.copy(), time, number)
            except (Exception, asyncio.CancelledError) as error:  # no task of ours was cancelled
                self._on_error()
                if not self._errors[n]:
                    log.warning("event=sender_failed sender=%s reason=%s", type(sender).__name__, error)
                self._errors[n] += 1
            else:
                self._errors[n] = 0
        self._drop_failed()

    def forget(self, key: str) -> None:
        """Give away the numbers of a character that is gone.

        Args:
            key: the character's.
        """
        for places in self._places:
            places.pop(key, None)

    def close(self) -> None:
        """Close all senders."""
        for sender in self._senders:
            self._close(sender)
        self._senders.clear()
        self._places.clear()
        self._errors.clear()

    def _drop_failed(self) -> None:
        for n in reversed(range(len(self._senders))):
            if self._errors[n] >= MAX_ERRORS_IN_A_ROW:
                del self._errors[n], self._places[n]
                sender = self._senders.pop(n)
                log.error("event=sender_dropped sender=%s", type(sender).__name__)
                self._close(sender)

    def _close(self, sender: FrameSender) -> None:
        try:
            sender.close()
        except Exception:
            log.exception("event=sender_failed sender=%s at=close", type(sender).__name__)


def _number(key: str, places: dict[str, int], most: int) -> int | None:
    """Return a character's number with one sender, which it gets where one is free; else None."""
    if key not in places and len(places) < most:
        places[key] = min(set(range(most)) - set(places.values()))
    return places.get(key)
