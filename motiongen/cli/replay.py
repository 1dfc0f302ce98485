"""``motiongen replay DIR --policy NAME|DIR``: shows a policy a recording, and measures its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from motiongen.cli import UsageError, arguments, simulation
from motiongen.cli.progress import bar
from motiongen.data.columns import Columns, parse_columns

if TYPE_CHECKING:
    from motiongen_sim.recording_replay import ReplayReport


@dataclass(frozen=True, kw_only=True)
class ReplayConfig:
    """Show a policy the observations of a recording, and print how far its actions are from those recorded.

    It needs no simulator: a first check of a policy of your own robot, on demonstrations that it was not trained on.
    """

    data: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """LeRobot dataset (v2 or v3)."""
    policy: Annotated[str, tyro.conf.arg(metavar="NAME|DIR")]
    """Policy: one of those of motiongen models, or a folder of your own."""
    columns: Annotated[str, tyro.conf.arg(metavar="ROLES", help_behavior_hint="(optional)")] = ""
    """Columns of the dataset, as in the training: state=…,action=…,image=…."""
    camera: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="(optional)")] = None
    """Name of the camera, as in the training; default: the only one that shows colours."""
    episodes: Annotated[int, tyro.conf.arg(metavar="N")] = 10
    """Number of episodes, the last ones of the dataset: a training holds some of these out."""
    device: arguments.Device = "cpu"
    """Device of the policy."""

    def __post_init__(self) -> None:
        if self.episodes < 1:
            raise UsageError(f"episodes: expected 1 or more, got {self.episodes}")
        if self.chosen_columns.image and self.camera:
            raise UsageError(f"camera: expected one, got {self.camera} and that of --columns; leave one out")

    @property
    def chosen_columns(self) -> Columns:
        """The columns by their role. Raises UsageError where the option has another form."""
        try:
            return parse_columns(self.columns)
        except ValueError as error:
            raise UsageError(str(error)) from error


def main(argv: Sequence[str]) -> None:
    """Replay, and print a table."""
    config = arguments.parse(ReplayConfig, argv, "replay")
    arguments.check_input_folders(config.data)
    device = arguments.resolve_device(config.device)
    with simulation.needs_sim("replay"):
        report = _replay(config, device)
    print(table(report))


def _replay(config: ReplayConfig, device: str) -> "ReplayReport":
    from motiongen.inference.load import load_policy
    from motiongen_datasets import lerobot
    from motiongen_sim.recording_replay import replay

    columns, cameras = config.chosen_columns, None if config.camera is None else (config.camera,)
    sees = load_policy(config.policy, device).head.config.image_size > 0
    if sees:
        (recording,) = lerobot.read_all([config.data], cameras, columns, one_camera=True)
    else:
        recording = lerobot.read(config.data, (), columns=columns)
    count = len(recording.lengths)
    last = range(max(count - config.episodes, 0), count)
    with bar("replay") as progress:
        return replay(config.policy, recording, last, device, progress)


def table(report: "ReplayReport") -> str:
    """Return a report in a few lines."""
    width = max(map(len, (*report.names, "action"))) + 2
    lines = [
        f"{report.policy} shown {report.episodes} episodes, {report.frames} frames",
        f"{'action':<{width}}{'error':>10}{'of range':>10}{'of the mean action':>20}",
    ]
    rows = zip(report.names, report.errors, report.ranges, report.errors_of_mean, strict=True)
    for name, error, extent, of_mean in rows:
        share = f"{error / extent:.1%}" if extent else "-"
        lines.append(f"{name:<{width}}{error:>10.4g}{share:>10}{of_mean:>20.4g}")
    return "\n".join(lines)
