"""Endurance benchmark: memory and step time of streams over an hour of motion, run as fast as possible.

python benchmarks/hour.py [--weights full] [--characters 8] [--minutes 60]
"""

import argparse
import gc
import time
from pathlib import Path

import numpy as np
import torch

from motiongen import load
from motiongen.streaming.scheduler import StreamScheduler
from motiongen.streaming.stream import play

PROMPTS = (
    "a person walks forward",
    "a person waves with the right hand",
    "a person kicks",
    "a person dances salsa",
)
PERIODS = 12
"""Rows of the table."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--characters", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    scheduler = StreamScheduler(load("mogo", args.weights), max_characters=args.characters)
    steps: list[float] = []
    scheduler.subscribe(lambda report: steps.append(report.seconds))
    draw = np.random.default_rng(0)
    characters = [scheduler.open(seed=n) for n in range(args.characters)]
    frames = round(args.minutes * 60 * scheduler.fps / PERIODS)
    print(
        "| minutes of stream | memory, MB | step p50, ms | p99 | times real time |\n|---:|---:|---:|---:|---:|"
    )
    began = time.perf_counter()
    for period in range(1, PERIODS + 1):
        steps.clear()
        for frame in range(frames):
            for n, character in enumerate(characters):
                if (frame + 37 * n) % 300 == 0:  # every ten seconds a new sentence, different from all before
                    text = f"{PROMPTS[int(draw.integers(len(PROMPTS)))]} {draw.integers(10**9)}"
                    character.submit("prompt", text=text)
                play(scheduler, character, 1)
        gc.collect()
        p50, p99 = np.quantile(steps, [0.5, 0.99]) * 1e3
        spent, done = time.perf_counter() - began, period * args.minutes / PERIODS
        ratio = 60 * done * args.characters / spent
        print(f"| {done:.0f} | {_memory():.1f} | {p50:.1f} | {p99:.1f} | {ratio:.0f} |", flush=True)


def _memory() -> float:
    """Resident megabytes of this process (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


if __name__ == "__main__":
    main()
