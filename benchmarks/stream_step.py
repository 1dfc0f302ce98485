"""Stream step benchmark: cost of a tick of many characters, beside stepping one by one and without a KV cache.

python benchmarks/stream_step.py [--weights open] [--characters 1 16 64 128 256] [--threads 2]
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import torch

from motiongen import load
from motiongen.heads.mogo.loss import MogoBatch, loss
from motiongen.streaming.scheduler import StreamScheduler

FRAMES = 120


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--characters", type=int, nargs="+", default=[1, 4, 16, 64, 128, 256])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = load("mogo", args.weights, args.device)
    print(f"{args.threads} threads, {model.head.device}\n")
    print("| characters | s of work a second of stream | ms a character and token | against one by one |")
    print("|---:|---:|---:|---:|")
    alone = work(lambda: StreamScheduler(model, batch_sizes=(1,)), 1)
    for count in args.characters:
        spent = work(partial(StreamScheduler, model, max_characters=count), count)
        print(
            f"| {count} | {spent:.3f} | {spent / count / 7.5 * 1e3:.2f} | {alone * count / spent:.1f} x faster |"
        )
    print(f"\none character in a batch of one: {alone:.3f} s of work a second of stream")
    cached, whole = token_seconds(model)
    ratio = f"{cached * 1e3:.1f} ms, without {whole * 1e3:.1f} ms: {whole / cached:.1f} x"
    print(f"one token of the head with a KV cache {ratio}")


def work(make: Callable[[], StreamScheduler], count: int) -> float:
    """Return the seconds of work for a second of stream of `count` characters."""
    scheduler = make()
    characters = [scheduler.open(prompt="a person walks", seed=n) for n in range(count)]
    play(scheduler, characters, 24)
    began = time.perf_counter()
    play(scheduler, characters, FRAMES)
    return (time.perf_counter() - began) / (FRAMES / scheduler.fps)


def play(scheduler: StreamScheduler, characters: list, frames: int) -> None:
    for _ in range(frames):
        for character in characters:
            while character.take() is None:
                scheduler.tick()


@torch.no_grad()
def token_seconds(model) -> tuple[float, float]:
    """Return the seconds for a token of one stream with a full window: by a step, and by recomputing the window."""
    head, window = model.head, model.head.config.window
    scheduler = StreamScheduler(model, batch_sizes=(1,))
    character = scheduler.open(prompt="a person walks")
    play(scheduler, [character], 4 * window)
    streams = scheduler.workers[0]._batches[0]
    codes = torch.zeros(2, window, head.config.num_quantizers, dtype=torch.long, device=head.device)
    position = torch.arange(window + 1, device=head.device).expand(2, -1)
    batch = MogoBatch(
        codes=codes,
        lengths=torch.full((2,), window, device=head.device),
        ended=torch.zeros(2, dtype=torch.bool, device=head.device),
        is_cut=torch.ones(2, dtype=torch.bool, device=head.device),
        condition=model.text.encode(["a person walks"] * 2),
        drop_text=torch.zeros(2, 1, dtype=torch.bool, device=head.device),
        segment=torch.zeros_like(position),
        age=position,
        remaining=torch.zeros_like(position),
    )
    generator = torch.Generator().manual_seed(0)
    return seconds(lambda: streams.step([0])), seconds(lambda: loss(head, batch, generator))


def seconds(call: Callable[[], object], repeats: int = 20) -> float:
    call()
    began = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - began) / repeats


if __name__ == "__main__":
    main()
