"""Cold start benchmark: seconds to the help text, the import and a written clip, each in a new process.

python benchmarks/cold_start.py [--runs 5]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GOALS = {"motiongen --help": 0.5, "import motiongen": 0.5, "generate to .bvh": 12.0}


def seconds(command: list[str]) -> float:
    """Return the run time of a process, seconds."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        motiongen = [sys.executable, "-m", "motiongen"]
        clip = str(Path(folder) / "bow.bvh")
        commands = {
            "motiongen --help": [*motiongen, "--help"],
            "import motiongen": [sys.executable, "-c", "import motiongen"],
            "generate to .bvh": [*motiongen, "generate", "a person bows", "--seed", "0", "-o", clip],
        }
        print(f"| from a cold start | median of {runs}, s | slowest, s | goal, s |\n|---|---|---|---|")
        for name, command in commands.items():
            times = [seconds(command) for _ in range(runs)]
            print(f"| {name} | {statistics.median(times):.2f} | {max(times):.2f} | {GOALS[name]} |")


if __name__ == "__main__":
    main()
