"""Policy benchmark: success, smoothness, latency and size of trained policies in a task, as one table.

python -m benchmarks.policy_table BlockPush FOLDER [FOLDER ...] [--episodes 200] [--batch 25] [--workers 1] [-o DIR]

A folder contains a CARP or a baseline (benchmarks.policies.train); a diffusion policy has two rows, for DDPM and DDIM.
Episodes run in parallel and their chunks are predicted as one batch, since DDPM would take hours otherwise. Latency is
measured separately at batch 1, with the policies taking turns.
"""

import argparse
from pathlib import Path

import torch

from benchmarks.policies import AnyPolicy, load, sampling_variants
from benchmarks.policies.sizes import parameters
from benchmarks.policy_latency import chunk_ms
from motiongen_sim.policy import Policy
from motiongen_sim.policy_rollout import rollout
from motiongen_sim.report import RolloutReport
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
    args = parser.parse_args()
    torch.set_num_threads(1)
    models = {name: model for folder in args.folders for name, model in named(folder).items()}
    taken = chunk_ms(list(models.values()), args.rounds)
    measures = TASKS[args.task].measures
    print(f"{args.task}: {args.episodes} episodes from seed {args.seed}, {args.batch} side by side\n")
    heading = ["policy", "success (95 %)", *measures, "jerk", "ms a chunk", "CPU ms", "parameters"]
    print("| " + " | ".join(heading) + " |")
    print("|---|" + "---:|" * (len(heading) - 1), flush=True)
    for (name, model), times in zip(models.items(), taken, strict=True):
        report = rollout(
            args.task,
            Policy(model, task=args.task, name=name),
            episodes=args.episodes,
            seed=args.seed,
            workers=args.workers,
            batch=args.batch,
        )
        if args.output is not None:
            args.output.mkdir(parents=True, exist_ok=True)
            report.save(args.output / f"{name.replace(' ', '-')}.json")
        print(row(name, report, measures, times, model), flush=True)


def named(folder: Path) -> dict[str, AnyPolicy]:
    """Return name -> policy with one of its samplers, for the policy in a folder; names contain the folder's."""
    return {f"{variant} ({folder.name})": model for variant, model in sampling_variants(load(folder)).items()}


def row(
    name: str,
    report: RolloutReport,
    measures: tuple[str, ...],
    times: tuple[float, float],
    model: AnyPolicy,
) -> str:
    """Return a row of the table."""
    low, high = report.interval
    cells = [name, f"{report.success_rate:.3f} ({low:.3f} to {high:.3f})"]
    cells += [f"{report.measures[measure].mean:.3f}" for measure in measures]
    cells += ["" if report.jerk is None else f"{report.jerk.mean:.3g}"]
    cells += [f"{times[0]:.1f}", f"{times[1]:.1f}", f"{parameters(model):,}"]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
