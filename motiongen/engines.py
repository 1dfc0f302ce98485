"""ENGINES: where many pieces of work are done, in processes of this machine or on Ray, with the same results.

A worker computes with one thread, since more would split sums and round them differently: what it returns depends on
the task alone, not on the number of workers or on the engine. A worker that is killed is replaced, and does again what
the other one was doing.
"""

import itertools
import logging
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.connection import wait
from typing import Any, Protocol

import torch

from motiongen import registry

log = logging.getLogger(__name__)

TRIES = 3
"""Times that workers may die over the same work."""


class Worker(Protocol):
    """Protocol of what does the work, one in each process; what it is made from must be picklable."""

    def run(self, task: Any) -> Any:
        """Do a task, which has a result that depends on nothing else; both are picklable."""
        ...

    def close(self) -> None:
        """Release what it holds; called in this process only, others end."""


Make = Callable[[], Worker]
"""Makes a worker."""
Run = Callable[[Sequence[Any]], Generator[tuple[int, Any]]]
"""Does tasks, and yields (number of the task, its result) as they are done."""


def opened(engine: str, make: Make, workers: int = 0, most: int | None = None) -> AbstractContextManager[Run]:
    """Open an engine, which yields a function that does tasks.

    Args:
        engine: one of ENGINES, by name.
        make: makes a worker, once in each process; exceptions of it and of its work are raised here.
        workers: number of processes, or of tasks at a time on Ray; 0 for one per core of the machine or cluster. One
            worker of this machine is this process. With more a script that calls this needs the guard
            `if __name__ == "__main__"`, as always with multiprocessing.
        most: number of tasks that there will be at a time, which more workers could not share.

    Raises:
        ValueError: there is no such engine, or a negative number of workers.
        ImportError: Ray is asked for and not installed.
        ChildProcessError: workers died over the same work again and again.
    """
    if workers < 0:
        raise ValueError(f"workers: expected 0 or more, got {workers}; 0 is one per core")
    return registry.lookup("engine", ENGINES, engine)(make, workers, most or sys.maxsize)


def in_order(results: Iterator[tuple[int, Any]]) -> Iterator[Any]:
    """Yield results in the order of their tasks; those that are early wait."""
    early: dict[int, Any] = {}
    for count in itertools.count():
        while count not in early:
            try:
                index, result = next(results)
            except StopIteration:
                return
            early[index] = result
        yield early.pop(count)


@contextmanager
def _in_processes(make: Make, workers: int, most: int) -> Iterator[Run]:
    """Yield what does tasks in processes of this machine: in this one, if it is one."""
    workers = min(workers or os.cpu_count() or 1, most)
    if workers > 1:
        pool = _Pool(make, workers)
        try:
            yield pool.run
        finally:
            pool.close()
        return
    with _one_thread():
        worker = make()

    def run(tasks: Sequence[Any]) -> Generator[tuple[int, Any]]:
        for index, task in enumerate(tasks):
            with _one_thread():
                result = worker.run(task)
            yield index, result

    try:
        yield run
    finally:
        worker.close()


class _Pool:
    """Processes that are replaced when one of them dies.

    Args:
        make: makes their workers.
        workers: their number.
    """

    def __init__(self, make: Make, workers: int) -> None:
        self._make, self._workers = pickle.dumps(make), workers
        self._pool = self._started()

    def run(self, tasks: Sequence[Any]) -> Generator[tuple[int, Any]]:
        """Do tasks, and yield (number of the task, its result) as they are done."""
        left, tries = dict(enumerate(tasks)), TRIES
        while left:
            running = {self._pool.submit(_work_here, task): index for index, task in left.items()}
            try:
                for done in as_completed(running):
                    result, index = done.result(), running.pop(done)
                    del left[index]
                    tries = TRIES
                    yield index, result
            except BrokenProcessPool as error:
                tries -= 1
                if not tries:
                    raise ChildProcessError(
                        f"workers: expected them to live, got {TRIES} that died over the same work; where memory is "
                        "short, use fewer"
                    ) from error
                log.warning("a worker died; what it was doing is done again")
                self._pool.shutdown()
                self._pool = self._started()
            finally:
                for future in running:
                    future.cancel()

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(cancel_futures=True)

    def _started(self) -> ProcessPoolExecutor:
        # Spawned, not forked: a fork after OpenMP threads have run can hang.
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, spawn, initializer=_begin, initargs=(self._make,))


