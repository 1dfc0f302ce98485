"""Robot tracking benchmark: tracking error, time upright without assistance, pushes withstood, and speed.

python benchmarks/drive.py [--weights full] [--g1-moves DIR] [--seconds 6]
"""

import argparse
import platform
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from motiongen import generate
from motiongen.motion import Motion
from motiongen_sim.robot_drive import DriveReport, drive
from motiongen_sim.robots import mocap
from motiongen_sim.robots.catalog import ROBOTS, lookup
from motiongen_sim.robots.measurement import standing
from motiongen_sim.robots.retarget import retarget
from motiongen_sim.robots.tracking_run import RATE, STEPS
from motiongen_sim.robots.world import World

PROMPTS = (
    "a person walks and waves",
    "a person bows",
    "a person dances",
    "a person waves with both hands",
    "a person kicks",
    "a person jumps",
)
CLIPS = ("walk", "run", "jump", "dance_a", "dance_b", "punch", "kick")
MOVES = (
    "dance/J_Dance17_Shuffle",
    "dance/B_DadDance",
    "karate/B_BowKarate",
    "karate/M_Move4",
    "bonus/B_HandsUp",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--g1-moves", type=Path, help="folder of the G1 Moves data")
    parser.add_argument("--seconds", type=float, default=6.0)
    args = parser.parse_args()
    clips = dict(_clips(args.weights, args.seconds, args.g1_moves))
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, seed 0\n")
    for robot in ROBOTS:
        _tracking_with_assistance(robot, clips)
        _tracking_without_assistance(robot, clips)
        _pushes(robot)
    _upper_body_tracking(clips)
    if args.g1_moves:
        _round_trips(args.g1_moves)


def _clips(weights: str, seconds: float, moves: Path | None) -> Iterator[tuple[str, Motion]]:
    for prompt in PROMPTS:
        yield f"“{prompt}”", generate(prompt, seconds=seconds, seed=0, weights=weights)
    for name in CLIPS:
        yield f"DeepMimic {name}", mocap.read(name)
    if moves is not None:
        from motiongen_datasets.g1_moves import load

        for name in MOVES:
            motion = load(moves / f"{name}.csv")
            yield f"G1 Moves {Path(name).name}", motion[: round(seconds * motion.fps)]


def _tracking_with_assistance(robot: str, clips: dict[str, Motion]) -> None:
    print(f"## {robot}, free, root assist 1\n")
    print("| motion | s | mean error, ° | worst joint, ° | peak, ° | clipped joints | x real time |")
    print("|---|---:|---:|---|---:|---:|---:|")
    reports = [drive(robot, motion, name=name) for name, motion in clips.items()]
    for r in reports:
        fell = f", fell at {r.upright:.1f} s" if r.fell else ""
        print(
            f"| {r.source}{fell} | {r.seconds:.1f} | {r.mean_error:.2f} | {r.worst_joint} {r.worst_error:.1f} "
            f"| {r.peak_error:.0f} | {len(r.clipping)} | {r.real_time_factor:.1f} |"
        )
    print(
        f"\nMean of means {np.mean([r.mean_error for r in reports]):.2f}°; {_speed(reports)}.\n", flush=True
    )


def _tracking_without_assistance(robot: str, clips: dict[str, Motion]) -> None:
    print(f"## {robot}, free, no assistance: how long it stays up\n")
    print("| motion | of s | upright without balance control, s | with it, s | mean error until then, ° |")
    print("|---|---:|---:|---:|---:|")
    for name, motion in clips.items():
        without = drive(robot, motion, name=name, root_assist=0.0, balance=False)
        r = drive(robot, motion, name=name, root_assist=0.0)
        upright = f"{r.upright:.1f}" if r.fell else f"{r.upright:.1f}, to the end"
        print(
            f"| {name} | {motion.seconds:.1f} | {without.upright:.1f} | {upright} | {r.mean_error:.2f} |",
            flush=True,
        )
    print()


def _pushes(robot: str) -> None:
    """Print the largest impulse, in steps of 4 N s, that a standing robot withstands with all smaller ones."""
    print(f"## {robot}, standing, no assistance: pushes of 0.1 s at the pelvis\n")
    print("| direction | withstood, N s |\n|---|---:|")
    for name, direction in (("forwards", (1, 0)), ("backwards", (-1, 0)), ("to the left", (0, 1))):
        withstood = 0
        while withstood < 60 and _stays_up(robot, (withstood + 4) * np.array([*direction, 0.0])):
            withstood += 4
        print(f"| {name} | {withstood} |", flush=True)
    print()


def _stays_up(robot: str, impulse: np.ndarray) -> bool:
    """Return whether a robot that is pushed after a second is up four seconds later."""
    world = World(lookup(robot), has_balance=True)
    goal = standing(world.robot).moved(np.array([0.0, 0.0, world.standing_height])).states()[0]
    world.set_state(goal)
    try:
        for frame in range(5 * RATE):
            if frame == RATE:
                world.push(impulse)
            world.advance([goal] * STEPS)
            if world.has_fallen:
                return False
        return True
    finally:
        world.close()


def _upper_body_tracking(clips: dict[str, Motion]) -> None:
    print("## g1, pelvis bolted down, upper body\n")
    print("| motion | s | mean error, ° | worst joint, ° | peak, ° | clipped (worst, ° beyond its limit) |")
    print("|---|---:|---:|---|---:|---|")
    reports = [drive("g1", motion, name=name, upper_body=True) for name, motion in clips.items()]
    for r in reports:
        worst = max(r.clipping.items(), key=lambda item: item[1].worst, default=None)
        clipped = f"{len(r.clipping)} ({worst[0]} {worst[1].worst:.0f})" if worst else "none"
        print(
            f"| {r.source} | {r.seconds:.1f} | {r.mean_error:.2f} | {r.worst_joint} {r.worst_error:.1f} "
            f"| {r.peak_error:.0f} | {clipped} |"
        )
    print(
        f"\nMean of means {np.mean([r.mean_error for r in reports]):.2f}°; {_speed(reports)}.\n", flush=True
    )


def _round_trips(moves: Path) -> None:
    """Print the errors of a round trip: robot angles to human motion and back."""
    from motiongen_datasets.g1_moves import read_source

    print("## g1: angles to a person's motion and back\n")
    print(
        "| clip | frames | mean difference, ° | 99.9th percentile, ° | largest, ° |\n|---|---:|---:|---:|---:|"
    )
    for name in MOVES:
        motion, _ = read_source(moves / f"{name}.csv")
        angles = np.loadtxt(moves / f"{name}.csv", delimiter=",")[:, 7:]
        found = retarget(motion, lookup("g1"))[0].pose
        if len(found) != len(angles):  # a jump was cut out of it
            continue
        apart = np.degrees(np.abs(found - angles))
        print(
            f"| {Path(name).name} | {len(apart)} | {apart.mean():.3f} | {np.quantile(apart, 0.999):.2f} "
            f"| {apart.max():.1f} |",
            flush=True,
        )


def _speed(reports: list[DriveReport]) -> str:
    seconds = sum(r.seconds for r in reports)
    return f"{seconds / sum(r.seconds / r.real_time_factor for r in reports):.1f} x real time at 240 Hz"


if __name__ == "__main__":
    main()
