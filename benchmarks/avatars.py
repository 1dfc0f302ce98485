"""Avatar benchmark: what it costs a server to put all streams on a character, beside the same streams without one.

python benchmarks/avatars.py AVATAR.glb [--weights open] [--sessions 128] [--seconds 15]
"""

import argparse
import asyncio
import time
from pathlib import Path

import numpy as np
from serving import serving

from motiongen_bridge.load_test import run_load_test


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("avatar", type=Path)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--sessions", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=15.0)
    args = parser.parse_args()
    print("| frames on | CPU seconds a second | frames/s each | late p50, ms | p99 |")
    print("|---|---:|---:|---:|---:|")
    costs = []
    for name in (None, args.avatar.stem):
        options = ["--weights", args.weights, "--max-sessions", str(args.sessions)]
        with serving("--character", str(args.avatar), *options) as server:
            began, spent = time.perf_counter(), server.cpu_seconds()
            result = asyncio.run(run_load_test(server.url, args.sessions, args.seconds, avatar=name))
            cost = (server.cpu_seconds() - spent) / (time.perf_counter() - began)
        late = np.quantile(np.array(result.late) * 1e3, [0.5, 0.99])
        rate = len(result.late) / result.seconds / args.sessions
        costs.append(cost)
        print(
            f"| {name or 'SMPL-22'} | {cost:.3f} | {rate:.1f} | {late[0]:.0f} | {late[1]:.0f} |", flush=True
        )
    print(f"\n{args.sessions} streams on {args.avatar.name} cost {costs[1] / costs[0]:.2f} times as much")


if __name__ == "__main__":
    main()
