"""What a stream shows in the two seconds after its prompt changed, and how hard the seam jerks, beside real clips.

python benchmarks/switches.py --data CACHE [--weights full] [--prompts 128]
"""

import argparse

import numpy as np
import torch

from motiongen import features, load
from motiongen.data.cache import ClipCache
from motiongen.evaluation import classifier
from motiongen.evaluation.questions import choose_questions
from motiongen.evaluation.switches import SEAM, SHOWN, Switch, real_peaks, recognised, summarise, switches
from motiongen.motion import Motion
from motiongen.streaming.scheduler import StreamScheduler


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", default="full")
    parser.add_argument("--classifier", default="benchmarks/evaluation/classifier")
    parser.add_argument("--prompts", type=int, default=128)
    args = parser.parse_args()
    cache, judge = ClipCache.open(args.data), classifier.load(args.classifier)
    questions = choose_questions(cache, args.prompts, torch.Generator().manual_seed(0))
    model = load("mogo", args.weights)
    from_rest, switched = switches(lambda: StreamScheduler(model, batch_sizes=(1,)), questions)

    clips = [(q, cache.features(q.clip, q.mirrored)) for q in questions]
    peaks = real_peaks(cache, [q.clip for q in questions], torch.Generator().manual_seed(0))
    beginnings = [Switch(q, features.decode(clip[:SHOWN])) for q, clip in clips if len(clip) > sum(SEAM)]
    real = summarise(beginnings, judge) | {
        "peak": float(np.median(peaks)),
        "peak_95": float(np.quantile(peaks, 0.95)),
    }
    cuts = [Switch(b.question, _cut(a, b)) for a, b in zip(from_rest, beginnings, strict=False)]
    rows = {
        "real clips, first 2 s": real,
        "a hard cut between real clips": summarise(cuts, judge, SEAM[0]),
        "stream, first 2 s": summarise(from_rest, judge),
        "stream, 2 s after a switch": summarise(switched, judge, SEAM[0]),
    }
    whole = recognised(judge, [(q.content, clip) for q, clip in clips])
    print(f"content recognised of whole real clips: {whole:.1%}\n")
    print("| | content | peak acceleration, m/s² | 95th percentile | skate, m/s |\n|---|---:|---:|---:|---:|")
    for name, row in rows.items():
        print(
            f"| {name} | {row['content']:.1%} | {row['peak']:.0f} | {row['peak_95']:.0f} | {row['skate']:.3f} |"
        )


def _cut(before: Switch, after: Switch) -> Motion:
    """The end of one motion and then another, as if nobody blended them."""
    return before.motion[-SEAM[0] :].concatenate(after.motion, blend=0.0)


if __name__ == "__main__":
    main()
