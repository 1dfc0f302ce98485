"""Requests of a client that wait for their answers, each with a time limit."""

import asyncio
import itertools
import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PendingRequest:
    """A message that waits for its answer.

    Attributes:
        id: id of the message.
        message: the message. Its caller may be gone, but what it opens is open all the same.
        future: receives the answer.
    """

    id: int
    message: dict[str, Any]
    future: "asyncio.Future[dict[str, Any]]"


class PendingRequests:
    """The requests of one connection, by id."""

    def __init__(self) -> None:
        self._requests: dict[int, PendingRequest] = {}
        self._ids = itertools.count(1)

    def __len__(self) -> int:
        return len(self._requests)

    def add(self, message: dict[str, Any]) -> PendingRequest:
        """Return a new request.

        Args:
            message: the message, without an id.
        """
        request = PendingRequest(next(self._ids), message, asyncio.get_running_loop().create_future())
        self._requests[request.id] = request
        return request

    def pop(self, id: int) -> PendingRequest | None:
        """Remove and return a request, or None where there is none.

        Args:
            id: id of its message.
        """
        return self._requests.pop(id, None)

    def fail_all(self, reason: str) -> None:
        """Raise ConnectionError to all callers.

        Args:
            reason: text of the error.
        """
        for request in self._requests.values():
            if not request.future.done():
                request.future.set_exception(ConnectionError(reason))
        self._requests.clear()


async def wait_for_answer(request: PendingRequest, seconds: float) -> dict[str, Any] | None:
    """Return the answer to a request, or None where it does not come in time.

    The request stays pending after that: a character that is opened too late is known, and can be closed.

    Args:
        request: the request.
        seconds: time limit; infinite for none.
    """
    try:
        done, _ = await asyncio.wait([request.future], timeout=None if math.isinf(seconds) else seconds)
    except asyncio.CancelledError:
        request.future.cancel()
        raise
    if not done:
        request.future.cancel()
        return None
    return request.future.result()
