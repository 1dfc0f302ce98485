"""CUDA benchmark: codes beside those of the CPU, and how many characters a device carries; at most eight minutes.

python -m benchmarks.cuda [--weights open] [--minutes 8]

Without a CUDA device it says so in a line. `--device cpu` tries the script itself.
"""

import argparse
import sys
import time
from functools import partial

import torch
from torch import Tensor

from benchmarks.step_kinds import PROMPTS, Plain, write
from benchmarks.stream_step import work
from motiongen import load
from motiongen.inference.model import Model
from motiongen.step_compiler import StepCompiler
from motiongen.streaming.scheduler import StreamScheduler

STREAMS, TOKENS = 8, 60
CLIPS, CLIP_TOKENS = 16, 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--characters", type=int, nargs="+", default=[64, 256, 1024, 4096])
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        sys.exit("cuda: expected a CUDA device, found none; nothing was measured")
    end = time.monotonic() + 60 * args.minutes
    name = torch.cuda.get_device_name() if args.device == "cuda" else args.device
    print(f"torch {torch.__version__}, {name}\n")
    print("| codes against the CPU's, plain | differ, first level | all levels |\n|---|---:|---:|")
    for title, right, codes in (*clips(args), *streams(args)):
        differs = codes != right  # (..., Q)
        print(
            f"| {title} | {differs[..., 0].float().mean():.2%} | {differs.float().mean():.2%} |", flush=True
        )
    print("\n| characters in one block | s of work a second of stream | times real time |\n|---:|---:|---:|")
    model, spent = load("mogo", args.weights, args.device), 0.0
    for count in args.characters:
        # A block takes at most as much longer as it is larger, here four times, and its start three times that.
        if spent >= 1 or time.monotonic() + 80 * spent > end:
            print(
                f"| {count} | not run: {'the last one fell behind' if spent >= 1 else 'no time is left'} | |"
            )
            break
        make = partial(StreamScheduler, model, max_characters=count, batch_sizes=(count,))
        spent = work(make, count)
        print(f"| {count} | {spent:.3f} | {1 / spent:.1f} |", flush=True)


def clips(args: argparse.Namespace) -> list[tuple[str, Tensor, Tensor]]:
    """Return BAMM's codes (B * N, Q) of a batch of clips, from the CPU and from the device."""
    right, codes = (sampled(load("bamm", args.weights, device)) for device in ("cpu", args.device))
    return [(f"bamm, {CLIPS} clips of {CLIP_TOKENS} tokens", right, codes)]


def sampled(model: Model) -> Tensor:
    """Return the codes (B * N, Q) that a head samples for clips of one length."""
    condition = model.text.encode([PROMPTS[n % len(PROMPTS)] for n in range(CLIPS)])
    draws = [torch.Generator().manual_seed(n) for n in range(CLIPS)]
    with torch.no_grad():
        return torch.cat(model.sampler.generate(condition, lengths=CLIP_TOKENS, generator=draws)).cpu()


def streams(args: argparse.Namespace) -> list[tuple[str, Tensor, Tensor]]:
    """Return Mogo's codes (tokens, B, Q) of streams with the same past: the CPU's, the device's plain and captured."""
    cpu, model = (load("mogo", args.weights, device) for device in ("cpu", args.device))
    right, _ = write(cpu, whole, Plain, STREAMS, TOKENS, None)
    found = []
    for title, how in (("plain", Plain), ("captured", StepCompiler)):
        codes, _ = write(model, whole, how, STREAMS, TOKENS, right)
        found.append((f"mogo, {STREAMS} streams of {TOKENS} tokens, {title}", right, codes))
    return found


def whole(model: Model) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Return the head and the tokenizer of a model."""
    return model.head, model.tokenizer


if __name__ == "__main__":
    main()
