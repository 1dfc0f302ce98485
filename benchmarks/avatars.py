"""Avatar benchmark: CPU time of streams that are put on a character, beside the same streams without one.

python benchmarks/avatars.py AVATAR.glb [--weights open] [--characters 128] [--frames 60]

One thread, no sockets: the model, retargeting, the bytes of all frames. CPU time: other work does not matter.
"""

import argparse
import time
from pathlib import Path

import torch

from motiongen import load
from motiongen.retargeting import Character
from motiongen.streaming.scheduler import StreamScheduler
from motiongen_bridge.avatars import Avatar
from motiongen_bridge.frame_broadcaster import FrameBroadcaster
from motiongen_bridge.frames import Format
from motiongen_bridge.limits import ServerLimits
from motiongen_bridge.metrics import Metrics
from motiongen_bridge.subscription import LiveCharacter, Subscription


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("avatar", type=Path)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--characters", type=int, default=128)
    parser.add_argument("--frames", type=int, default=60)
    args = parser.parse_args()
    torch.set_num_threads(1)
    scheduler = StreamScheduler(load("mogo", args.weights, "cpu"), max_characters=args.characters)
    broadcaster = FrameBroadcaster(scheduler.fps, 1.0, ServerLimits(), Metrics())
    avatar = Avatar(args.avatar.stem, Character.load(args.avatar), scheduler.skeleton, scheduler.fps)
    lives = [broadcaster.add(scheduler.open(prompt="a person walks", seed=n)) for n in range(args.characters)]
    step(scheduler, broadcaster, lives, None, 8)
    plain = step(scheduler, broadcaster, lives, None, args.frames)
    moved = step(scheduler, broadcaster, lives, avatar, args.frames)
    print(
        f"| frames on | ms of CPU a frame of all {args.characters} | share of a core at 30 a second |\n|---|---:|---:|"
    )
    for name, seconds in (("SMPL-22", plain), (avatar.name, moved)):
        print(f"| {name} | {seconds * 1e3:.1f} | {seconds * scheduler.fps:.0%} |")
    print(f"\n{moved / plain:.2f} times as much")


def step(
    scheduler: StreamScheduler,
    broadcaster: FrameBroadcaster,
    lives: list[LiveCharacter],
    avatar: Avatar | None,
    frames: int,
) -> float:
    """Return the CPU seconds of a frame of all characters."""
    views = [
        Subscription(1, live, Format.F32, True, None if avatar is None else live.on(avatar)) for live in lives
    ]
    began = time.process_time()
    for _ in range(frames):
        for live, view in zip(lives, views, strict=True):
            while (frame := live.character.take()) is None:
                scheduler.tick()
            for stream in live.avatars.values():
                broadcaster.put_on(stream, live, frame)
            view.frame_message(view.recent[-1], 0)
    return (time.process_time() - began) / frames


if __name__ == "__main__":
    main()
