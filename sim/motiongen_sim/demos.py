"""Demonstrations: a task's expert shows it again and again, and a LeRobot dataset keeps what it saw and did."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motiongen_datasets.lerobot import LeRobotWriter
from motiongen_sim.demonstrator import Demonstrator, tries
from motiongen_sim.interval import wilson_interval
from motiongen_sim.tasks import Task, lookup

LEAST_SUCCESS, FIRST_TRIES = 0.1, 50
"""An expert that after so many tries has succeeded in fewer than this is given up."""


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    """What was recorded.

    Attributes:
        task: its name.
        folder: where the dataset is.
        episodes: in the dataset: tries, or with noise pieces of what the expert would do.
        frames: in the dataset.
        tries: of the expert; those that failed are in the dataset only if asked for.
        successes: among the tries.
        interval: 95 %, of the success rate.
        measures: the task's measures at the tries' ends, their means.
        modes: way to solve the task -> recorded tries that do so, where ways can be told apart.
        seconds: that it took.
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

    @property
    def success_rate(self) -> float:
        """Share of the tries that succeeded."""
        return self.successes / self.tries

    @property
    def mean_length(self) -> float:
        """Frames of an episode in the dataset."""
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

    Try i is seeded with `seed + i`, the world and the expert alike; tries follow until `episodes` have succeeded.
    So what is recorded depends on the seed, not on the number of workers. Each frame is an observation, and the action
    that answers it.

    Args:
        task_name: one of `motiongen_sim.tasks.TASKS`.
        folder: where the dataset is to be; nothing may be there.
        episodes: tries to record.
        seed: of the first try.
        observations: "state", or "image" for the robot's own state and its camera's pictures.
        workers: processes; 1 works in this one. With more, a script that calls this needs the guard
            `if __name__ == "__main__"`, as always with multiprocessing.
        keep_failures: record tries that fail, too.
        noise: 0..1, how far the robot strays from what the expert says, see `Demonstrator`.
        on_progress: called with (tries recorded so far, of all).

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
    ends: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    with (
        _writer(task, folder, observations) as writer,
        closing(tries(task.name, observations, seed, workers, noise)) as shown,
    ):
        for one in shown:
            ends.append(one.info)
            if one.info["is_success"] or keep_failures:
                kept.append(one.info)
                for piece in one.pieces:
                    writer.add_episode(
                        piece.states, piece.actions, piece.images, task.instruction, piece.done, piece.scene
                    )
                if on_progress is not None:
                    on_progress(len(kept), episodes)
            if len(kept) == episodes:
                break
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
        modes=_modes(kept),
        seconds=time.perf_counter() - start,
    )


def _writer(task: Task, folder: str | Path, observations: str) -> LeRobotWriter:
    with closing(Demonstrator(task.name, observations)) as one:
        return LeRobotWriter(
            folder,
            one.fps,
            one.state_names,
            one.action_names,
            task.robot,
            one.image_shape,
            one.scene_names,
        )


def _check_success(task: Task, successes: int, tried: int) -> None:
    if tried >= FIRST_TRIES and successes < LEAST_SUCCESS * tried:
        raise ValueError(
            f"{task.name}: expected the expert to succeed in at least {LEAST_SUCCESS:.0%} of its tries, "
            f"got {successes} of {tried}; to record failures too, say so"
        )


def _modes(ends: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Return how many episodes began with which block and target, where the task has such."""
    ways = [(int(end["first_block"]), int(end["first_target"])) for end in ends if "first_block" in end]
    return {f"block {block} to target {target}": n for (block, target), n in sorted(Counter(ways).items())}
