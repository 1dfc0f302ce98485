"""Rollouts: a policy does a task again and again, in one process, in several or on Ray, to the same end."""

import multiprocessing
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import torch

from motiongen import registry
from motiongen.atomic import atomic_path
from motiongen_sim import shipped
from motiongen_sim.episodes import Job, Played, Player
from motiongen_sim.film import draw_sheet
from motiongen_sim.policy import Policy
from motiongen_sim.report import RolloutReport, make_report
from motiongen_sim.scripted import ACTORS
from motiongen_sim.tasks import Task, lookup

Groups = Sequence[Sequence[int]]


def rollout(
    task: str,
    policy: str | Path | Policy = "carp",
    episodes: int = 100,
    seed: int = 0,
    workers: int = 1,
    engine: str = "local",
    video: str | Path | None = None,
    observations: str | None = None,
    max_steps: int | None = None,
    *,
    action_steps: int | None = None,
    temperature: float | None = None,
    batch: int = 1,
    films: int = 8,
    device: str = "cpu",
    on_progress: Callable[[int, int], None] | None = None,
) -> RolloutReport:
    """Let a policy do a task, and report how often it succeeds.

    Episode i depends on `seed + i` (the world and the policy's chance), and on `batch`: not on the number of episodes,
    the workers or the engine. A model is bound to one thread, so that its sums are rounded the same everywhere.

    Args:
        task: one of motiongen_sim.tasks.TASKS.
        policy: "carp", the one that ships for this task; another one that ships, by name; a folder; a Policy; or
            "expert", "random" or "hold".
        episodes: how many.
        seed: of the first.
        workers: processes, or actors on Ray. With more than 1 a script that calls this needs the guard
            `if __name__ == "__main__"`, as always with multiprocessing.
        engine: "local", or "ray" for a Ray cluster (RAY_ADDRESS) or this machine.
        video: a folder for films of the first episodes, a sheet of these, and success drawn against episodes.
        observations: "state" or "image"; by default what the policy wants.
        max_steps: where an episode is cut off; by default the task's own.
        action_steps: how much of a chunk is executed, in place of the policy's own.
        temperature: at which codes are drawn, in place of the policy's own.
        batch: episodes side by side, for models that are slow alone. Sums are rounded differently in another batch, so
            an episode may end differently then; compare policies at the same.
        films: how many episodes are filmed.
        device: where a policy that is loaded here computes.
        on_progress: called with (episodes so far, of all).

    Raises:
        ValueError: there is no such task, policy or engine; the policy is for another task; a number is out of range.
        ImportError: Ray is asked for and not installed.
        ChildProcessError: a worker died.
    """
    engines = {"local": _in_processes, "ray": _on_ray}
    run = registry.lookup("engine", engines, engine)
    for name, value in {
        "episodes": episodes,
        "workers": workers,
        "batch": batch,
        "max_steps": max_steps,
    }.items():
        if value is not None and value < 1:
            raise ValueError(f"{name}: expected 1 or more, got {value}")
    record = lookup(task)
    options = {"action_steps": action_steps, "temperature": temperature}
    options = {name: value for name, value in options.items() if value is not None}
    actor = _find(policy, record, observations, device, options)
    job = Job(
        task=record.name,
        policy=actor,
        observations=actor.observations if isinstance(actor, Policy) else observations or "state",
        seed=seed,
        batch=batch if isinstance(actor, Policy) else 1,
        max_steps=max_steps or record.max_steps,
        filmed=0 if video is None else min(films, episodes),
    )
    groups = [range(first, min(first + job.batch, episodes)) for first in range(0, episodes, job.batch)]
    if video is not None:
        Path(video).mkdir(parents=True, exist_ok=True)
    start, played, done = time.perf_counter(), [], 0
    with closing(run(job, groups, min(workers, len(groups)))) as parts:
        for part in parts:
            played.append(part)
            done += len(part.episodes)
            if on_progress is not None:
                on_progress(done, episodes)
    report = make_report(job, played, time.perf_counter() - start)
    if video is not None:
        _write_pictures(report, played, Path(video))
    return report


def _find(
    policy: str | Path | Policy, task: Task, observations: str | None, device: str, options: dict[str, Any]
) -> Policy | str:
    """Return a policy for a task: a model that acts, or the name of one of ACTORS."""
    is_actor = isinstance(policy, str) and policy in ACTORS
    if options and (is_actor or isinstance(policy, Policy)):
        raise ValueError(
            f"{', '.join(options)}: expected with a policy that is loaded here, got "
            f"{policy.name if isinstance(policy, Policy) else policy}; leave out, or make the Policy with them"
        )
    if isinstance(policy, str) and is_actor:
        return policy
    if not isinstance(policy, Policy):
        folder = shipped.for_task(task, observations or "state") if policy == "carp" else policy
        policy = Policy.load(folder, device, task=task.name, **options)
    if observations not in (None, policy.observations):
        raise ValueError(
            f"observations: expected {policy.observations}, which {policy.name} was trained on, got {observations}"
        )
    return policy


class _Worker:
    """A player in a process of its own."""

    def __init__(self, job: bytes) -> None:
        self._job = job
        self._player: Player | None = None

    def play(self, group: Sequence[int]) -> Played:
        if self._player is None:  # not before, so that what it raises reaches the caller
            torch.set_num_threads(1)
            self._player = Player(pickle.loads(self._job))
        return self._player.play(group)


def _in_processes(job: Job, groups: Groups, workers: int) -> Generator[Played]:
    """Yield what is played in processes of this machine, as it is done; one worker is this process."""
    if workers == 1:
        with _one_thread(), closing(Player(job)) as player:
            yield from map(player.play, groups)
        return
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(pickle.dumps(job),)
    )
    try:
        for done in as_completed([pool.submit(_play, group) for group in groups]):
            yield done.result()
    except BrokenProcessPool as error:
        raise ChildProcessError("workers: a process ended early; where memory is short, use fewer") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(job: bytes) -> None:
    """Make this process's worker."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asked stops the pool
    _worker = _Worker(job)


def _play(group: Sequence[int]) -> Played:
    return _worker.play(group)


_worker: _Worker


def _on_ray(job: Job, groups: Groups, workers: int) -> Generator[Played]:
    """Yield what is played by actors on Ray, as it is done."""
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
        pool = ActorPool([actor.remote(pickle.dumps(job)) for _ in range(workers)])
        yield from pool.map_unordered(lambda worker, group: worker.play.remote(group), groups)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    finally:
        if started:
            ray.shutdown()


def _own_cluster(workers: int) -> dict[str, Any]:
    """Return how to start Ray on this machine alone, or nothing where there is a cluster to join."""
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


def _write_pictures(report: RolloutReport, played: Sequence[Played], folder: Path) -> None:
    """Write the films, a sheet of them, and success drawn against episodes."""
    reels = {one.index: one.reel for part in played for one in part.episodes if one.reel is not None}
    for index, reel in reels.items():
        mark = "success" if report.success[index] else "failure"
        with atomic_path(folder / f"episode-{index:03d}-{mark}.mp4") as path:
            path.write_bytes(reel.mp4)
    if reels:
        with atomic_path(folder / "sheet.png") as path:
            draw_sheet([reels[index] for index in sorted(reels)]).save(path, format="PNG")
    report.draw(folder / "success.png")
