"""Latency of a policy server: many robots over loopback, answered in one pass beside one by one.

python benchmarks/policy_serving.py [carp-panda] [--robots 1 16 64] [--seconds 3] [--rate 25]

Each robot asks for a chunk whenever it has executed its action steps, at the rate of control, and the policy has one
thread. Milliseconds are from an observation's sending to its chunk's arrival; processor time is that of server and
robots together, and what other load affects least. "One by one" is the same server with passes of a single robot.
"""

import argparse
import asyncio
import time

import numpy as np
import torch

from motiongen.inference.chunk_predictor import ChunkPredictor
from motiongen.inference.load import load_policy
from motiongen_bridge import policy_batcher, policy_client
from motiongen_bridge.policy_client import PolicyConnection, RemotePolicy
from motiongen_bridge.policy_server import PolicyServer
from motiongen_bridge.policy_wire import WireChunk
from motiongen_bridge.server_config import ServerConfig


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("policy", nargs="?", default="carp-panda")
    parser.add_argument("--robots", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=25.0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    predictor = ChunkPredictor(load_policy(args.policy, "cpu").head)
    policy_client.ANSWER_SECONDS = 60.0  # one by one, many wait long
    print("| robots | pass | chunks/s | p50 ms | p99 ms | CPU ms a chunk | steps late, mean |")
    print("|---:|---|---:|---:|---:|---:|---:|")
    for count in args.robots:
        for name, most in {"together": 64, "one by one": 1}.items():
            policy_batcher.MAX_BATCH = most
            row = asyncio.run(measure(predictor, count, args.seconds, args.rate))
            print(f"| {count} | {name} | {row} |", flush=True)


async def measure(predictor: ChunkPredictor, count: int, seconds: float, rate: float) -> str:
    """Return the cells of a row."""
    times: list[float] = []
    async with (
        PolicyServer(predictor, "bench", ServerConfig(port=0)) as server,
        PolicyConnection(server.url) as connection,
    ):
        task = connection.hello["tasks"][-1]
        robots = [_Timed(connection.robot(task["instruction"]), times) for _ in range(count)]
        await robots[0].robot.act(np.zeros(task["state"]))  # the first pass is slower than all others
        robots[0].robot.reset()
        times.clear()
        start, busy = time.perf_counter(), time.process_time()
        await asyncio.gather(*(robot.run(task["state"], seconds, rate, n) for n, robot in enumerate(robots)))
        took, busy = time.perf_counter() - start, time.process_time() - busy
    p50, p99 = np.quantile(times, (0.5, 0.99)) * 1e3
    late = np.mean([robot.late for robot in robots])
    return f"{len(times) / took:.0f} | {p50:.1f} | {p99:.1f} | {1e3 * busy / len(times):.2f} | {late:.1f}"


class _Timed:
    """A robot that notes how long its chunks take."""

    def __init__(self, robot: RemotePolicy, times: list[float]) -> None:
        self.robot, self._times = robot, times
        self._take = robot.take
        robot.take = self._note  # type: ignore[method-assign]
        self._sent: dict[int, float] = {}
        self._delays: list[int] = []

    @property
    def late(self) -> float:
        """Mean number of steps that chunks came late."""
        return float(np.mean(self._delays or [0]))

    def _note(self, chunk: WireChunk) -> None:
        step = chunk.number - self.robot.first_number
        if step in self._sent:
            self._times.append(time.perf_counter() - self._sent[step])
            self._delays.append(self.robot.actions.step - step)
        self._take(chunk)

    async def run(self, width: int, seconds: float, rate: float, number: int) -> None:
        random = np.random.default_rng(number)
        await asyncio.sleep(random.random() / rate)  # robots are not in step
        end, due = time.perf_counter() + seconds, time.perf_counter()
        while time.perf_counter() < end:
            self._sent[self.robot.actions.step] = time.perf_counter()
            await self.robot.act(0.1 * random.standard_normal(width))
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))


if __name__ == "__main__":
    main()
