"""``motiongen train MODEL --data CACHE -o DIR``: trains one model of a weight set."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field, fields, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import tyro

from motiongen.cli import UsageError, arguments
from motiongen.evaluation.evaluator_config import EvaluatorTraining
from motiongen.heads import HEADS
from motiongen.registry import suggest
from motiongen.training.run import PolicyTraining, TrainingRun
from motiongen.training.tokenizer_config import TokenizerTraining

if TYPE_CHECKING:
    from motiongen.training.loop import Recipe
    from motiongen.training.processes import Processes


SHARED = """Several processes, of one machine or many, share the batches of each step:
  torchrun --nproc-per-node 2 -m motiongen train MODEL … --accumulate 2"""


def trainings() -> dict[str, type[TrainingRun]]:
    """Return the training options of each model, by name, in the order of training."""
    of_heads = {name: spec.training for name, spec in HEADS.items() if spec.training is not None}
    return {"tokenizer": TokenizerTraining, **of_heads, "evaluator": EvaluatorTraining}


def main(argv: Sequence[str]) -> None:
    """Run ``motiongen train``; Ctrl-C saves a checkpoint, and --resume continues from it.

    Under torchrun (``torchrun --nproc-per-node 2 -m motiongen train …``) the processes share the batches of each step.
    """
    with _told_once():
        _main(argv)


@contextmanager
def _told_once() -> Iterator[None]:
    """Leave it to one process of each machine to tell why a training ends, which is the same for all of them."""
    try:
        yield
    except (KeyboardInterrupt, ValueError, ChildProcessError) as error:
        if os.environ.get("LOCAL_RANK", "0") == "0":
            raise
        raise SystemExit(130 if isinstance(error, KeyboardInterrupt) else 1) from error


def _main(argv: Sequence[str]) -> None:
    runs = trainings()
    name, options = (argv[0], list(argv[1:])) if argv else ("", [])
    if name in ("-h", "--help"):
        print(
            f"usage: motiongen train {'|'.join(runs)} --data DIR -o DIR [options]\n\n{_purposes(runs)}\n\n{SHARED}"
        )
        return
    if name not in runs:
        nearest = suggest(name, runs)
        hint = f"did you mean {nearest!r}?" if nearest else f"models: {', '.join(runs)}"
        raise UsageError(f"train: expected a model, got {name!r}; {hint}")
    if not any(word.split("=")[0] in ("--steps", "--minutes") for word in options):
        options += ["--minutes", "60"]
    run = arguments.parse(_command(runs[name]), options, f"train {name}")
    arguments.check_new_folder(run.output)
    arguments.check_input_folders(*run.inputs(), run.start_from)
    from motiongen.training.processes import joined

    with joined(run.device) as processes:
        _train(name, run, processes)


def _train(name: str, run: TrainingRun, processes: "Processes") -> None:
    resumes = run.resumes()
    device = arguments.resolve_device(run.device)
    import torch

    from motiongen.training.loop import Trainer

    torch.manual_seed(run.schedule.seed)  # for the initial weights of the model
    recipe = _recipe(run, processes)
    trainer = Trainer(recipe, run.own_schedule(), run.folder(name), device)
    metrics = trainer.run(resumes)
    if not processes.is_first:
        return
    run.describe()
    for key, value in metrics.items():
        print(f"{key:<32} {value:.4g}")
    print(run.folder(name))


def _command(run: type[TrainingRun]) -> type[TrainingRun]:
    """Return training options with the command line's names for some of them, and without defaults that say nothing."""
    output = Annotated[
        Path,
        tyro.conf.arg(
            aliases=["-o"],
            metavar="DIR",
            help="Folder for weights, checkpoint and log.",
        ),
    ]
    hints = get_type_hints(run, include_extras=True)
    silent: list[tuple[str, Any, Any]] = [
        (
            item.name,
            Annotated[hints[item.name], tyro.conf.arg(help_behavior_hint="")],
            field(default=item.default),
        )
        for item in fields(run)
        if item.default is None or item.default == ""
    ]
    command = make_dataclass(
        run.__name__, [("output", output, field()), *silent], bases=(run,), frozen=True, kw_only=True
    )
    command.__doc__ = run.__doc__
    return command


def _recipe(run: TrainingRun, processes: "Processes") -> "Recipe":
    if not isinstance(run, PolicyTraining):
        with processes.first_alone():  # codes of the cache and the like are computed once, and then read
            recipe = run.build()
        run.start(recipe.model)
        return recipe
    from motiongen_datasets import lerobot

    data = lerobot.read_all(run.data, run.cameras(), run.chosen_columns, one_camera=bool(run.image_size))
    return run.build_from(data)


def _purposes(runs: dict[str, type[TrainingRun]]) -> str:
    return "\n".join(f"  {name:<10} {(run.__doc__ or '').splitlines()[0]}" for name, run in runs.items())