_make_here: bytes
_worker: tuple[str, Worker] | None = None
"""The worker of this process, and the key of the work that it was made for."""


def _begin(make: bytes) -> None:
    """Keep what makes the worker of this process."""
    global _make_here
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process stops the pool
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _make_here = make


def _end_with_parent() -> None:
    """End this process when its parent has been killed, for nobody else would."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _work_here(task: Any) -> Any:
    return _work("", _make_here, task)


def _work(key: str, make: bytes, task: Any) -> Any:
    """Do a task in a process of its own, which makes its worker for the first of them."""
    global _worker
    if _worker is None or _worker[0] != key:
        torch.set_num_threads(1)
        _worker = key, pickle.loads(make)()
    return _worker[1].run(task)


@contextmanager
def _on_ray(make: Make, workers: int, most: int) -> Iterator[Run]:
    """Yield what does tasks on Ray: on the cluster that RAY_ADDRESS names, or on this machine."""
    try:
        import ray
    except ImportError as error:
        raise ImportError("engine: ray is not installed; run pip install 'motiongen[ray]'") from error
    started = not ray.is_initialized()
    if started:
        _start_ray(ray, min(workers or os.cpu_count() or 1, most))
    try:
        key, pickled = uuid.uuid4().hex, ray.put(pickle.dumps(make))
        # Stateless for Ray, so that any node can take over what a lost one was doing; its processes live on, and keep
        # their worker.
        work = ray.remote(num_cpus=1, max_retries=TRIES - 1)(_work)
        count = min(workers or max(1, int(ray.cluster_resources().get("CPU", 1))), most)
        yield lambda tasks: _run_on_ray(ray, lambda task: work.remote(key, pickled, task), tasks, count)
    finally:
        if started:
            ray.shutdown()


def _run_on_ray(
    ray: Any, submit: Callable[[Any], Any], tasks: Sequence[Any], count: int
) -> Generator[tuple[int, Any]]:
    """Do tasks, so many at a time, and yield (number of the task, its result) as they are done."""
    waiting = iter(enumerate(tasks))
    running: dict[Any, int] = {}
    try:
        while True:
            for index, task in itertools.islice(waiting, count - len(running)):
                running[submit(task)] = index
            if not running:
                return
            (done,), _ = ray.wait(list(running), num_returns=1)
            index = running.pop(done)
            yield index, ray.get(done)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise ChildProcessError(
            f"workers: expected them to live, got {TRIES} that died over the same work; Ray says: {error}"
        ) from error
    finally:
        for reference in running:
            ray.cancel(reference)


def _start_ray(ray: Any, workers: int) -> None:
    """Join the cluster of RAY_ADDRESS, or start Ray on this machine alone."""
    options: dict[str, Any] = {}
    if "RAY_ADDRESS" not in os.environ:
        # What can be imported here can be there, without being installed.
        environment = {"env_vars": {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}}
        options = {"address": "local", "num_cpus": workers, "include_dashboard": False}
        options["runtime_env"] = environment
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM) if in_main else None
    ray.init(log_to_driver=False, logging_level="error", **options)
    if before is not None:  # Ray takes the signal for itself
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Bind torch to one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


ENGINES: dict[str, Callable[[Make, int, int], AbstractContextManager[Run]]] = {
    "local": _in_processes,
    "ray": _on_ray,
}
"""Name -> what opens it."""
