"""Refinement benchmark: streams whose buffered part is resampled by BAMM, beside streams without refinement.

python benchmarks/refinement.py --data CACHE [--weights full] [--prompts 128] [--leads 8 12 16]

The clock is stopped during computation, so that BAMM has unlimited time: the table shows the largest possible gain for
each lead, and its cost in the last column.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from motiongen import checkpoint, load
from motiongen.data.cache import ClipCache
from motiongen.evaluation import classifier
from motiongen.evaluation.config import EvaluateConfig
from motiongen.evaluation.evaluator import MotionTextEvaluator
from motiongen.evaluation.report import evaluate
from motiongen.features import FPS
from motiongen.inference.model import Model
from motiongen.motion import Motion
from motiongen.streaming.refiner import Refiner
from motiongen.streaming.scheduler import StreamScheduler
from motiongen.streaming.stream import to_motion

EVALUATORS = Path(__file__).parent / "evaluation"
LONGEST = round(6 * FPS)
SHOWN = ("content", "style", "top1", "top3", "fid", "skate_speed", "jerk")


class Streamed:
    """Model for `evaluate` that generates by streaming, up to the end of the motion or for six seconds.

    Attributes:
        refining: seconds spent in ticks with refinement.
        refined: number of refined tokens.
        sampled: number of all tokens.
    """

    def __init__(self, model: Model, lead: int, refiner: Refiner | None) -> None:
        self.tokenizer, self.text = model.tokenizer, model.text
        self._model, self._lead, self._refiner = model, lead, refiner
        self.refining, self.refined, self.sampled = 0.0, 0, 0

    def generate(self, prompts: Sequence[str], *, generator: Sequence[torch.Generator]) -> list[Motion]:
        """Return a motion for each prompt, sampled with the seed of its generator."""
        scheduler = StreamScheduler(
            self._model, batch_sizes=(len(prompts),), lead_tokens=self._lead, refiner=self._refiner
        )
        characters = [
            scheduler.open(prompt=prompt, seed=own.initial_seed())
            for prompt, own in zip(prompts, generator, strict=True)
        ]
        frames: list[list] = [[] for _ in characters]
        ends = [LONGEST] * len(characters)
        for _ in range(LONGEST):
            self._settle(scheduler)
            for n, character in enumerate(characters):
                frames[n].append(character.take())
                ends[n] = min([ends[n], *(e.seq for e in character.events if e.name == "ended")])
        return [to_motion(row[: max(end, 8)]) for row, end in zip(frames, ends, strict=True)]

    def _settle(self, scheduler: StreamScheduler) -> None:
        """Tick until the scheduler is idle."""
        while True:
            began = time.perf_counter()
            report = scheduler.tick()
            self.sampled += report.stepped
            if report.refined:
                self.refined += report.refined
                self.refining += time.perf_counter() - began
            elif not report.stepped:
                return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--prompts", type=int, default=128)
    parser.add_argument("--leads", type=int, nargs="+", default=[8, 12, 16])
    args = parser.parse_args()
    cache, labels = ClipCache.open(args.data), classifier.load(EVALUATORS / "classifier")
    evaluator = checkpoint.load(EVALUATORS / "evaluator", MotionTextEvaluator)
    model, reviser = load("mogo", args.weights), load("bamm", args.weights)
    config = EvaluateConfig(prompts=args.prompts, variant_prompts=0)
    print("| stream | " + " | ".join(SHOWN) + " | written anew | ms a token |")
    print("|---|" + "---:|" * (len(SHOWN) + 2))
    real = evaluate(cache, None, evaluator, labels, config).rows["real clips"]
    print("| real clips | " + " | ".join(f"{real[key]:.3f}" for key in SHOWN) + " | | |", flush=True)
    for lead in (0, *args.leads):
        # Half of the buffer stays for playback while the other half is refined.
        refiner = Refiner(reviser, guard_tokens=lead // 2, min_tokens=max(2, lead // 2)) if lead else None
        streamed = Streamed(model, lead or 3, refiner)
        row = evaluate(cache, streamed, evaluator, labels, config).rows["model"]
        name = f"lead of {lead * model.frames_per_token / FPS:.1f} s, refined" if lead else "not refined"
        share = f"{streamed.refined / streamed.sampled:.0%}"
        cost = f"{streamed.refining / max(streamed.refined, 1) * 1e3:.1f}"
        numbers = " | ".join(f"{row[key]:.3f}" for key in SHOWN)
        print(f"| {name} | {numbers} | {share} | {cost} |", flush=True)


if __name__ == "__main__":
    main()
