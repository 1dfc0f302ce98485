"""Live dance benchmark: seconds of a slice, speed relative to the music, and the delay of a click.

python benchmarks/live_dance.py [--weights full] [--dancers 1 4 16] [--seconds 20] [--threads 1] [--device auto]

The delay is measured end to end, over a loopback socket: audio is sent in real time in chunks of a tenth of a second,
and the delay of a click is that of the frame that shows it at the client.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import numpy as np
import torch

from motiongen.inference.dance_model import DanceModel
from motiongen.inference.load import load_dance
from motiongen.streaming.dance_scheduler import JITTER, MUSIC_DELAY, DanceScheduler
from motiongen.streaming.dance_stream import DanceStream, dance_slices
from motiongen_bridge.client import Connection, RemoteCharacter
from motiongen_bridge.server import Server, ServerConfig

RATE = 22050
PART = RATE // 10
SLICES = 6


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", default="open")
    parser.add_argument("--space", default=None)
    parser.add_argument("--dancers", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = load_dance(args.space, args.weights, args.device)
    print(f"{args.threads} threads, {model.head.device}, {model.head.config.space}\n")
    heads = ["dancers", "taken in", "ms a slice", "faster than the music", "stated delay, s"]
    heads += ["click to frame p50, s", "worst", "gaps"]
    print(f"| {' | '.join(heads)} |\n|{'---:|' * len(heads)}")
    for count in args.dancers:
        slice_seconds = model.head.config.slice_frames / 30
        spent = slices(model, count)
        scheduler = DanceScheduler(model)
        most, delays, gaps = asyncio.run(dance(scheduler, count, args.seconds))
        row = [
            str(most),
            f"{1e3 * spent:.0f}",
            f"{slice_seconds / spent:.1f}",
            f"{scheduler.delay_frames / 30:.2f}",
        ]
        row += [f"{np.median(delays):.2f}", f"{max(delays):.2f}", str(gaps)]
        print(f"| {count} | {' | '.join(row)} |", flush=True)
    parts = {
        "slice": scheduler.delay_frames - MUSIC_DELAY - scheduler.urgent_frames, "features' look-ahead": MUSIC_DELAY,
        "time to make it": scheduler.allowance, "slack for sound that is late": JITTER,
    }  # fmt: skip
    print("\nstated delay: " + ", ".join(f"{frames / 30:.2f} s {name}" for name, frames in parts.items()))


def slices(model: DanceModel, count: int) -> float:
    """Return the seconds for a slice of each of `count` dancers, batched as by the scheduler."""
    streams, most = [DanceStream(model, seed=n) for n in range(count)], DanceScheduler(model).max_batch
    taken = []
    for _ in range(SLICES):
        for stream in streams:
            stream.fill_with_silence()
        began = time.perf_counter()
        for first in range(0, count, most):
            dance_slices(streams[first : first + most])
        taken.append(time.perf_counter() - began)
    return float(np.median(taken))


async def dance(scheduler: DanceScheduler, count: int, seconds: float) -> tuple[int, list[float], int]:
    """Return how many dancers would be taken in, the delays of clicks of `count`, seconds, and gaps in their sound."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(Server(scheduler, ServerConfig(port=0)))
        most, scheduler.max_characters = scheduler.max_characters, count  # to see what too many are like
        lines = [await stack.enter_async_context(Connection(server.url)) for _ in range(-(-count // 2))]
        dancers = [await lines[n // 2].open(seed=n) for n in range(count)]  # two live sounds a connection
        results = await asyncio.gather(*(clicked(dancer, n, seconds) for n, dancer in enumerate(dancers)))
    return most, [delay for delays, _ in results for delay in delays], sum(gaps for _, gaps in results)


async def clicked(dancer: RemoteCharacter, number: int, seconds: float) -> tuple[list[float], int]:
    """Return the delays of one click a second, and the gaps, of one dancer."""
    await asyncio.sleep(1 + 0.37 * number % 1)  # not all at once
    shown: dict[int, float] = {}
    began = time.monotonic()
    listening = asyncio.create_task(dancer.listen(microphone(seconds, began), RATE))
    async for frame in dancer:
        shown[frame.seq] = time.monotonic()
        if listening.done() and any(event["event"] == "ended" for event in dancer.events):
            break
    await dancer.close()
    dances = [event for event in dancer.events if event["event"] == "dances"]
    delays = []
    for click in range(1, int(seconds)):
        before = [event for event in dances if event["sample"] <= click * RATE]
        if not before:
            continue
        seq = before[-1]["seq"] + round((click - before[-1]["sample"] / RATE) * 30)
        if seq in shown:
            delays.append(shown[seq] - began - click)
    return delays, len(dances) - 1


async def microphone(seconds: float, began: float) -> AsyncIterator[np.ndarray]:
    """Yield tenths of seconds of a click a second, each when it has been played."""
    sound = np.zeros(round(seconds * RATE), np.float32)
    sound[::RATE] = 1.0
    for first in range(0, len(sound), PART):
        await asyncio.sleep(began + (first + PART) / RATE - time.monotonic())
        yield sound[first : first + PART]


if __name__ == "__main__":
    main()
