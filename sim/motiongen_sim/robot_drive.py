"""drive: a simulated robot tracks a person's motion, from words, a file or a live stream."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from motiongen.atomic import atomic_path
from motiongen.motion import Motion
from motiongen_sim.motion_source import is_address, is_file
from motiongen_sim.robots import catalog
from motiongen_sim.robots.retarget import Clipping, retarget
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.tracking_run import RATE, TrackingRun

LIVE_SECONDS = 10.0
"""Default duration of a live stream, in seconds."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class DriveReport:
    """Report of a robot that tracked a motion.

    Attributes:
        robot: name of the robot.
        source: name of the motion.
        seconds: simulated time.
        root_assist: strength of the helper force on the root, 0 (none) to 1 (full).
        balance: whether it kept its balance by its own motors.
        held: "free", "base" (the pelvis is fixed), or "upper body" (the pelvis is fixed, and the legs hang still).
        upright: simulated time before a fall, or in all without one, in seconds.
        fell: whether the robot fell.
        mean_error: angle between its joints and the motion's while upright, over joints and frames, in degrees.
        worst_joint: the joint with the largest mean error.
        worst_error: that mean error, in degrees.
        peak_error: the largest error of any joint in any frame, in degrees.
        real_time_factor: simulated time for each second of processor time, without drawing.
        clipping: joint name -> effect of its limits.
        dropped: frames of a live stream that were lost.
    """

    robot: str
    source: str
    seconds: float
    root_assist: float
    balance: bool
    held: str
    upright: float
    fell: bool
    mean_error: float
    worst_joint: str
    worst_error: float
    peak_error: float
    real_time_factor: float
    clipping: dict[str, Clipping] = field(default_factory=dict)
    dropped: int = 0

    @property
    def assistance(self) -> str:
        """Description of the assistance against falling."""
        if self.held != "free":
            return f"pelvis bolted down ({self.held})"
        if self.root_assist:
            return f"root assist {self.root_assist:g}"
        return "no assistance, balance control" if self.balance else "no assistance"

    def save(self, path: str | Path) -> None:
        """Write the report as JSON, whole or not at all."""
        with atomic_path(path) as aside:
            aside.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def drive(
    robot: str,
    source: Motion | str | Path,
    *,
    name: str = "",
    root_assist: float = 1.0,
    fixed_base: bool = False,
    upper_body: bool = False,
    balance: bool = True,
    push: float = 0.0,
    prompt: str = "a person walks",
    seconds: float | None = None,
    seed: int = 0,
    weights: str | Path = "open",
    token: str | None = None,
    output: str | Path | None = None,
    size: tuple[int, int] = (640, 480),
    window: bool = False,
    progress: Progress | None = None,
) -> DriveReport:
    """Let a simulated robot track a motion, and report how well it does.

    Args:
        robot: one of motiongen_sim.robots.catalog.ROBOTS.
        source: a motion; its file; words that are turned into one; or the address (ws://HOST:PORT) of a server
            (`motiongen serve`), whose frames the robot tracks live.
        name: of the source in the report; the words or the file by default.
        root_assist: strength of a helper force on the root, 0 (none) to 1 (full). No real robot has it.
        fixed_base: fix the pelvis, upright, with the feet off the floor.
        upper_body: fix the pelvis, and let the legs hang still.
        balance: without assistance, keep its balance: stand, and step where it must. False shows it without.
        push: impulse, in N s, that the pelvis is pushed with every 3 s: forwards, leftwards, backwards, rightwards.
        prompt: of the server's character.
        seconds: duration; by default all of a motion, 10 s of a stream, and what words take.
        seed: of a motion from words, and of the server's character.
        weights: turn words into motion: "full", "open" or a folder.
        token: secret for the server.
        output: an .mp4 to write, of the robot and, in grey beside it, of its targets.
        size: width and height of the video, in pixels.
        window: show the robot live in PyBullet's window.
        progress: called with (frames done, of all).

    Raises:
        ValueError: an unknown robot, a strength out of range, a motion of no humanoid.
        ConnectionError: there is no server.
    """
    described = catalog.lookup(robot)
    held = "upper body" if upper_body else "base" if fixed_base else "free"
    has_balance = balance and held == "free" and root_assist == 0.0
    run = TrackingRun(
        described,
        root_assist=root_assist,
        is_fixed=held != "free",
        upper_body=upper_body,
        has_balance=has_balance,
        push=push,
        has_window=window,
    )
    try:
        dropped = 0
        if is_address(source):
            name = name or f"{prompt} (live)"
            clipping, dropped = _track_stream(str(source), token, prompt, run, seconds or LIVE_SECONDS, seed)
        else:
            motion, words = _motion(source, seconds, seed, weights)
            name = name or words
            clipping = _track(motion, described, run, progress)
        report = _report(name, held, root_assist, has_balance, run, clipping, dropped)
        if output is not None:
            run.save_video(output, f"{described.name}: {name} ({report.assistance})", size, progress)
        return report
    finally:
        run.close()


def _motion(
    source: Motion | str | Path, seconds: float | None, seed: int, weights: str | Path
) -> tuple[Motion, str]:
    """Return a source's motion, cut to so many seconds, and its name."""
    if isinstance(source, Motion):
        motion, name = source, "motion"
    elif isinstance(source, Path) or is_file(source):
        motion, name = Motion.load(source), Path(source).name
    else:
        from motiongen.inference.generate import generate

        return generate(source, seconds=seconds, seed=seed, weights=weights), source
    return (motion if seconds is None else motion[: max(2, round(seconds * motion.fps))]), name


def _track(motion: Motion, robot: Robot, run: TrackingRun, progress: Progress | None) -> dict[str, Clipping]:
    trajectory, clipping = retarget(motion.at_origin(), robot, is_upright=run.is_fixed)
    states = trajectory.resample(RATE).states()
    for frame, state in enumerate(states, start=1):
        if not run.follow(state):
            break
        if progress is not None:
            progress(frame, len(states))
    return clipping


def _track_stream(
    url: str, token: str | None, prompt: str, run: TrackingRun, seconds: float, seed: int
) -> tuple[dict[str, Clipping], int]:
    from motiongen_bridge.client import Connection
    from motiongen_sim.robots.live import StreamRetargeter, follow

    goals = StreamRetargeter(run.robot, is_upright=run.is_fixed)
    dropped = asyncio.run(follow(Connection(url, token), prompt, run, goals, seconds, seed))
    return goals.clipping, dropped


def _report(
    name: str,
    held: str,
    root_assist: float,
    has_balance: bool,
    run: TrackingRun,
    clipping: dict[str, Clipping],
    dropped: int,
) -> DriveReport:
    errors = run.errors
    by_joint = errors.mean(axis=0)
    worst = int(by_joint.argmax())
    measured = {joint: clip for joint, clip in clipping.items() if joint in run.joints}
    return DriveReport(
        robot=run.robot.name,
        source=name,
        seconds=run.seconds,
        root_assist=root_assist if held == "free" else 0.0,
        held=held,
        balance=has_balance,
        upright=run.upright,
        fell=run.has_fallen,
        mean_error=float(errors.mean()),
        worst_joint=run.joints[worst],
        worst_error=float(by_joint[worst]),
        peak_error=float(errors.max()),
        real_time_factor=run.seconds / max(run.computing, 1e-9),
        clipping=measured,
        dropped=dropped,
    )
