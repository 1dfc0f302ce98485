"""``motiongen rollout TASK``: runs a policy in episodes of a task, and reports how often it succeeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from motiongen.cli import UsageError, arguments, simulation
from motiongen.cli.progress import bar

if TYPE_CHECKING:
    from motiongen_sim.report import RolloutReport

OWN = "(default: the policy's own)"


@dataclass(frozen=True, kw_only=True)
class RolloutConfig:
    """Run a policy in episodes of a task: success rate with its 95 % interval, steps, latency, videos.

    The same seed gives the same successes on the same kind of machine, with any number of workers.
    """

    task: Annotated[
        tyro.conf.Positional[str],
        tyro.conf.arg(metavar="TASK", help=f"One of {simulation.task_names()}."),
    ]
    policy: Annotated[str, simulation.policies()] = "carp"
    episodes: Annotated[int, tyro.conf.arg(metavar="N")] = 100
    """Number of episodes."""
    seed: int = 0
    """Seed of the first episode; each next episode has the next seed."""
    workers: Annotated[int, tyro.conf.arg(metavar="N")] = 1
    """Number of processes, or of tasks at a time on Ray."""
    engine: Literal["local", "ray"] = "local"
    """Where they run: on this machine, or on a Ray cluster (needs motiongen[ray])."""
    observations: Annotated[
        Literal["state", "image"] | None, tyro.conf.arg(help_behavior_hint="(default: the policy's own)")
    ] = None
    """The whole state, or the robot's own state and a camera's images."""
    max_steps: Annotated[
        int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: the task's own)")
    ] = None
    """Length at which an episode is truncated."""
    action_steps: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint=OWN)] = None
    """Actions of a chunk that are executed before the next one is predicted."""
    temperature: Annotated[float | None, tyro.conf.arg(metavar="T", help_behavior_hint=OWN)] = None
    """Temperature of sampling a policy's codes; 0 takes the likeliest."""
    candidates: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: 1)")] = None
    """Chunks that are tried in the simulator, and taken back, before the best is executed."""
    batch: Annotated[int, tyro.conf.arg(metavar="N")] = 1
    """Episodes side by side, for models that are slow alone; latency is then that of all of them at once."""
    video: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(optional)")] = None
    """Folder for videos, a sheet of them, and a plot of success against episodes."""
    films: Annotated[int, tyro.conf.arg(metavar="N")] = 8
    """Number of episodes that are recorded as video."""
    published_resets: bool = False
    """Keep worlds in which the task is already solved, as published; prints the success of doing nothing beside."""
    report: Annotated[Path | None, tyro.conf.arg(metavar="OUT.json", help_behavior_hint="(optional)")] = None
    """File for the whole report, as JSON."""
    device: arguments.Device = "cpu"
    """Device of the policy."""

    def __post_init__(self) -> None:
        for name in ("episodes", "workers", "batch", "films", "max_steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name.replace('_', '-')}: expected 1 or more, got {value}")


def main(argv: Sequence[str]) -> None:
    """Run all episodes, print a table, and write the outputs."""
    config = arguments.parse(RolloutConfig, argv, "rollout")
    if config.report is not None:
        arguments.check_outputs([config.report], [".json"])
    if config.video is not None:
        arguments.check_new_folder(config.video)
    device = arguments.resolve_device(config.device)
    with simulation.needs_sim("rollout"):
        report = _rollout(config, device)
    print(table(report), flush=True)
    if config.report is not None:
        report.save(config.report)
        arguments.report([config.report])
    if config.video is not None:
        arguments.report([config.video / "success.png"])


def _rollout(config: RolloutConfig, device: str) -> "RolloutReport":
    from motiongen_sim.policy_rollout import rollout

    with bar(config.task) as progress:
        return rollout(
            config.task,
            config.policy,
            episodes=config.episodes,
            seed=config.seed,
            workers=config.workers,
            engine=config.engine,
            video=config.video,
            observations=config.observations,
            max_steps=config.max_steps,
            action_steps=config.action_steps,
            temperature=config.temperature,
            candidates=config.candidates,
            batch=config.batch,
            films=config.films,
            device=device,
            published_resets=config.published_resets,
            on_progress=progress,
        )


def table(report: "RolloutReport") -> str:
    """Return a report in a few lines."""
    low, high = report.interval
    action, chunk = report.latency_ms["action"], report.latency_ms["chunk"]
    rows = {
        "task": f"{report.task} ({report.observations} observations)",
        "policy": report.policy,
        "success": f"{report.success_rate:.1%}, 95 % interval {low:.1%} to {high:.1%} "
        f"({sum(report.success)} of {report.episodes}) at the end; ever {report.success_ever_rate:.1%}",
        "steps": f"{sum(report.steps) / report.episodes:.1f} a try, of {report.max_steps}",
    }
    if report.do_nothing_rate is not None:
        rows["doing nothing"] = f"{report.do_nothing_rate:.1%}, with published resets"
    for name, value in report.measures.items():
        rows[name] = f"{value.mean:.3f}" + (
            "" if value.low is None else f", 95 % interval {value.low:.3f} to {value.high:.3f}"
        )
    rows |= {name: f"{count} of {report.episodes}" for name, count in report.modes.items()}
    if report.jerk is not None:
        rows["jerk"] = f"{report.jerk.mean:.3g} of the actions, a second cubed"
    rows["latency"] = f"{action.mean:.2f} ms an action"
    if chunk != action:  # scripted policies compute each action anew
        rows["latency"] += f"; {chunk.median:.2f} ms a chunk (95 % under {chunk.p95:.2f})"
    width = max(map(len, rows)) + 2
    return "\n".join(f"{name:<{width}}{text}" for name, text in rows.items())
