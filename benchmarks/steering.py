"""Steering benchmark: foot skate of streams with turn and goto commands, beside the same streams without.

python benchmarks/steering.py --data CACHE [--weights full] [--streams 16]
"""

import argparse
import math
from collections.abc import Callable

import numpy as np

from motiongen import features, load
from motiongen.data.cache import ClipCache
from motiongen.evaluation.foot_skate import foot_skate_ratio, foot_skate_speed, toes_over_floor
from motiongen.evaluation.jerk import jerk
from motiongen.features import FPS
from motiongen.motion import Motion
from motiongen.streaming.scheduler import StreamScheduler
from motiongen.streaming.stream import play, to_motion
from motiongen.streaming.text_character import TextCharacter

PROMPTS = ("a person walks forward", "a person runs", "an old person walks", "a proud person walks")
SECONDS, EVERY = 12, 3
"""Length of a stream and interval between two commands, seconds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--streams", type=int, default=16)
    args = parser.parse_args()
    model, draw = load("mogo", args.weights), np.random.default_rng(0)

    def turn(character: TextCharacter) -> None:
        character.submit("turn", angle=float(draw.choice([-1, 1])) * math.pi / 2)

    def goto(character: TextCharacter) -> None:
        angle, (x, _, z) = draw.uniform(0, 2 * math.pi), character.recent[-1].root.tolist()
        character.submit("goto", x=x + 4 * math.sin(angle), z=z + 4 * math.cos(angle))

    print(
        "| | skate, m/s | frames that skate | root jerk, m/s³ | turned, degrees |\n|---|---:|---:|---:|---:|"
    )
    print(_row("real clips of the same contents", _real(ClipCache.open(args.data), args.streams)))
    for name, command in (("left alone", None), ("turn 90°", turn), ("goto a point 4 m away", goto)):
        scheduler = StreamScheduler(model, batch_sizes=(1,))
        motions = [_stream(scheduler, PROMPTS[n % len(PROMPTS)], n, command) for n in range(args.streams)]
        print(_row(f"streams, {name}", motions), flush=True)


def _stream(
    scheduler: StreamScheduler, prompt: str, seed: int, command: Callable[[TextCharacter], None] | None
) -> Motion:
    character, frames = scheduler.open(prompt=prompt, seed=seed), []
    for _ in range(SECONDS // EVERY):
        frames += play(scheduler, character, round(EVERY * FPS))
        if command is not None:
            command(character)
    character.close()
    return to_motion(frames)[round(EVERY * FPS) :]  # the part before the first command is not steered


def _real(cache: ClipCache, count: int) -> list[Motion]:
    clips = [n for n in cache.split("test") if cache.records[n].content in ("walk", "run")]
    picks = np.random.default_rng(0).permutation(clips)[: 4 * count]
    return [features.decode(cache.features(int(n))) for n in picks]


def _row(name: str, motions: list[Motion]) -> str:
    numbers = []
    for motion in motions:
        feet, root = toes_over_floor(motion), motion.root[:, None]
        facing = motion.heading()
        turned = (facing[1:] - facing[:-1] + math.pi) % (2 * math.pi) - math.pi
        measured = (
            foot_skate_speed(feet, FPS),
            foot_skate_ratio(feet, FPS),
            jerk(root, FPS),
            turned.abs().sum(),
        )
        numbers.append([float(value) for value in measured])
    speed, ratio, shake, angle = np.mean(numbers, axis=0)
    return f"| {name} | {speed:.3f} | {ratio:.1%} | {shake:.0f} | {math.degrees(angle):.0f} |"


if __name__ == "__main__":
    main()
