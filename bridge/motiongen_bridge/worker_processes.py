"""The processes of one server, seen from the one that starts them: it serves nobody, and starts again who dies."""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Self

from prometheus_client.multiprocess import mark_process_dead

from motiongen_bridge.background_tasks import BackgroundTasks
from motiongen_bridge.board import Board, WorkerRow
from motiongen_bridge.peers import BOARD, METRICS, Post
from motiongen_bridge.worker_folder import METRICS_FOLDER, forget_moved, make_folder, remove_left_over

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
"""Time before a process is started again that cannot start: twice as long each time."""
END_SECONDS = 10.0
"""Time in which a process must end when it is told to."""


class WorkerFailed(Exception):
    """A process ended before it served.

    Attributes:
        code: its exit code.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"exit code {code}")
        self.code = code


class WorkerProcesses:
    """Runs a command several times at once: `async with WorkerProcesses(…) as processes: await processes.start(stop)`.

    All listen on the same sockets: the kernel gives a connection to any that is free. With sockets of their own
    (SO_REUSEPORT) those that wait for one would die with it, and other programs could take the port unnoticed.
    Each prints a line for each address when it serves.
    """

    def __init__(
        self,
        command: Sequence[str],
        count: int,
        sockets: Sequence[socket.socket],
        mmcp: Sequence[socket.socket] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Make the processes' keeper; none runs yet.

        Args:
            command: program and arguments of each.
            count: how many.
            sockets: that they listen on, bound already.
            mmcp: that the first listens on for MMCP.
            environment: more variables of their environment.
        """
        self._command, self._count, self._environment = command, count, dict(environment or {})
        self._sockets, self._mmcp = sockets, mmcp
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._ready: set[int] = set()
        self._is_draining = False
        self._began = time.monotonic()
        self._tasks = BackgroundTasks()

    async def __aenter__(self) -> Self:
        remove_left_over()
        self._folder, self._lock = make_folder()
        self._board = Board.create(self._folder / BOARD, self._count)
        self._doors = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(self._count)]
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._tasks.cancel()
        await asyncio.gather(*map(self._end, self._processes))
        for pair in self._doors:
            for one in pair:
                one.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._lock)

    async def start(self, stop: asyncio.Event) -> list[str]:
        """Start all, the first before the others; return its lines when all serve, and none where it is stopped before.

        Args:
            stop: ends the start where it is set.

        Raises:
            WorkerFailed: one ended before it served; it has told why.
        """
        stopped = asyncio.ensure_future(stop.wait())
        starting = asyncio.ensure_future(self._start_all())
        await asyncio.wait([stopped, starting], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not starting.done():
            starting.cancel()
            return []
        for worker in range(self._count):
            self._tasks.spawn(self._keep(worker))
        return starting.result()

    def drain(self) -> None:
        """Have all take no new clients from now on."""
        self._is_draining = True
        for worker in self._ready:
            self._signal(worker, signal.SIGUSR1)

    async def _start_all(self) -> list[str]:
        lines = await self._start(0)  # where something is wrong, one tells it
        await asyncio.gather(*(self._start(worker) for worker in range(1, self._count)))
        return lines

    async def _start(self, worker: int) -> list[str]:
        mmcp = self._mmcp if worker == 0 else ()
        post = Post(
            worker=worker,
            folder=str(self._folder),
            sockets=[one.fileno() for one in self._sockets],
            mmcp=[one.fileno() for one in mmcp],
            door=self._doors[worker][0].fileno(),
            doors=[pair[1].fileno() for pair in self._doors],
            began=self._began,
        )
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,  # it ends with this process, however that ends
            stdout=asyncio.subprocess.PIPE,
            env=os.environ
            | self._environment
            | post.to_environment()
            | {METRICS: str(self._folder / METRICS_FOLDER)},
            pass_fds=[*post.descriptors, self._lock],
            process_group=0,  # Ctrl-C is for this process, which ends them
        )
        self._processes[worker] = process
        assert process.stdout is not None
        lines = [(await process.stdout.readline()).decode().strip() for _ in range(1 + bool(mmcp))]
        if not all(lines):
            code = await process.wait()
            raise WorkerFailed(code if code > 0 else 1)
        self._ready.add(worker)
        if self._is_draining:
            self._signal(worker, signal.SIGUSR1)
        return lines

    async def _keep(self, worker: int) -> None:
        """Start a process again whenever it has ended."""
        wait = FIRST_WAIT
        while True:
            process = self._processes[worker]
            code = await process.wait()
            self._ready.discard(worker)
            self._board[worker] = WorkerRow()
            forget_moved(self._folder, worker)
            mark_process_dead(process.pid, str(self._folder / METRICS_FOLDER))  # type: ignore[no-untyped-call]
            log.warning("event=restarting worker=%d code=%d", worker, code)
            try:
                await self._start(worker)
                wait = FIRST_WAIT
            except (WorkerFailed, OSError) as error:  # no memory for another process, for one
                log.error("event=failed worker=%d error=%s", worker, error)
                await asyncio.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)

    async def _end(self, worker: int) -> None:
        """End a process: in order where it serves, at once where it does not yet."""
        process = self._processes[worker]
        self._signal(worker, signal.SIGTERM if worker in self._ready else signal.SIGKILL)
        try:
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
        except TimeoutError:
            self._signal(worker, signal.SIGKILL)
            await process.wait()

    def _signal(self, worker: int, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._processes[worker].send_signal(number)
