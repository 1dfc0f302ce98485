"""Live control: characters that are steered, sent, and led, beside the same stream that nobody drives.

python benchmarks/live_control.py [--weights open] [--seeds 3] [--goals 100] [--characters 64] [--only steer goto ...]
"""

import argparse
import math
import time
from collections.abc import Callable, Sequence

import numpy as np

from motiongen import load
from motiongen.evaluation.foot_skate import foot_skate_ratio, foot_skate_speed, toes_over_floor
from motiongen.evaluation.jerk import jerk
from motiongen.features import FPS
from motiongen.inference.model import Model
from motiongen.motion import Motion
from motiongen.streaming.barrier import outside
from motiongen.streaming.frame_ring import StreamFrame
from motiongen.streaming.scheduler import StreamScheduler
from motiongen.streaming.stream import to_motion
from motiongen.streaming.text_character import TextCharacter
from motiongen.streaming.upper_body import ARMS, UpperBody

WISHES = ((0.0, 1.3), (1.3, 0.0), (0.0, 0.0), (0.0, 3.0), (-1.3, 0.0), (0.0, -1.3), (0.0, 2.2), (0.0, 0.0))
"""Velocities of the stick, m/s along x and z, each for SECONDS."""
SECONDS = 2.5
SMOOTH = 5
"""Frames over which a speed is measured: hips sway within a step."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--goals", type=int, default=100)
    parser.add_argument("--characters", type=int, default=64)
    parts = {"steer": steer, "goto": goto, "lead": lead, "cost": cost}
    parser.add_argument("--only", nargs="*", choices=list(parts), default=list(parts))
    args = parser.parse_args()
    model = load("mogo", args.weights, "cpu")
    for name in args.only:
        parts[name](model, args)


def play(scheduler: StreamScheduler, character: TextCharacter, frames: int) -> list[StreamFrame]:
    """Take frames with a tick before each, as a server's thread ticks."""
    made: list[StreamFrame] = []
    while len(made) < frames:
        scheduler.tick()
        frame = character.take()
        if frame is not None:
            made.append(frame)
    return made


def scheduler_of(model: Model) -> StreamScheduler:
    return StreamScheduler(model, max_characters=1, batch_sizes=(1,))


def skate(motions: Sequence[Motion]) -> str:
    feet = [toes_over_floor(motion) for motion in motions]
    speed = np.mean([float(foot_skate_speed(one, FPS)) for one in feet])
    ratio = np.mean([float(foot_skate_ratio(one, FPS)) for one in feet])
    shake = np.mean([float(jerk(motion.root[:, None], FPS)) for motion in motions])
    return f"{speed:.3f} | {ratio:.1%} | {shake:.0f}"


def steer(model: Model, args: argparse.Namespace) -> None:
    """A stick that jumps from wish to wish, beside the prompts of the same gaits that nobody steers."""
    scheduler, driven, free = scheduler_of(model), [], []
    times, overshoots = [], []
    for seed in range(args.seeds):
        character = scheduler.open(seed=seed)
        frames = play(scheduler, character, 30)
        for wish in WISHES:
            began = len(frames)
            character.submit("steer", velocity=list(wish))
            frames += play(scheduler, character, round(SECONDS * FPS))
            times.append(_time_to_velocity(frames, began, wish))
            if any(wish):
                overshoots.append(_overshoot(frames, began, math.atan2(*wish)))
        character.close()
        driven.append(to_motion(frames))
        for prompt in ("a person walks forward", "a person runs forward", "a person jogs forward"):
            character = scheduler.open(seed=seed, prompt=prompt)
            free.append(to_motion(play(scheduler, character, 200)))
            character.close()
    print("| | skate, m/s | frames that skate | root jerk, m/s³ |\n|---|---:|---:|---:|")
    print(f"| the gaits, left alone | {skate(free)} |\n| steered | {skate(driven)} |")
    print("time to 90 % of a velocity: " + _spread(times, "s") + f"; never: {sum(map(math.isinf, times))}")
    print("overshoot of the heading: " + _spread(overshoots, "degrees"), flush=True)


