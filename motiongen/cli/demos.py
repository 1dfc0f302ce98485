"""``motiongen demos TASK -o DIR``: a scripted expert's demonstrations as a LeRobot dataset."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from motiongen.cli import UsageError, arguments
from motiongen.cli.progress import bar

if TYPE_CHECKING:
    from motiongen_sim.demos import DemoReport


@dataclass(frozen=True, kw_only=True)
class DemosConfig:
    """Let a task's scripted expert show it, and record a LeRobot v3.0 dataset, for motiongen train carp."""

    task: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="TASK")]
    """BlockPush, PandaPush, PandaPickAndPlace, PandaStack, PushT or HumanoidTrack."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="DIR")]
    """Folder of the dataset, a new one."""
    episodes: int = 1000
    """Episodes to record."""
    observations: Literal["state", "image"] = "state"
    """Everything in numbers, or the robot's own numbers and a camera's pictures."""
    seed: int = 100_000
    """Of the first try, and the next has the next: worlds that no rollout from seed 0 on is judged by.

    The same seed gives the same dataset, with any number of workers.
    """
    workers: int = 2
    """Processes."""
    keep_failures: bool = False
    """Record the episodes in which the expert fails, too."""
    noise: float = 0.0
    """How far the robot strays from what the expert says, as a part of half the actions' range.

    What is then recorded, in pieces, is what the expert would do all along the way: a policy learns to mend errors.
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
    """Record, then say how well the expert did."""
    config = arguments.parse(DemosConfig, argv, "demos")
    arguments.check_new_folder(config.output)
    if config.output.exists() and any(config.output.iterdir()):
        raise UsageError(f"output: {config.output} is not empty; choose another folder, or remove it")
    try:
        report = _record(config)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("motiongen"):
            raise
        raise ImportError(f"demos: needs {error.name}; run pip install 'motiongen[sim]'") from error
    print(_summary(report))
    arguments.report([config.output])


def _record(config: DemosConfig) -> "DemoReport":
    from motiongen_sim import tasks
    from motiongen_sim.demos import record_demos

    try:
        task = tasks.lookup(config.task)
    except ValueError as error:
        raise UsageError(str(error)) from error
    with bar("episodes") as progress:
        return record_demos(
            task.name,
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
