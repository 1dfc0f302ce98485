"""File format benchmark: seconds to read and write motion files, beside a minimal reader of the same numbers.

python benchmarks/formats.py [--runs 3]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from motiongen import Motion
from motiongen.rotation import quat_from_axis_angle
from motiongen.skeleton import SMPL22


def seconds(work: Callable[[], object], runs: int) -> float:
    """Return the median run time, seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def naive_bvh(path: Path) -> list[list[float]]:
    """Return the numbers of a BVH file, parsed one by one."""
    lines = path.read_text().partition("Frame Time:")[2].splitlines()[1:]
    return [[float(word) for word in line.split()] for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    frames = 14_000  # makes 10 MB of BVH
    vectors = torch.randn(frames, 22, 3, generator=torch.Generator().manual_seed(0)) * 0.3
    motion = Motion(SMPL22, quat_from_axis_angle(vectors), torch.zeros(frames, 3), 30.0)
    print("| file | MB | write, s | read, s | beside |\n|---|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as folder:
        for extension in (".bvh", ".npz", ".glb"):
            path = Path(folder) / f"clip{extension}"
            write = seconds(lambda path=path: motion.save(path), runs)
            read = seconds(lambda path=path: Motion.load(path), runs)
            beside = ""
            if extension == ".bvh":
                plain = seconds(lambda path=path: naive_bvh(path), runs)
                beside = f"{plain:.2f} s to read the numbers alone, a word at a time: {plain / read:.1f} x"
            print(f"| {extension} | {path.stat().st_size / 1e6:.1f} | {write:.2f} | {read:.2f} | {beside} |")


if __name__ == "__main__":
    main()
