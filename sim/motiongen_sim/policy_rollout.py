"""rollout: runs a policy in episodes of a task, and reports how often it succeeds."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from motiongen import engines, registry
from motiongen.atomic import atomic_path
from motiongen_sim import shipped
from motiongen_sim.episode_video import draw_sheet
from motiongen_sim.episodes import EpisodeRunner, EpisodeSettings, GroupResult
from motiongen_sim.policy import Policy
from motiongen_sim.report import RolloutReport, make_report
from motiongen_sim.scripted_policies import SCRIPTED_POLICIES
from motiongen_sim.tasks import TaskSpec, lookup

Progress = Callable[[int, int], None]


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
    candidates: int | None = None,
    batch: int = 1,
    films: int = 8,
    device: str = "cpu",
    published_resets: bool = False,
    on_progress: Progress | None = None,
) -> RolloutReport:
    """Run a policy in episodes of a task, and report how often it succeeds.

    Episode i depends on `seed + i` (the world and the policy's random draws) and on `batch`, but not on the number of
    episodes, the workers or the engine. A model is bound to one thread, so that its sums are always rounded the same.

    Args:
        task: one of motiongen_sim.tasks.TASKS.
        policy: "carp", the one that ships for this task; another one that ships, by name; a folder; a Policy; or one
            of motiongen_sim.scripted_policies.SCRIPTED_POLICIES, by name.
        episodes: number of episodes.
        seed: of the first episode.
        workers: number of processes, or of tasks at a time on Ray; see `motiongen.engines.opened`.
        engine: "local", or "ray" for a Ray cluster (RAY_ADDRESS) or this machine.
        video: a folder for videos of the first episodes, a sheet of these, and a plot of success against episodes.
        observations: "state" or "image"; by default the kind that the policy was trained on.
        max_steps: length at which an episode is truncated; by default the task's own.
        action_steps: actions of a chunk that are executed, in place of the policy's own number.
        temperature: of sampling, in place of the policy's own.
        candidates: chunks that are tried in the simulator, whose steps are taken back, before the one that earns most
            is executed; needs a batch of 1.
        batch: episodes side by side, for models that are slow alone. Sums are rounded differently in another batch, so
            an episode may end differently; compare policies at the same batch.
        films: number of episodes that are recorded as video.
        device: of a policy that is loaded here.
        published_resets: keep worlds in which the task is already solved, as the published tasks do. The report then
            has the success rate of doing nothing.
        on_progress: called with (episodes run, of all).

    Raises:
        ValueError: there is no such task, policy or engine; the policy is for another task; a number is out of range.
        ImportError: Ray is asked for and not installed.
        ChildProcessError: workers died over the same episodes again and again.
    """
    registry.lookup("engine", engines.ENGINES, engine)
    _check_counts(episodes=episodes, workers=workers, batch=batch, max_steps=max_steps)
    spec = lookup(task)
    chosen = {"action_steps": action_steps, "temperature": temperature, "candidates": candidates}
    options = {name: value for name, value in chosen.items() if value is not None}
    actor = _find_policy(policy, spec, observations, device, options)
    if isinstance(actor, Policy) and actor.candidates > 1 and batch > 1:
        raise ValueError(f"batch: expected 1 for {actor.candidates} candidates, got {batch}; use workers")
    settings = EpisodeSettings(
        task=spec,
        policy=actor,
        observations=actor.observations if isinstance(actor, Policy) else observations or "state",
        seed=seed,
        batch=batch if isinstance(actor, Policy) else 1,
        max_steps=max_steps or spec.max_steps,
        filmed=0 if video is None else min(films, episodes),
        published_resets=published_resets,
    )
    if video is not None:
        Path(video).mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    results = _run(engine, settings, episodes, workers, on_progress)
    seconds, do_nothing = time.perf_counter() - start, None
    if published_resets:
        idle = _run(engine, replace(settings, policy="hold", batch=1, filmed=0), episodes, workers, None)
        do_nothing = sum(one.success for group in idle for one in group.episodes) / episodes
    report = make_report(settings, results, seconds, do_nothing)
    if video is not None:
        _write_videos(report, results, Path(video))
    return report


def _run(
    engine: str, settings: EpisodeSettings, episodes: int, workers: int, on_progress: Progress | None
) -> list[GroupResult]:
    """Return the results of all episodes, in groups that run side by side."""
    firsts = range(0, episodes, settings.batch)
    groups = [range(first, min(first + settings.batch, episodes)) for first in firsts]
    results, done = [], 0
    with engines.opened(engine, partial(EpisodeRunner, settings), workers, len(groups)) as run:
        for _, result in run(groups):
            results.append(result)
            done += len(result.episodes)
            if on_progress is not None:
                on_progress(done, episodes)
    return results


def _check_counts(**counts: int | None) -> None:
    """Raise ValueError unless each count that is given is 1 or more."""
    for name, value in counts.items():
        if value is not None and value < 1:
            raise ValueError(f"{name}: expected 1 or more, got {value}")


def _find_policy(
    policy: str | Path | Policy,
    task: TaskSpec,
    observations: str | None,
    device: str,
    options: dict[str, Any],
) -> Policy | str:
    """Return a policy for a task: a model that acts, or the name of one of SCRIPTED_POLICIES."""
    is_scripted = isinstance(policy, str) and policy in SCRIPTED_POLICIES
    if options and (is_scripted or isinstance(policy, Policy)):
        raise ValueError(
            f"{', '.join(options)}: expected with a policy that is loaded here, got "
            f"{policy.name if isinstance(policy, Policy) else policy}; leave out, or make the Policy with them"
        )
    if isinstance(policy, str) and is_scripted:
        return policy
    if not isinstance(policy, Policy):
        folder = shipped.for_task(task, observations or "state") if policy == "carp" else policy
        policy = Policy.load(folder, device, task=task.name, **options)
    if observations not in (None, policy.observations):
        raise ValueError(
            f"observations: expected {policy.observations}, which {policy.name} was trained on, got {observations}"
        )
    return policy


def _write_videos(report: RolloutReport, results: Sequence[GroupResult], folder: Path) -> None:
    """Write the videos, a sheet of them, and a plot of success against episodes."""
    videos = {one.index: one.video for group in results for one in group.episodes if one.video is not None}
    for index, video in videos.items():
        mark = "success" if report.success[index] else "failure"
        with atomic_path(folder / f"episode-{index:03d}-{mark}.mp4") as path:
            path.write_bytes(video.mp4)
    if videos:
        with atomic_path(folder / "sheet.png") as path:
            draw_sheet([videos[index] for index in sorted(videos)]).save(path, format="PNG")
    report.draw(folder / "success.png")
