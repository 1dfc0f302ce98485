"""Seconds from a cold start to each help text, the import and a written clip, each in a process of its own.

Beside the time of the clock stands that of the processor, which other work on the machine lengthens less.

With --baseline, that checkout's code is run in turn, and the ratio of the processor's time is shown.

python benchmarks/cold_start.py [--runs 5] [--only generate] [--baseline ../checkout-of-a-commit]
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from motiongen.cli import COMMANDS
from motiongen.cli.train import trainings

HELP, GENERATE, VIDEO = 0.5, 4.0, 12.0
"""Goals, seconds."""


def seconds(command: list[str], tree: Path | None = None) -> tuple[float, float]:
    """Return how long a process takes from start to end, by the clock and of the processor; with a checkout's code."""
    parts = (
        [] if tree is None else [str(tree / part) for part in (".", "assets", "bridge", "sim", "datasets")]
    )
    env = {**os.environ, **({"PYTHONPATH": os.pathsep.join(parts)} if parts else {})}
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env=env, cwd=tree)
    end, after = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    return end - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def helped() -> list[list[str]]:
    """Return the words before --help: none, each command, and those that have several help texts."""
    return [
        [],
        *([verb] for verb in COMMANDS),
        *(["train", name] for name in trainings()),
        ["evaluate", "dance"],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="words that the names of what is measured contain")
    parser.add_argument("--baseline", type=Path, help="checkout of another commit")
    args = parser.parse_args()
    runs, baseline = args.runs, args.baseline
    with tempfile.TemporaryDirectory() as folder:
        motiongen = [sys.executable, "-m", "motiongen"]
        written = {name: str(Path(folder) / f"bow.{name}") for name in ("bvh", "mp4")}
        say = [*motiongen, "generate", "a person bows", "--seconds", "4", "--seed", "0", "-o"]
        commands = {
            "import motiongen": ([sys.executable, "-c", "import motiongen"], HELP),
            "generate 4 s to .bvh": ([*say, written["bvh"]], GENERATE),
            "generate 4 s to .mp4": ([*say, written["mp4"]], VIDEO),
        } | {
            " ".join(["motiongen", *words, "--help"]): ([*motiongen, *words, "--help"], HELP)
            for words in helped()
        }
        print(
            f"| from a cold start | median of {runs}, s | slowest, s | processor, s | goal, s | of baseline |"
        )
        print("|---|---|---|---|---|---|")
        for name, (command, goal) in commands.items():
            if args.only not in name:
                continue
            pairs = [
                (seconds(command), baseline and seconds(command, baseline.resolve())) for _ in range(runs)
            ]
            clock, processor = zip(*(own for own, _ in pairs), strict=True)
            numbers = (statistics.median(clock), max(clock), statistics.median(processor))
            before = [other[1] for _, other in pairs if other]
            ratio = f"{statistics.median(processor) / statistics.median(before):.2f} x" if before else ""
            print(f"| {name} | {' | '.join(f'{n:.2f}' for n in numbers)} | {goal} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
