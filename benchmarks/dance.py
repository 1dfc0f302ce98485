"""BADM benchmark: speed, memory, and acceleration at the joins of its windows.

Usage: python benchmarks/dance.py [--weights full] [--device cpu] [--threads 2]

The song is synthesised, so that motiongen[dance] suffices. Speeds are relative to the length of the dance.
"""

import argparse
import resource
import time

import torch

from motiongen import features
from motiongen.conditions.music import MusicCondition
from motiongen.heads.badm.config import BADMOptions
from motiongen.inference.dance_model import DanceModel
from motiongen.inference.load import load_dance, spaces_of
from motiongen.motion import Motion
from motiongen.music.audio import Audio
from motiongen.music.beats import BeatGrid
from motiongen.music.synthesis import synthesise


def song(seconds: float, bpm: float = 120.0) -> MusicCondition:
    track = synthesise("house", bpm, seconds, seed=1)
    return MusicCondition.from_audio(Audio(track.samples, track.sample_rate), BeatGrid(bpm, track.beats))


def joins(model: DanceModel, motion: Motion) -> float:
    """Return the ratio of the mean joint acceleration within two frames of a join to that elsewhere."""
    joints = motion.positions()
    acceleration = ((joints[2:] - 2 * joints[1:-1] + joints[:-2]) * features.FPS**2).norm(dim=-1).mean(-1)
    config = model.head.config
    half = -(-config.slices // 2) * config.slice_frames
    ends = torch.arange(config.window_frames, motion.num_frames - 3, half)
    near = torch.zeros(len(acceleration), dtype=torch.bool)
    for offset in range(-2, 3):
        near[(ends + offset - 1).clamp(0, len(acceleration) - 1)] = True
    return float(acceleration[near].mean() / acceleration[~near].mean())


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", default="open")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    ten, minute, five = song(10), song(60), song(300)
    for space in spaces_of(args.weights):
        model = load_dance(space, args.weights, args.device)
        model.dance(song(2), options=BADMOptions(steps=2))  # warm
        print(f"{space}, {args.device}, {args.threads} threads")
        for steps in (5, 10, 25, 50):
            began = time.perf_counter()
            model.dance(ten, options=BADMOptions(steps=steps))
            took = time.perf_counter() - began
            print(f"  10 s of dance in {steps:2d} steps: {took:6.2f} s, {10 / took:5.1f} x real time")
        model.dance(minute)
        before = peak_megabytes()
        began = time.perf_counter()
        motion = model.dance(five)
        took = time.perf_counter() - began
        print(
            f"  5 min of dance: {took:.1f} s, {300 / took:.1f} x real time, {peak_megabytes() - before:+.0f} MB over "
            f"a minute's; acceleration at joins {joins(model, motion):.2f} x elsewhere"
        )


if __name__ == "__main__":
    main()
