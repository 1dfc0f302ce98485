"""Prompt switches of a stream beside real clips: recognised content in two seconds, and peak acceleration at the seam.

python benchmarks/switches.py --data CACHE [--weights full] [--prompts 128]
"""

import argparse

import numpy as np
import torch

from motiongen import features, load
from motiongen.data.cache import ClipCache
from motiongen.evaluation import classifier
from motiongen.evaluation.prompts import choose_prompts
from motiongen.evaluation.switches import SEAM, SHOWN, Switch, real_peaks, recognised, summarise, switches
from motiongen.motion import Motion
from motiongen.streaming.scheduler import StreamScheduler


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--classifier", default="benchmarks/evaluation/classifier")
    parser.add_argument("--prompts", type=int, default=128)
    args = parser.parse_args()
    cache, labels = ClipCache.open(args.data), classifier.load(args.classifier)
    prompts = choose_prompts(cache, args.prompts, torch.Generator().manual_seed(0))
    model = load("mogo", args.weights)
    from_rest, switched = switches(lambda: StreamScheduler(model, batch_sizes=(1,)), prompts)

    clips = [(p, cache.features(p.clip, p.mirrored)) for p in prompts]
    peaks = real_peaks(cache, [p.clip for p in prompts], torch.Generator().manual_seed(0))
    beginnings = [Switch(p, features.decode(clip[:SHOWN])) for p, clip in clips if len(clip) > sum(SEAM)]
    real = summarise(beginnings, labels) | {
        "peak": float(np.median(peaks)),
        "peak_95": float(np.quantile(peaks, 0.95)),
    }
    cuts = [Switch(b.prompt, _cut(a, b)) for a, b in zip(from_rest, beginnings, strict=False)]
    rows = {
        "real clips, first 2 s": real,
        "a hard cut between real clips": summarise(cuts, labels, SEAM[0]),
        "stream, first 2 s": summarise(from_rest, labels),
        "stream, 2 s after a switch": summarise(switched, labels, SEAM[0]),
    }
    whole = recognised(labels, [(p.content, clip) for p, clip in clips])
    print(f"content recognised of whole real clips: {whole:.1%}\n")
    print("| | content | peak acceleration, m/s² | 95th percentile | skate, m/s |\n|---|---:|---:|---:|---:|")
    for name, row in rows.items():
        print(
            f"| {name} | {row['content']:.1%} | {row['peak']:.0f} | {row['peak_95']:.0f} | {row['skate']:.3f} |"
        )


def _cut(before: Switch, after: Switch) -> Motion:
    """Return the end of one motion followed by another, without blending."""
    return before.motion[-SEAM[0] :].concatenate(after.motion, blend=0.0)


if __name__ == "__main__":
    main()
