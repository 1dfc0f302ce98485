"""``motiongen serve --workers N``: the command again, N times on one port, each with its post in its environment."""

import asyncio
import logging
import signal
import socket
from collections.abc import Sequence

from motiongen.cli import itself


async def serve_in_workers(
    workers: int, argv: Sequence[str], token: str, sockets: list[socket.socket], mmcp: list[socket.socket]
) -> None:
    """Serve by several processes until Ctrl-C, and print their addresses.

    Args:
        workers: how many.
        argv: the words after the verb.
        token: secret that clients must know; empty for none.
        sockets: that they listen on, bound already.
        mmcp: that the first listens on for MMCP.

    Raises:
        SystemExit: a process could not start; it has said why.
        KeyboardInterrupt: it was interrupted before all served.
    """
    from motiongen_bridge.worker_processes import WorkerFailed, WorkerProcesses

    level = logging.getLogger("motiongen_bridge").level
    verbosity = {logging.ERROR: ["-q"], logging.DEBUG: ["-v"]}.get(level, [])
    command = [*itself.command(), "serve", *argv, *verbosity]
    environment = {"MOTIONGEN_TOKEN": token} if token else {}
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with WorkerProcesses(command, workers, sockets, mmcp, environment) as processes:
        loop.add_signal_handler(signal.SIGUSR1, processes.drain)
        try:
            lines = await processes.start(stop)
        except WorkerFailed as error:  # it has said why
            raise SystemExit(error.code) from None
        if not lines:
            raise KeyboardInterrupt
        print(*lines, sep="\n", flush=True)
        await stop.wait()
