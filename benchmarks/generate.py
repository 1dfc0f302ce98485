"""Generation benchmark of BAMM: seconds for a clip with a loaded model, and decoding with and without a KV cache.

python benchmarks/generate.py [--weights full] [--runs 5]
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from motiongen import load
from motiongen.heads.bamm.config import BAMMOptions
from motiongen.inference.model import Model

PROMPT = "a person walks forward, then waves with the right hand"


def median_seconds(work: Callable[[], object], runs: int) -> float:
    """Return the median run time, seconds, after one warm-up run."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


@torch.no_grad()
def decode(model: Model, tokens: int, cached: bool) -> None:
    """Sample first-level codes autoregressively, with guidance."""
    head = model.head
    condition = model.text.encode([PROMPT] * 2)
    context, padding, sentence = head.text(condition, torch.tensor([False, True], device=head.device))
    memory = head.transformer.make_context(context, padding)
    x = head.first_token(sentence, torch.zeros(2, dtype=torch.long, device=head.device))  # (2, 1, D)
    state = head.transformer.init_state(2, tokens + 1, memory)
    whole = x
    for _ in range(tokens):
        if cached:
            features = head.transformer.step(x, state)[:, -1]
        else:
            features = head.transformer(whole, memory, causal=True)[:, -1]
        code = head.logits(features)[:1, : head.config.codebook_size].argmax(-1).repeat(2)  # (2,)
        x = head.embed(code[:, None])
        whole = torch.cat([whole, x], dim=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    start = time.perf_counter()
    model = load("bamm", args.weights, "cpu")
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads; loaded in {time.perf_counter() - start:.1f} s\n"
    )
    print("| once loaded | seconds | beside |\n|---|---|---|")
    for seconds in (2, 6, 10):
        spent = median_seconds(lambda seconds=seconds: model.sequence([PROMPT], seconds=seconds), args.runs)
        print(f"| one clip of {seconds} s | {spent:.2f} | {seconds / spent:.0f} x real time |")
    one_pass = BAMMOptions(refine_share=0.0)
    spent = median_seconds(lambda: model.sequence([PROMPT], seconds=6, options=one_pass), args.runs)
    print(f"| one clip of 6 s, not revised | {spent:.2f} | |")
    spent = median_seconds(lambda: model.sequence([PROMPT], count=16, seconds=6), args.runs)
    print(f"| 16 variants of 6 s | {spent:.2f} | {spent / 16:.2f} s each |")
    for tokens in (45, 75):
        cached, plain = (
            median_seconds(lambda c=c, n=tokens: decode(model, n, c), args.runs) for c in (True, False)
        )
        beside = f"{plain / cached:.1f} x faster than without, {plain:.2f} s"
        print(f"| {tokens} tokens with a KV cache | {cached:.2f} | {beside} |")


if __name__ == "__main__":
    main()
