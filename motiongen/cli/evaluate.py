"""``motiongen evaluate [dance] --data CACHE``: a model against real held-out clips, as one table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from motiongen.cli import arguments
from motiongen.evaluation.config import DanceEvaluateConfig, EvaluateConfig
from motiongen.evaluation.dance_report import Dancer
from motiongen.evaluation.report import evaluate


@dataclass(frozen=True, kw_only=True)
class EvaluateRun:
    """Measure a model on the held-out clips and captions of a cache, beside real clips and simple baselines.

    The evaluator is trained on the same cache: motiongen train evaluator. The table is Markdown. Dances have a judge of
    their own: motiongen evaluate dance --help.
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


@dataclass(frozen=True, kw_only=True)
class DanceRun:
    """Measure dances on the songs of the held-out dances of a cache, beside those dances and retrieved ones."""

    data: Annotated[Path, tyro.conf.arg(metavar="CACHE")]
    """Cache that motiongen prepare wrote, with dances in it; their music is made at the first use."""
    output: Annotated[
        Path | None, tyro.conf.arg(aliases=["-o"], metavar="DIR", help_behavior_hint="(optional)")
    ] = None
    """Folder for report.md and report.json."""
    weights: tuple[str, ...] = ("full",)
    """full, open, folders of your own, or NAME=FOLDER: all are put in one table, in each space that they have."""
    steps: Annotated[int | None, arguments.by_model("N")] = None
    """Steps of denoising."""
    guidance: Annotated[float | None, arguments.by_model("SCALE")] = None
    """How strictly to follow the music."""
    device: arguments.Device = "auto"
    """Where to compute."""
    ask: DanceEvaluateConfig = field(default_factory=DanceEvaluateConfig)
    """How much to ask."""


def main(argv: Sequence[str]) -> None:
    """Evaluate one model and print its table."""
    if argv and argv[0] == "dance":
        _dance(arguments.parse(DanceRun, argv[1:], "evaluate dance"))
    else:
        _words(arguments.parse(EvaluateRun, argv, "evaluate"))


def _dance(run: DanceRun) -> None:
    if run.output is not None:
        arguments.check_new_folder(run.output)
    device = arguments.resolve_device(run.device)
    from motiongen.data.cache import ClipCache
    from motiongen.data.dance_bank import DanceBank
    from motiongen.evaluation.dance_report import evaluate_dances
    from motiongen.heads.badm.config import BADMOptions
    from motiongen.inference.dance_model import DanceModel
    from motiongen.inference.load import load_dance, spaces_of

    options = BADMOptions().adjusted(run.guidance, run.steps)

    def dancer(model: DanceModel) -> Dancer:
        return lambda music, seed: model.dance(music, seed=seed, options=options)

    dancers = {}
    for given in run.weights:
        name, _, folder = given.rpartition("=")
        for space in spaces_of(folder):
            dancers[f"{name or folder}, {space}"] = dancer(load_dance(space, folder, device))
    report = evaluate_dances(DanceBank.open(ClipCache.open(run.data)), dancers, run.ask)
    if run.output is not None:
        report.save(run.output)
    print(report.markdown(), end="")


def _words(run: EvaluateRun) -> None:
    if run.output is not None:
        arguments.check_new_folder(run.output)
    arguments.resolve_device(run.device)
    from motiongen import checkpoint
    from motiongen.data.cache import ClipCache
    from motiongen.evaluation import classifier
    from motiongen.evaluation.evaluator import MotionTextEvaluator
    from motiongen.inference.load import load_words

    cache = ClipCache.open(run.data)
    judge = checkpoint.load(run.evaluator, MotionTextEvaluator)
    model = load_words(run.head, run.weights, run.device)
    labels = classifier.train_classifier(cache) if run.classifier is None else classifier.load(run.classifier)
    report = evaluate(cache, model, judge, labels, run.ask)
    if run.output is not None:
        report.save(run.output)
    print(report.markdown(), end="")
