"""Reads sentences that are new in a thread of its own, and takes note of what is doubtful about them."""

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from motiongen.inference.model import Model

T = TypeVar("T")

MAX_NOTES = 4096
"""Sentences whose notes are kept."""
MAX_PARTS = 64
"""Sentences of one batch, about: few enough that the encoder's cache keeps them until they are obeyed."""


@dataclass(frozen=True)
class _Waiting:
    text: str
    parts: Sequence[str]
    note: "Future[str]"


class SentenceReader:
    """Thread that reads all sentences that wait, as one batch, as soon as it is free.

    Beside the ticks, which would all be late by the time that it takes, and after them where cores are few.

    Args:
        model: whose text encoder reads, and whose notes are taken.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._notes: dict[str, str] = {}
        self._waiting: deque[_Waiting] = deque()
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "motiongen-text", initializer=_lower_priority)
        self._thread.submit(lambda: model.known)  # what notes compare with, while steps are compiled

    def read(self, text: str, parts: Sequence[str]) -> "Future[str]":
        """Return the first note about the parts of a sentence, once they are read; a known sentence is not read again.

        Args:
            text: the sentence.
            parts: what it says to do, in order.
        """
        note: Future[str] = Future()
        if text in self._notes and all(map(self._model.text.knows, parts)):
            note.set_result(self._notes[text])
            return note
        with self._lock:
            self._waiting.append(_Waiting(text, parts, note))
        self._thread.submit(self._read_waiting)
        return note

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Do other work that would make ticks late in the same thread, after what was asked for before."""
        return self._thread.submit(work)

    def close(self) -> None:
        """End the thread; sentences that wait are not read."""
        self._thread.shutdown(cancel_futures=True)
        for item in self._waiting:
            item.note.cancel()

    def _read_waiting(self) -> None:
        taken: list[_Waiting] = []
        with self._lock:
            while self._waiting and sum(len(item.parts) for item in taken) < MAX_PARTS:
                taken.append(self._waiting.popleft())
        if len(taken) > 1:
            with suppress(
                Exception
            ):  # of one of them: each is read on its own below, and that one fails alone
                self._model.read([part for item in taken for part in item.parts])
        for item in taken:
            try:
                note = self._note(item)
            except Exception as error:
                item.note.set_exception(error)
            else:
                item.note.set_result(note)

    def _note(self, item: _Waiting) -> str:
        self._model.read(item.parts)
        note = next(filter(None, map(self._model.note, item.parts)), "")
        if len(self._notes) >= MAX_NOTES:
            self._notes.clear()
        self._notes[item.text] = note
        return note


def _lower_priority() -> None:
    """Let this thread run after others where there are too few cores: frames first, then new sentences."""
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + 5)
