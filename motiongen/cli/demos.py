"""``motiongen demos TASK -o DIR``: records demonstrations of a scripted expert as a LeRobot dataset."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from motiongen.cli import UsageError, arguments, simulation
from motiongen.cli.progress import bar

if TYPE_CHECKING:
    from motiongen_sim.demos import DemoReport


@dataclass(frozen=True, kw_only=True)
class DemosConfig:
    """Record demonstrations of a task's scripted expert as a LeRobot v3.0 dataset, for motiongen train."""

    task: Annotated[
        tyro.conf.Positional[str],
        tyro.conf.arg(metavar="TASK", help=f"One of {simulation.task_names()}."),
    ]
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="DIR")]
    """Folder of the dataset, a new one."""
    episodes: int = 1000
    """Episodes to record."""
    observations: Literal["state", "image"] = "state"
    """The whole state, or the robot's own state and a camera's images."""
    seed: int = 100_000
    """Seed of the first try; each next try has the next seed. The default is far from the seeds of rollouts.

    The same seed gives the same dataset, with any number of workers.
    """
    workers: int = 2
    """Number of processes."""
    keep_failures: bool = False
    """Record the tries in which the expert fails, too."""
    noise: float = 0.0
    """Noise on the executed actions, as a share of half the actions' range, 0 to 1.

    The dataset then has segments of what the expert would do along the way, so that a policy learns to correct errors.
    """

    def __post_init__(self) -> None:
        if self.episodes < 1:
            raise UsageError(f"episodes: expected 1 or more, got {self.episodes}")
        if self.workers < 1:
            raise UsageError(f"workers: expected 1 or more, got {self.workers}")
        if self.seed < 0:
            raise UsageError(f"seed: expected 0 or more, got {self.seed}")
        if not 0 <= self.noise <= 1:
            raise UsageError(f"noise: expected 0..1, got {self.noise}")


def main(argv: Sequence[str]) -> None:
    """Record, and print the expert's success rate."""
    config = arguments.parse(DemosConfig, argv, "demos")
    arguments.check_new_folder(config.output)
    if config.output.exists() and any(config.output.iterdir()):
        raise UsageError(f"output: {config.output} is not empty; choose another folder, or remove it")
    simulation.check_task(config.task)
    with simulation.needs_sim("demos"):
        report = _record(config)
    print(_summary(report))
    arguments.report([config.output])
    if report.is_interrupted:
        raise KeyboardInterrupt("interrupted; the tries so far are kept")


def _record(config: DemosConfig) -> "DemoReport":
    from motiongen_sim.demos import record_demos

    with bar("episodes") as progress:
        return record_demos(
            config.task,
            config.output,
            episodes=config.episodes,
            seed=config.seed,
            observations=config.observations,
            workers=config.workers,
            keep_failures=config.keep_failures,
            noise=config.noise,
            on_progress=progress,
        )


def _summary(report: "DemoReport") -> str:
    low, high = report.interval
    parts = [
        f"{report.task}: {report.episodes} episodes, {report.mean_length:.1f} frames each",
        f"expert {report.success_rate:.1%} of {report.tries} tries ({low:.1%} to {high:.1%})",
        *(f"{name} {value:.3f}" for name, value in report.measures.items()),
        *(f"{mode} {count}" for mode, count in report.modes.items()),
        f"{report.seconds:.0f} s",
    ]
    return "; ".join(parts)
