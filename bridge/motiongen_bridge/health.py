"""What /healthz says: how a server is, and how each of its processes is where it has several."""

from collections.abc import Sequence
from http import HTTPStatus

import motiongen
from motiongen_bridge.board import WorkerRow, WorkerStatus


def health_of(workers: Sequence[WorkerRow]) -> tuple[HTTPStatus, dict[str, object]]:
    """Return the HTTP status and the JSON object. A server is as well as the best of its processes.

    Args:
        workers: how its processes are.
    """
    found = {row.status for row in workers}
    if WorkerStatus.DRAINING in found:
        status = WorkerStatus.DRAINING
    else:
        status = WorkerStatus.OK if WorkerStatus.OK in found else WorkerStatus.DEGRADED
    health: dict[str, object] = {
        "status": status.name.lower(),
        "version": motiongen.__version__,
        "characters": sum(row.characters for row in workers),
    }
    if len(workers) > 1:
        health["workers"] = [
            {"status": row.status.name.lower(), "characters": row.characters} for row in workers
        ]
    return HTTPStatus.OK if status is WorkerStatus.OK else HTTPStatus.SERVICE_UNAVAILABLE, health