def _time_to_velocity(frames: Sequence[StreamFrame], began: int, wish: tuple[float, float]) -> float:
    """Return the seconds after which the velocity is within a tenth of its change of the wish."""
    root = np.stack([frame.root[[0, 2]] for frame in frames])
    speeds = (root[SMOOTH:] - root[:-SMOOTH]) * FPS / SMOOTH  # the mean of the SMOOTH frames before each
    away = np.linalg.norm(speeds[began - SMOOTH :] - np.array(wish), axis=1)
    near = away[SMOOTH // 2 :] <= max(0.1 * away[0], 0.1)
    return float(near.argmax() / FPS) if near.any() else math.inf


def _overshoot(frames: Sequence[StreamFrame], began: int, wished: float) -> float:
    """Return by how much the heading passes the wished one within a second and a half, degrees."""
    headings = np.unwrap(
        [2 * math.atan2(frame.rotations[0, 1], frame.rotations[0, 3]) for frame in frames[began:]]
    )[: round(1.5 * FPS)]
    change = math.remainder(wished - headings[0], math.tau)
    passed = (headings - headings[0] - change) * math.copysign(1.0, change)
    return max(0.0, math.degrees(float(passed.max())))


def _spread(values: Sequence[float], unit: str) -> str:
    return f"median {np.median(values):.2f}, 95th percentile {np.percentile(values, 95):.2f} {unit}"


def goto(model: Model, args: argparse.Namespace) -> None:
    """Random places, headings and times; every other goal has obstacles on the way."""
    draw, scheduler = np.random.default_rng(0), scheduler_of(model)
    met, off, turned, late, deepest = 0, [], [], [], 0.0
    for number in range(args.goals):
        character = scheduler.open(seed=number)
        play(scheduler, character, 4)
        angle, way = draw.uniform(0, math.tau), draw.uniform(0.5, 6.0)
        goal = way * math.sin(angle), way * math.cos(angle)
        wanted = {"heading": draw.uniform(-math.pi, math.pi), "seconds": 1.5 + way / draw.uniform(0.8, 2.0)}
        if number % 2 and way > 2.5:
            share = draw.uniform(0.4, 0.6)
            at = [share * goal[0] + draw.uniform(-0.3, 0.3), share * goal[1] + draw.uniform(-0.3, 0.3)]
            shape = {"radius": 0.4} if number % 4 == 1 else {"size": [0.8, 0.5], "turn": angle}
            character.submit("avoid", obstacles=[{"center": at, **shape}])
            wanted["seconds"] += 1.5
        character.submit("goto", x=goal[0], z=goal[1], **wanted)
        frames: list[StreamFrame] = []
        while len(frames) < 400 and not any(event.name == "arrived" for event in character.events):
            frames += play(scheduler, character, 1)
        for one in character.bend.drive.obstacles:
            deepest = max(deepest, *(-outside(one, *frame.root[[0, 2]].tolist())[0] for frame in frames))
        heading = 2 * math.atan2(frames[-1].rotations[0, 1], frames[-1].rotations[0, 3])
        off.append(math.dist(frames[-1].root[[0, 2]], goal))
        turned.append(abs(math.degrees(math.remainder(heading - wanted["heading"], math.tau))))
        at_time = frames[min(len(frames) - 1, round(wanted["seconds"] * FPS))].root[[0, 2]]
        late.append(math.dist(at_time, goal))
        met += off[-1] <= 0.1 and turned[-1] <= 10
        character.close()
    print(f"goto: {met} of {args.goals} within 10 cm and 10 degrees; off by {_spread(off, 'm')}")
    print(f"heading off by {_spread(turned, 'degrees')}; off at the time asked by {_spread(late, 'm')}")
    print(f"deepest in an obstacle: {deepest:.2f} m", flush=True)


def lead(model: Model, args: argparse.Namespace) -> None:
    """A hand that follows a circle while the character walks."""
    scheduler, off = scheduler_of(model), []
    for seed in range(args.seeds):
        character = scheduler.open(seed=seed, prompt="a person walks forward")
        play(scheduler, character, 30)
        for n in range(150):
            drive, turn = character.bend.drive, n / 30
            point = character.bend.world((0.25 + 0.1 * math.cos(turn), 1.3 + 0.1 * math.sin(turn), 0.35))
            character.submit("reach", hand="left", point=list(point))
            (frame,) = play(scheduler, character, 1)
            wrist = UpperBody(frame.rotations, frame.root).place(ARMS["left"][-1])
            if n > 30 and drive is character.bend.drive:
                off.append(math.dist(wrist, point))
        character.close()
    print(f"a hand on a moving point: off by {_spread(off, 'm')}", flush=True)


def cost(model: Model, args: argparse.Namespace) -> None:
    """The time of frames of many characters, driven and not, as a thread that takes them spends it."""
    for name, say in (("nobody drives", None), ("all are steered", _stick)):
        scheduler = StreamScheduler(model, max_characters=args.characters)
        characters = [scheduler.open(seed=n, prompt="a person walks forward") for n in range(args.characters)]
        spent, whole = _pace(scheduler, characters, say)
        print(
            f"{name}: {1e6 * spent:.0f} µs a taken frame, {whole:.2f} s of CPU for a second of all",
            flush=True,
        )


def _stick(character: TextCharacter, frame: int) -> None:
    character.submit("steer", velocity=[math.sin(frame / 20), math.cos(frame / 20)])


def _pace(
    scheduler: StreamScheduler,
    characters: Sequence[TextCharacter],
    say: Callable[[TextCharacter, int], None] | None,
) -> tuple[float, float]:
    taking, taken, frames = 0.0, 0, round(2 * FPS)
    for frame in range(-15, frames):
        if frame == 0:
            began, taking, taken = time.process_time(), 0.0, 0
        for character in characters:
            if say is not None:
                say(character, frame)
        while scheduler.tick().stepped:
            pass
        before = time.process_time()
        for character in characters:
            taken += character.take() is not None
        taking += time.process_time() - before
    return taking / taken, (time.process_time() - began) * FPS / frames


if __name__ == "__main__":
    main()
