"""ENGINES: where groups of episodes run: in processes of this machine, or on Ray."""

import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from typing import Any

import torch

from motiongen_sim.episodes import EpisodeRunner, EpisodeSettings, GroupResult

Groups = Sequence[Sequence[int]]
"""Numbers of the episodes that run side by side, group by group."""
Engine = Callable[[EpisodeSettings, Groups, int], Generator[GroupResult]]
"""Settings, groups and number of workers to results."""


class _Worker:
    """An EpisodeRunner in a process of its own.

    Args:
        settings: pickled EpisodeSettings.
    """

    def __init__(self, settings: bytes) -> None:
        self._settings = settings
        self._runner: EpisodeRunner | None = None

    def run(self, group: Sequence[int]) -> GroupResult:
        """Run the episodes of these numbers."""
        if self._runner is None:  # not before, so that its exceptions reach the caller
            torch.set_num_threads(1)
            self._runner = EpisodeRunner(pickle.loads(self._settings))
        return self._runner.run(group)


def run_in_processes(settings: EpisodeSettings, groups: Groups, workers: int) -> Generator[GroupResult]:
    """Yield results as they come from processes of this machine.

    Args:
        settings: of the rollout.
        groups: the episodes.
        workers: number of processes; 1 runs in this one.

    Raises:
        ChildProcessError: a process died.
    """
    if workers == 1:
        with _one_thread(), closing(EpisodeRunner(settings)) as runner:
            yield from map(runner.run, groups)
        return
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(pickle.dumps(settings),)
    )
    try:
        for done in as_completed([pool.submit(_run, group) for group in groups]):
            yield done.result()
    except BrokenProcessPool as error:
        raise ChildProcessError("workers: a process ended early; where memory is short, use fewer") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(settings: bytes) -> None:
    """Make this process's worker."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process stops the pool
    _worker = _Worker(settings)


def _run(group: Sequence[int]) -> GroupResult:
    return _worker.run(group)


_worker: _Worker


def run_on_ray(settings: EpisodeSettings, groups: Groups, workers: int) -> Generator[GroupResult]:
    """Yield results as they come from actors on Ray.

    Args:
        settings: of the rollout.
        groups: the episodes.
        workers: number of actors.

    Raises:
        ImportError: Ray is not installed.
    """
    try:
        import ray
        from ray.util import ActorPool
    except ImportError as error:
        raise ImportError("engine: ray is not installed; run pip install 'motiongen[ray]'") from error
    started = not ray.is_initialized()
    if started:
        ray.init(log_to_driver=False, logging_level="error", **_own_cluster(workers))
    try:
        actor = ray.remote(num_cpus=1)(_Worker)
        pool = ActorPool([actor.remote(pickle.dumps(settings)) for _ in range(workers)])
        yield from pool.map_unordered(lambda worker, group: worker.run.remote(group), groups)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    finally:
        if started:
            ray.shutdown()


def _own_cluster(workers: int) -> dict[str, Any]:
    """Return the options that start Ray on this machine alone; none where there is a cluster to join."""
    if "RAY_ADDRESS" in os.environ:
        return {}
    # What can be imported here can be there, without being installed.
    environment = {"env_vars": {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}}
    return {"num_cpus": workers, "include_dashboard": False, "runtime_env": environment}


@contextmanager
def _one_thread() -> Iterator[None]:
    """Bind torch to one thread: with more it splits sums, and rounds them differently."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


ENGINES: dict[str, Engine] = {
    "local": run_in_processes,
    "ray": run_on_ray,
}
"""Name -> function."""
