"""``motiongen evaluate --data CACHE --evaluator DIR``: a model against real held-out clips, as one table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from motiongen.cli import arguments
from motiongen.evaluation.report import EvaluateConfig, evaluate


@dataclass(frozen=True, kw_only=True)
class EvaluateRun:
    """Measure a model on the held-out clips and captions of a cache, beside real clips and simple baselines.

    The evaluator is trained on the same cache: motiongen train evaluator. The table is Markdown.
    """

    data: Annotated[Path, tyro.conf.arg(metavar="CACHE")]
    """Cache that motiongen prepare wrote."""
    evaluator: Annotated[Path, tyro.conf.arg(metavar="DIR")]
    """Folder of the trained evaluator."""
    classifier: Annotated[
        Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: a new one)")
    ] = None
    """Folder of the classifier of contents and styles; without it one is fitted to the cache, and kept nowhere."""
    output: Annotated[
        Path | None, tyro.conf.arg(aliases=["-o"], metavar="DIR", help_behavior_hint="(optional)")
    ] = None
    """Folder for report.md and report.json."""
    head: Literal["bamm", "mogo"] = "bamm"
    """The model that turns words into codes."""
    weights: arguments.Weights = "full"
    """full, open, or a folder of your own."""
    device: arguments.Device = "auto"
    """Where to compute."""
    ask: EvaluateConfig = field(default_factory=EvaluateConfig)
    """How much to ask."""


def main(argv: Sequence[str]) -> None:
    """Evaluate one model and print its table."""
    run = arguments.parse(EvaluateRun, argv, "evaluate")
    if run.output is not None:
        arguments.check_new_folder(run.output)
    device = arguments.resolve_device(run.device)
    from motiongen import checkpoint
    from motiongen.evaluation import classifier
    from motiongen.evaluation.evaluator import MotionTextEvaluator
    from motiongen.inference.model import load
    from motiongen.training.cache import ClipCache

    cache = ClipCache.open(run.data)
    judge = checkpoint.load(run.evaluator, MotionTextEvaluator)
    model = load(run.head, run.weights, device)
    labels = classifier.train_classifier(cache) if run.classifier is None else classifier.load(run.classifier)
    report = evaluate(cache, model, judge, labels, run.ask)
    if run.output is not None:
        report.save(run.output)
    print(report.markdown(), end="")
