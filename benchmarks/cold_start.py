"""Seconds from a cold start to each help text, the import and a written clip, each in a process of its own.

Beside the time of the clock stands that of the processor, which other work on the machine lengthens less.

python benchmarks/cold_start.py [--runs 5]
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from motiongen.cli import COMMANDS
from motiongen.cli.train import trainings

HELP, GENERATE = 0.5, 12.0
"""Goals, seconds."""


def seconds(command: list[str]) -> tuple[float, float]:
    """Return how long a process takes from start to end, by the clock and of the processor."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
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
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        motiongen = [sys.executable, "-m", "motiongen"]
        clip = str(Path(folder) / "bow.bvh")
        commands = {
            "import motiongen": ([sys.executable, "-c", "import motiongen"], HELP),
            "generate to .bvh": (
                [*motiongen, "generate", "a person bows", "--seed", "0", "-o", clip],
                GENERATE,
            ),
        } | {
            " ".join(["motiongen", *words, "--help"]): ([*motiongen, *words, "--help"], HELP)
            for words in helped()
        }
        print(f"| from a cold start | median of {runs}, s | slowest, s | processor, s | goal, s |")
        print("|---|---|---|---|---|")
        for name, (command, goal) in commands.items():
            clock, processor = zip(*(seconds(command) for _ in range(runs)), strict=True)
            numbers = (statistics.median(clock), max(clock), statistics.median(processor))
            print(f"| {name} | {' | '.join(f'{number:.2f}' for number in numbers)} | {goal} |", flush=True)


if __name__ == "__main__":
    main()
