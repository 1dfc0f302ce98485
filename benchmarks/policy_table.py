"""What trained policies do in a task: success, smoothness, latency and size, as one table.

python -m benchmarks.policy_table BlockPush FOLDER [FOLDER ...] [--episodes 200] [--batch 25] [--workers 1] [-o DIR]

A folder holds CARP or a baseline (benchmarks.policies.train); a diffusion policy is shown twice, by DDPM and by DDIM.
Episodes run side by side, and all chunks that are due are predicted as one batch: DDPM alone would take hours. Success
is therefore at that batch for all; the time of a chunk is measured apart, at batch 1, the policies taking turns.
"""

import argparse
from pathlib import Path

import torch

from benchmarks.policies import AnyPolicy, load, sampling_variants
from benchmarks.policies.sizes import parameters
from benchmarks.policy_latency import chunk_ms
from motiongen_sim.policy import Policy
from motiongen_sim.report import RolloutReport
from motiongen_sim.rollout import rollout
from motiongen_sim.tasks import TASKS


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=25, help="episodes side by side")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9, help="of timing")
    parser.add_argument("-o", "--output", type=Path, help="folder for a report of each row")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    models = {name: model for folder in asked.folders for name, model in named(folder).items()}
    taken = chunk_ms(list(models.values()), asked.rounds)
    measures = TASKS[asked.task].measures
    print(f"{asked.task}: {asked.episodes} episodes from seed {asked.seed}, {asked.batch} side by side\n")
    heading = ["policy", "success (95 %)", *measures, "jerk", "ms a chunk", "CPU ms", "parameters"]
    print("| " + " | ".join(heading) + " |")
    print("|---|" + "---:|" * (len(heading) - 1), flush=True)
    for (name, model), times in zip(models.items(), taken, strict=True):
        report = rollout(
            asked.task,
            Policy(model, task=asked.task, name=name),
            episodes=asked.episodes,
            seed=asked.seed,
            workers=asked.workers,
            batch=asked.batch,
        )
        if asked.output is not None:
            asked.output.mkdir(parents=True, exist_ok=True)
            report.save(asked.output / f"{name.replace(' ', '-')}.json")
        print(row(name, report, measures, times, model), flush=True)


def named(folder: Path) -> dict[str, AnyPolicy]:
    """Return name -> policy with one of its samplers, for the policy in a folder; the names contain the folder's."""
    return {f"{way} ({folder.name})": model for way, model in sampling_variants(load(folder)).items()}


def row(
    name: str,
    report: RolloutReport,
    measures: tuple[str, ...],
    times: tuple[float, float],
    model: AnyPolicy,
) -> str:
    """Return a line of the table."""
    low, high = report.interval
    cells = [name, f"{report.success_rate:.3f} ({low:.3f} to {high:.3f})"]
    cells += [f"{report.measures[measure].mean:.3f}" for measure in measures]
    cells += ["" if report.jerk is None else f"{report.jerk.mean:.3g}"]
    cells += [f"{times[0]:.1f}", f"{times[1]:.1f}", f"{parameters(model):,}"]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
