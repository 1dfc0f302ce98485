"""``motiongen evaluate [dance] --data CACHE``: metrics of a model beside those of real held-out clips."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from motiongen.cli import UsageError, arguments, choices
from motiongen.evaluation.config import DanceEvaluateConfig, EvaluateConfig

if TYPE_CHECKING:
    from motiongen.evaluation.dance_report import DanceGenerator
    from motiongen.inference.dance_model import DanceModel


@dataclass(frozen=True, kw_only=True)
class EvaluateRun:
    """Measure a model on the held-out clips and captions of a cache, beside real clips and simple baselines.

    The evaluator is trained on the same cache: motiongen train evaluator. The table is Markdown. Dances
    have metrics of their own: motiongen evaluate dance --help.
    """

    data: Annotated[Path, tyro.conf.arg(metavar="CACHE")]
    """Cache that motiongen prepare wrote."""
    evaluator: Annotated[Path, tyro.conf.arg(metavar="DIR")]
    """Folder of the trained evaluator."""
    classifier: Annotated[
        Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: a new one)")
    ] = None
    """Folder of a classifier of contents and styles; default: a new one is trained on the cache and not saved."""
    output: Annotated[
        Path | None, tyro.conf.arg(aliases=["-o"], metavar="DIR", help_behavior_hint="(optional)")
    ] = None
    """Folder for report.md and report.json."""
    head: Annotated[str, choices.head("words")] = "bamm"
    weights: arguments.Weights = "open"
    memory: arguments.Memory = None
    device: arguments.Device = "auto"
    """Device of the models."""
    engine: Literal["local", "ray"] = "local"
    """Where motions are generated: on this machine, or on a Ray cluster (needs motiongen[ray])."""
    workers: Annotated[int, tyro.conf.arg(metavar="N")] = 1
    """Number of processes, or of tasks at a time on Ray; 0 for one per core. Each has the model in memory."""
    ask: EvaluateConfig = field(default_factory=EvaluateConfig)
    """Sample sizes."""

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise UsageError(f"workers: expected 0 or more, got {self.workers}; 0 is one per core")


@dataclass(frozen=True, kw_only=True)
class DanceRun:
    """Measure dances to the songs of held-out dances of a cache, beside the real dances and a retrieval baseline."""

    data: Annotated[Path, tyro.conf.arg(metavar="CACHE")]
    """Cache with dances that motiongen prepare wrote; their music is synthesised at first use."""
    output: Annotated[
        Path | None, tyro.conf.arg(aliases=["-o"], metavar="DIR", help_behavior_hint="(optional)")
    ] = None
    """Folder for report.md and report.json."""
    weights: tuple[str, ...] = ("open",)
    """Weight sets (as in motiongen dance, or NAME=FOLDER), one row of the table for each of their spaces."""
    steps: Annotated[int | None, arguments.by_model("N")] = None
    """Denoising steps."""
    guidance: Annotated[float | None, arguments.by_model("SCALE")] = None
    """Classifier-free guidance scale of the music; 1 for no guidance."""
    device: arguments.Device = "auto"
    """Device of the models."""
    ask: DanceEvaluateConfig = field(default_factory=DanceEvaluateConfig)
    """Sample sizes."""


def main(argv: Sequence[str]) -> None:
    """Run ``motiongen evaluate``."""
    if argv and argv[0] == "dance":
        _dance(arguments.parse(DanceRun, argv[1:], "evaluate dance"))
    else:
        _words(arguments.parse(EvaluateRun, argv, "evaluate"))


def _dance(run: DanceRun) -> None:
    if run.output is not None:
        arguments.check_new_folder(run.output)
    arguments.check_input_folders(run.data)
    device = arguments.resolve_device(run.device)
    from motiongen.data.cache import ClipCache
    from motiongen.data.dance_bank import DanceBank
    from motiongen.evaluation.dance_report import evaluate_dances
    from motiongen.inference.load import load_dance, spaces_of

    generators = {}
    for given in run.weights:
        name, _, folder = given.rpartition("=")
        for space in spaces_of(folder):
            generators[f"{name or folder}, {space}"] = _dance_generator(
                load_dance(space, folder, device), run
            )
    report = evaluate_dances(DanceBank.open(ClipCache.open(run.data)), generators, run.ask)
    if run.output is not None:
        report.save(run.output)
    print(report.markdown(), end="")


def _dance_generator(model: "DanceModel", run: DanceRun) -> "DanceGenerator":
    """Return the function that dances with a model as the options say."""
    options = model.spec.options().adjusted(run.guidance, run.steps)
    return lambda music, seed: model.dance(music, seed=seed, options=options)


def _words(run: EvaluateRun) -> None:
    if run.output is not None:
        arguments.check_new_folder(run.output)
    arguments.check_input_folders(run.data, run.evaluator, run.classifier)
    device = arguments.resolve_device(run.device)
    from motiongen import checkpoint
    from motiongen.data.cache import ClipCache
    from motiongen.engines import opened
    from motiongen.evaluation import classifier
    from motiongen.evaluation.evaluator import MotionTextEvaluator
    from motiongen.evaluation.generation import BatchMaker
    from motiongen.evaluation.report import evaluate
    from motiongen.inference.load import load_words
    from motiongen.inference.weight_sets import from_anywhere

    cache = ClipCache.open(run.data)
    evaluator = checkpoint.load(run.evaluator, MotionTextEvaluator)
    memory = None if run.memory is None else from_anywhere(run.memory)
    load = partial(load_words, run.head, from_anywhere(run.weights), device, memory=memory)
    labels = classifier.train_classifier(cache) if run.classifier is None else classifier.load(run.classifier)
    with opened(run.engine, partial(BatchMaker, load), run.workers) as generate:
        report = evaluate(cache, load(), evaluator, labels, run.ask, run=generate)
    if run.output is not None:
        report.save(run.output)
    print(report.markdown(), end="")
