"""``motiongen drive ROBOT PROMPT|CLIP|ws://HOST:PORT``: a simulated robot tracks a motion."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from motiongen.cli import UsageError, arguments, simulation
from motiongen.cli.progress import bar
from motiongen.cli.reading import AS_IT_IS, FileOptions

if TYPE_CHECKING:
    from motiongen.motion import Motion
    from motiongen_sim.robot_drive import DriveReport

_MOST_CLIPPED = 6
"""Number of clipped joints that a table names."""


@dataclass(frozen=True, kw_only=True)
class DriveConfig:
    """Let a simulated robot track a motion: how closely, and how long it stays upright.

    The motion is made from words, read from a file, or comes live from motiongen serve. Joints are driven by stable PD
    control at 240 Hz. Every result names the assistance against falling. Without any (--root-assist 0) the robot keeps
    its balance by its own motors: it stands, steps where it must, and walks slowly; --no-balance shows it without.
    """

    robot: Annotated[
        tyro.conf.Positional[str],
        tyro.conf.arg(metavar=simulation.robot_names(), help=f"{simulation.robot_descriptions()}."),
    ]
    source: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROMPT|CLIP|ws://…")]
    """A sentence, a file of motion, or a server's address."""
    root_assist: Annotated[float, tyro.conf.arg(metavar="0…1")] = 1.0
    """Strength of a helper force on the root, which no real robot has: 0 is none, 1 holds it up."""
    balance: bool = True
    """Without assistance, keep its balance by its own motors."""
    push: Annotated[float, tyro.conf.arg(metavar="N·S")] = 0.0
    """Impulse that the pelvis is pushed with every 3 s: forwards, to the left, backwards, to the right."""
    fixed_base: bool = False
    """Fix the pelvis, upright, feet off the floor."""
    upper_body: bool = False
    """Fix the pelvis, and let the legs hang still: only waist, arms and head track the motion."""
    prompt: Annotated[str, tyro.conf.arg(metavar="PROMPT")] = "a person walks"
    """Prompt of a server's character."""
    seconds: Annotated[
        float | None, tyro.conf.arg(metavar="S", help_behavior_hint="(default: all of it; 10 of a stream)")
    ] = None
    """Duration."""
    seed: int = 0
    """Seed of a motion from words, or of a server's character."""
    weights: arguments.Weights = "open"
    token: Annotated[
        str, tyro.conf.arg(help_behavior_hint="(default: MOTIONGEN_TOKEN of the environment)")
    ] = ""
    """Secret for the server."""
    gui: bool = False
    """Show it live, in PyBullet's window."""
    output: Annotated[
        Path | None, tyro.conf.arg(aliases=["-o"], metavar="OUT.mp4", help_behavior_hint="(optional)")
    ] = None
    """Video to write: the robot, and in grey beside it the motion that it should track."""
    report: Annotated[Path | None, tyro.conf.arg(metavar="OUT.json", help_behavior_hint="(optional)")] = None
    """File for the whole report, as JSON."""
    size: arguments.Size = None
    """Width and height of the video, pixels."""
    reading: FileOptions = AS_IT_IS

    def __post_init__(self) -> None:
        if not 0.0 <= self.root_assist <= 1.0:
            raise UsageError(f"root-assist: expected 0 (none) to 1 (full), got {self.root_assist}")
        if self.seconds is not None and not 0 < self.seconds <= 600:
            raise UsageError(f"seconds: expected 0 < S <= 600, got {self.seconds}; or leave it out")
        if not 0.0 <= self.push <= 200.0:
            raise UsageError(f"push: expected 0 to 200 N s, got {self.push}")
        arguments.check_size(self.size)


def main(argv: Sequence[str]) -> None:
    """Drive the robot, print a table, and write the outputs."""
    config = arguments.parse(DriveConfig, argv, "drive")
    if config.output is not None:
        arguments.check_outputs([config.output], [".mp4"])
    if config.report is not None:
        arguments.check_outputs([config.report], [".json"])
    simulation.check_robot(config.robot)
    from motiongen_sim.motion_source import is_address, is_file

    if is_address(config.source):
        arguments.check_prompts([config.prompt])
    elif is_file(config.source):
        arguments.check_inputs(Path(config.source))
    else:
        arguments.check_prompts([config.source])
    with simulation.needs_sim("drive"):
        from motiongen_sim.robot_drive import drive
    source: str | Motion = config.source
    if is_file(config.source) and not is_address(config.source):
        from motiongen.io import load

        source = load(config.source, config.reading)
    with bar(config.robot) as progress:
        report = drive(
            config.robot,
            source,
            name="" if source is config.source else Path(config.source).name,
            root_assist=config.root_assist,
            fixed_base=config.fixed_base,
            upper_body=config.upper_body,
            balance=config.balance,
            push=config.push,
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
    return "\n".join(f"{name:<{width}}{text}" for name, text in rows.items())


def _clipped(report: "DriveReport") -> str:
    """Return the joints that were clipped by their limits, the worst first."""
    worst = sorted(report.clipping.items(), key=lambda item: -item[1].worst)
    parts = [
        f"{name} {clip.worst:.0f}° in {clip.share:.0%} of frames" for name, clip in worst[:_MOST_CLIPPED]
    ]
    if len(worst) > _MOST_CLIPPED:
        parts.append(f"{len(worst) - _MOST_CLIPPED} more")
    return ", ".join(parts) or "no joint"
