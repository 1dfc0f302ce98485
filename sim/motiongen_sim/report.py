"""RolloutReport: success with its interval, measures, latency and smoothness of a rollout; as JSON and as a plot."""

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

import motiongen
from motiongen.atomic import atomic_path
from motiongen.checkpoint import write_json
from motiongen.evaluation.bootstrap import mean_interval
from motiongen_sim.episodes import EpisodeSettings, GroupResult
from motiongen_sim.interval import wilson_interval
from motiongen_sim.modes import count_modes

LIBRARIES = ("torch", "numpy", "gymnasium", "pybullet", "panda-gym", "gym-pusht")


@dataclass(frozen=True)
class Mean:
    """A mean over episodes with its 95 % bootstrap interval; None for a single episode."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Latency:
    """Statistics of a latency, in milliseconds."""

    mean: float
    median: float
    p95: float


@dataclass(frozen=True, kw_only=True)
class RolloutReport:
    """Results of a policy in a task. Tuples have one entry for each episode.

    Attributes:
        task: name of the task.
        policy: name of the policy.
        observations: "state" or "image".
        episodes: number of episodes.
        seed: of the first; the world and the policy's random draws in episode i depend on `seed + i`.
        batch: episodes side by side.
        max_steps: length at which an episode was truncated.
        published_resets: whether worlds in which the task was already solved were kept.
        success: whether the episode ended with the task solved.
        success_rate: share of those episodes.
        interval: 95 % confidence interval of the success rate (Wilson).
        success_ever: whether the task was solved after any of the steps.
        success_ever_rate: share of those episodes.
        interval_ever: 95 % confidence interval of that rate.
        do_nothing_rate: success rate of the policy "hold" in the same episodes; None without published resets.
        steps: actions executed.
        reward: sum over the steps.
        measures: measure of the task -> mean over the episodes' ends.
        modes: mode (see modes.py) -> number of episodes, for tasks with several.
        jerk: of the executed actions: mean |third difference| x rate^3, in units of the action / s^3.
        latency_ms: of the policy on one CPU thread, or on its GPU. `action`: of all answers, most of which come from a
            chunk of before; `chunk`: of those that predict a chunk. Both are for `batch` episodes at once.
        device: of the policy.
        seconds: duration of the rollout.
        versions: library -> version.
    """

    task: str
    policy: str
    observations: str
    episodes: int
    seed: int
    batch: int
    max_steps: int
    published_resets: bool
    success: tuple[bool, ...]
    success_rate: float
    interval: tuple[float, float]
    success_ever: tuple[bool, ...]
    success_ever_rate: float
    interval_ever: tuple[float, float]
    do_nothing_rate: float | None
    steps: tuple[int, ...]
    reward: tuple[float, ...]
    measures: dict[str, Mean]
    modes: dict[str, int]
    jerk: Mean | None
    latency_ms: dict[str, Latency]
    device: str
    seconds: float
    versions: dict[str, str]

    def save(self, path: str | Path) -> None:
        """Write the report as JSON, whole or not at all."""
        write_json(path, asdict(self))

    def draw(self, path: str | Path) -> None:
        """Write a plot of success against episodes as PNG, whole or not at all."""
        draw_success(self, path)


def make_report(
    settings: EpisodeSettings,
    results: Sequence[GroupResult],
    seconds: float,
    do_nothing_rate: float | None = None,
) -> RolloutReport:
    """Return the report of a rollout.

    Args:
        settings: of the rollout.
        results: of all episodes, in any order.
        seconds: duration of the rollout.
        do_nothing_rate: success rate of the policy "hold", where it was measured.
    """
    episodes = sorted((one for group in results for one in group.episodes), key=lambda one: one.index)
    successes = sum(one.success for one in episodes)
    ever = sum(one.success_ever for one in episodes)
    jerks = [one.jerk for one in episodes if one.jerk is not None]
    policy = settings.policy
    return RolloutReport(
        task=settings.task.name,
        policy=settings.policy_name,
        observations=settings.observations,
        episodes=len(episodes),
        seed=settings.seed,
        batch=settings.batch,
        max_steps=settings.max_steps,
        published_resets=settings.published_resets,
        success=tuple(one.success for one in episodes),
        success_rate=successes / len(episodes),
        interval=wilson_interval(successes, len(episodes)),
        success_ever=tuple(one.success_ever for one in episodes),
        success_ever_rate=ever / len(episodes),
        interval_ever=wilson_interval(ever, len(episodes)),
        do_nothing_rate=do_nothing_rate,
        steps=tuple(one.steps for one in episodes),
        reward=tuple(one.reward for one in episodes),
        measures={name: _mean([one.measures[name] for one in episodes]) for name in episodes[0].measures},
        modes=count_modes(one.mode for one in episodes),
        jerk=_mean(jerks) if jerks else None,
        latency_ms={
            "action": _latency([ms for group in results for ms in group.action_ms]),
            "chunk": _latency([ms for group in results for ms in group.chunk_ms]),
        },
        device="cpu" if isinstance(policy, str) else str(policy.device),
        seconds=seconds,
        versions=_versions(),
    )


def draw_success(report: RolloutReport, path: str | Path) -> None:
    """Write a plot of the success rate after each episode, with its interval, as PNG.

    Args:
        report: of the rollout.
        path: the file.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise ImportError("rollout: needs matplotlib to draw; run pip install 'motiongen[sim]'") from error
    tries = np.arange(1, report.episodes + 1)
    successes = np.cumsum(report.success)
    low, high = np.transpose(
        [wilson_interval(int(good), int(of)) for good, of in zip(successes, tries, strict=True)]
    )
    figure = Figure(figsize=(7, 4), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.fill_between(tries, low, high, color="#4a7fb5", alpha=0.25, linewidth=0, label="95 % interval")
    axes.plot(tries, successes / tries, color="#22303c", linewidth=1.8, label="success rate so far")
    for good, colour in ((True, "#2e9154"), (False, "#c83e3a")):
        which = tries[np.array(report.success) == good]
        axes.plot(which, np.full(len(which), -0.045), "|", color=colour, markersize=7)
    axes.set(xlim=(0.5, report.episodes + 0.5), ylim=(-0.09, 1.03), xlabel="episodes", ylabel="success rate")
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e3e7ee", linewidth=0.8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside lower right", ncols=2, frameon=False)
    rate, (least, most) = report.success_rate, report.interval
    axes.set_title(
        f"{report.task} · {report.policy} · {rate:.0%} ({least:.0%} to {most:.0%})", loc="left", weight="bold"
    )
    with atomic_path(path) as aside:
        figure.savefig(aside, format="png", metadata={"Software": None})


def _mean(values: Sequence[float]) -> Mean:
    if len(values) < 2:
        return Mean(values[0], None, None)
    interval = mean_interval(torch.tensor(values), generator=torch.Generator().manual_seed(0))
    return Mean(interval.mean, interval.low, interval.high)


def _latency(milliseconds: Sequence[float]) -> Latency:
    return Latency(
        *(float(value) for value in (np.mean(milliseconds), *np.quantile(milliseconds, (0.5, 0.95))))
    )


def _versions() -> dict[str, str]:
    versions: dict[str, Any] = {"motiongen": motiongen.__version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # an extra that this task did without
    return versions
