"""record_demos: records demonstrations of a task's expert as a LeRobot dataset."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from motiongen.training.interrupt import Interrupt, deferred_interrupt
from motiongen_datasets.lerobot import LeRobotWriter
from motiongen_sim.demonstrator import Demonstrator, attempts
from motiongen_sim.envs.base import Info
from motiongen_sim.interval import wilson_interval
from motiongen_sim.modes import count_modes, mode_of
from motiongen_sim.tasks import TaskSpec, lookup

LEAST_SUCCESS, FIRST_TRIES = 0.1, 50
"""Recording is given up when after so many tries fewer than this share have succeeded."""


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    """Report of a recording.

    Attributes:
        task: name of the task.
        folder: of the dataset.
        episodes: number in the dataset: tries, or with noise segments of tries.
        frames: number in the dataset.
        tries: number of the expert's tries; failed ones are in the dataset only if asked for.
        successes: number of tries that succeeded.
        interval: 95 % confidence interval of the success rate.
        measures: measure of the task -> mean over the tries' ends.
        modes: mode (see modes.py) -> number of recorded tries, for tasks with several.
        seconds: duration of the recording.
        is_interrupted: whether it was stopped before it had all that was asked for.
    """

    task: str
    folder: Path
    episodes: int
    frames: int
    tries: int
    successes: int
    interval: tuple[float, float]
    measures: dict[str, float]
    modes: dict[str, int]
    seconds: float
    is_interrupted: bool

    @property
    def success_rate(self) -> float:
        """Share of the tries that succeeded."""
        return self.successes / self.tries

    @property
    def mean_length(self) -> float:
        """Mean number of frames of an episode in the dataset."""
        return self.frames / self.episodes


def record_demos(
    task_name: str,
    folder: str | Path,
    episodes: int = 1000,
    seed: int = 100_000,
    observations: str = "state",
    workers: int = 2,
    keep_failures: bool = False,
    noise: float = 0.0,
    on_progress: Callable[[int, int], None] | None = None,
) -> DemoReport:
    """Record a task's expert as a LeRobot v3.0 dataset, and report how well it does.

    Try i is seeded with `seed + i`, the world and the expert alike, until `episodes` have succeeded. So the dataset
    depends on the seed, not on the number of workers. Each frame is an observation and the action that answers it.
    Where a KeyboardInterrupt stops it, the tries so far are the dataset.

    Args:
        task_name: one of `motiongen_sim.tasks.TASKS`.
        folder: a new one, for the dataset.
        episodes: number of tries to record.
        seed: of the first try.
        observations: "state", or "image" for the robot's own state and its camera's images.
        workers: number of processes; 1 works in this one. With more, a script that calls this needs the guard
            `if __name__ == "__main__"`, as always with multiprocessing.
        keep_failures: record failed tries, too.
        noise: 0..1, noise on the executed actions, see `Demonstrator`.
        on_progress: called with (tries recorded, of all).

    Raises:
        ValueError: there is no such task, something is in the folder, or the expert nearly always fails.
    """
    task = lookup(task_name)
    for name, value in {"episodes": episodes, "workers": workers}.items():
        if value < 1:
            raise ValueError(f"{name}: expected 1 or more, got {value}")
    if not 0 <= noise <= 1:
        raise ValueError(f"noise: expected 0..1, got {noise}")
    start = time.perf_counter()
    ends: list[Info] = []
    kept: list[Info] = []
    with (
        _writer(task, folder, observations) as writer,
        closing(attempts(task, observations, seed, workers, noise)) as all_attempts,
    ):
        is_interrupted, interrupt = False, Interrupt()
        while len(kept) < episodes:
            try:
                if interrupt.pending:
                    raise KeyboardInterrupt
                attempt = next(all_attempts)
            except KeyboardInterrupt:
                if not kept:
                    raise
                is_interrupted = True
                break
            with deferred_interrupt() as interrupt:  # a try is in the dataset whole or not at all
                ends.append(attempt.info)
                if attempt.info["is_success"] or keep_failures:
                    kept.append(attempt.info)
                    for one in attempt.segments:
                        writer.add_episode(
                            one.states, one.actions, one.images, task.instruction, one.done, one.scene
                        )
                    if on_progress is not None:
                        on_progress(len(kept), episodes)
            if len(kept) < episodes:
                _check_success(task, len(kept), len(ends))
    successes = sum(bool(end["is_success"]) for end in ends)
    return DemoReport(
        task=task.name,
        folder=writer.folder,
        episodes=writer.num_episodes,
        frames=writer.num_frames,
        tries=len(ends),
        successes=successes,
        interval=wilson_interval(successes, len(ends)),
        measures={name: sum(float(end[name]) for end in ends) / len(ends) for name in task.measures},
        modes=count_modes(mode_of(end) for end in kept),
        seconds=time.perf_counter() - start,
        is_interrupted=is_interrupted,
    )


def _writer(task: TaskSpec, folder: str | Path, observations: str) -> LeRobotWriter:
    with closing(Demonstrator(task, observations)) as one:
        return LeRobotWriter(
            folder,
            one.fps,
            one.state_names,
            one.action_names,
            task.robot,
            one.image_shape,
            one.scene_names,
        )


def _check_success(task: TaskSpec, successes: int, tried: int) -> None:
    if tried >= FIRST_TRIES and successes < LEAST_SUCCESS * tried:
        raise ValueError(
            f"{task.name}: expected the expert to succeed in at least {LEAST_SUCCESS:.0%} of its tries, "
            f"got {successes} of {tried}; to record failures too, set keep_failures"
        )
