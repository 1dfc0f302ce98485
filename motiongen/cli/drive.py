"""``motiongen drive humanoid|g1 PROMPT|CLIP|ws://HOST:PORT``: a motion moves a simulated robot."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from motiongen.cli import UsageError, arguments
from motiongen.cli.progress import bar

if TYPE_CHECKING:
    from motiongen_sim.drive import DriveReport

_MOST_CLIPPED = 6
"""Joints that a table names, of those that their limits held back."""


@dataclass(frozen=True, kw_only=True)
class DriveConfig:
    """Let a robot follow a motion in physics: how closely, and how long it keeps on its feet.

    The motion is made from words, read from a file, or comes live from motiongen serve. Joints are moved by stable PD
    control at 240 Hz. What helps the robot to stay up is said with every result.
    """

    robot: Annotated[tyro.conf.Positional[Literal["humanoid", "g1"]], tyro.conf.arg(metavar="humanoid|g1")]
    """PyBullet's humanoid, or Unitree's G1 (needs motiongen[g1])."""
    source: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROMPT|CLIP|ws://…")]
    """A sentence, a file of motion, or a server's address."""
    root_assist: Annotated[float, tyro.conf.arg(metavar="0…1")] = 1.0
    """Strength of a helper force on the root, which no robot has: 0 is none, 1 holds it up."""
    fixed_base: bool = False
    """Bolt the pelvis down, upright, feet off the floor."""
    upper_body: bool = False
    """Bolt the pelvis down, and let the legs hang still: only waist, arms and head follow."""
    prompt: Annotated[str, tyro.conf.arg(metavar="PROMPT")] = "a person walks"
    """What a server's character does."""
    seconds: Annotated[
        float | None, tyro.conf.arg(metavar="S", help_behavior_hint="(default: all of it; 10 of a stream)")
    ] = None
    """How long."""
    seed: int = 0
    """Of the motion that is made."""
    weights: arguments.Weights = "full"
    """full (non-commercial), open (free sources, may be used in products), or a folder of your own."""
    token: Annotated[
        str, tyro.conf.arg(help_behavior_hint="(default: MOTIONGEN_TOKEN of the environment)")
    ] = ""
    """Secret that the server wants."""
    gui: bool = False
    """Show it live, in PyBullet's window."""
    output: Annotated[
        Path | None, tyro.conf.arg(aliases=["-o"], metavar="OUT.mp4", help_behavior_hint="(optional)")
    ] = None
    """Video to write: the robot, and in grey beside it where it should be."""
    report: Annotated[Path | None, tyro.conf.arg(metavar="OUT.json", help_behavior_hint="(optional)")] = None
    """File for all that was found, as JSON."""
    size: arguments.Size = None
    """Width and height of the video, pixels."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.root_assist <= 1.0:
            raise UsageError(f"root-assist: expected 0 (none) to 1 (full), got {self.root_assist}")
        if self.seconds is not None and not 0 < self.seconds <= 600:
            raise UsageError(f"seconds: expected 0 < S <= 600, got {self.seconds}; or leave it out")
        arguments.check_size(self.size)


def main(argv: Sequence[str]) -> None:
    """Drive, print a table, and write what is asked for."""
    config = arguments.parse(DriveConfig, argv, "drive")
    if config.output is not None:
        arguments.check_outputs([config.output], [".mp4"])
    if config.report is not None:
        arguments.check_outputs([config.report], [".json"])
    try:
        from motiongen_sim.drive import drive, is_address, is_file
    except ModuleNotFoundError as error:
        if error.name in ("gymnasium", "pybullet"):
            raise ImportError(
                f"drive: {error.name} is not installed; run pip install 'motiongen[sim]'"
            ) from error
        raise
    if is_address(config.source):
        arguments.check_prompts([config.prompt])
    elif is_file(config.source):
        arguments.check_inputs(Path(config.source))
    else:
        arguments.check_prompts([config.source])
    with bar(config.robot) as progress:
        report = drive(
            config.robot,
            config.source,
            root_assist=config.root_assist,
            fixed_base=config.fixed_base,
            upper_body=config.upper_body,
            prompt=config.prompt,
            seconds=config.seconds,
            seed=config.seed,
            weights=config.weights,
            token=config.token or os.environ.get("MOTIONGEN_TOKEN"),
            output=config.output,
            size=config.size or (640, 480),
            window=config.gui,
            progress=progress,
        )
    print(table(report), flush=True)
    if config.report is not None:
        report.save(config.report)
    arguments.report(path for path in (config.output, config.report) if path is not None)


def table(report: "DriveReport") -> str:
    """Return a report in a few lines."""
    held = "fell" if report.fell else "to the end"
    rows = {
        "robot": report.robot,
        "motion": f"{report.source}, {report.seconds:.1f} s",
        "assistance": report.assistance,
        "upright": f"{report.upright:.1f} s, {held}" if report.held == "free" else "cannot fall",
        "tracking error": f"{report.mean_error:.2f}° mean over joints and frames, {report.peak_error:.1f}° at most",
        "worst joint": f"{report.worst_joint}, {report.worst_error:.2f}° mean",
        "clipped": _clipped(report),
        "speed": f"{report.real_time_factor:.1f} x real time at 240 Hz",
    }
    if report.dropped:
        rows["left out"] = f"{report.dropped} frames of the stream"
    width = max(map(len, rows)) + 2
    return "\n".join(f"{name:<{width}}{said}" for name, said in rows.items())


def _clipped(report: "DriveReport") -> str:
    """Return which joints their limits held back, the worst first."""
    worst = sorted(report.clipping.items(), key=lambda item: -item[1].worst)
    said = [f"{name} {clip.worst:.0f}° in {clip.share:.0%} of frames" for name, clip in worst[:_MOST_CLIPPED]]
    if len(worst) > _MOST_CLIPPED:
        said.append(f"{len(worst) - _MOST_CLIPPED} more")
    return ", ".join(said) or "no joint"
