"""Training log: progress bar, JSON lines and TensorBoard events."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from motiongen.atomic import naming


class TrainingLog:
    """Shows progress on stderr, and writes `log.jsonl` and, if tensorboard is installed, events.

    Args:
        directory: folder of the files.
        name: of the recipe.
        config: of the training, written to the log.
    """

    def __init__(self, directory: Path, name: str, config: Mapping[str, Any]) -> None:
        console = Console(stderr=True)
        self.interactive = console.is_terminal
        self.file = (directory / "log.jsonl").open("a", encoding="utf-8")
        self.board = _summary_writer(directory)
        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f}%"),
            TimeElapsedColumn(), TextColumn("{task.fields[note]}"), console=console, disable=not self.interactive,
        )  # fmt: skip
        self.task = self.progress.add_task(name, total=1.0, note="")
        self._write({"event": "start", "recipe": name, "config": dict(config)})

    def losses(self, step: int, seconds: float, position: float, losses: Mapping[str, float]) -> None:
        """Log the losses of a step.

        Args:
            step: number of the step.
            seconds: training time so far.
            position: share of the run that is done, 0..1.
            losses: by name; `loss` is shown.
        """
        left = seconds * (1 - position) / max(position, 1e-9)
        note = f"step {step}  loss {losses['loss']:.4f}  {step / max(seconds, 1e-9):.2f} steps/s  ETA {_clock(left)}"
        self.progress.update(self.task, completed=position, note=note)
        self._write({"event": "losses", "step": step, "seconds": round(seconds, 1), **_rounded(losses)})
        self._board(step, losses, "train")
        if not self.interactive:
            print(f"{100 * position:5.1f}%  {note}", file=sys.stderr, flush=True)

    def metrics(self, step: int, seconds: float, metrics: Mapping[str, float]) -> None:
        """Log held-out metrics, by name, at a step."""
        self._write({"event": "metrics", "step": step, "seconds": round(seconds, 1), **_rounded(metrics)})
        self._board(step, metrics, "held_out")
        shown = "  ".join(f"{key} {value:.4g}" for key, value in metrics.items())
        self.progress.console.print(f"step {step}: {shown}", soft_wrap=True)

    def _write(self, record: Mapping[str, Any]) -> None:
        with naming(self.file.name):
            self.file.write(json.dumps(record) + "\n")
            self.file.flush()

    def _board(self, step: int, values: Mapping[str, float], kind: str) -> None:
        if self.board is not None:
            for key, value in values.items():
                self.board.add_scalar(f"{kind}/{key}", value, step)

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()
        self.file.close()
        if self.board is not None:
            self.board.close()


def _summary_writer(directory: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:  # tensorboard is in the extra [train]
        return None
    return SummaryWriter(str(directory / "events"))


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {key: float(f"{value:.6g}") for key, value in values.items()}


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
