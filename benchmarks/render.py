"""Rendering benchmark: frames of finished video a second, encoding included.

python benchmarks/render.py --size 960 540 --frames 150
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import torch

from motiongen.motion import Motion
from motiongen.render import render
from motiongen.render.canvas import DISPLAYS
from motiongen.rotation import quat_from_axis_angle, quat_identity
from motiongen.skeleton import SMPL22


def swinging_walk(frames: int) -> Motion:
    """Return a motion that glides forward and swings arms and legs."""
    phase = torch.arange(frames) / 30.0 * 2 * torch.pi
    rotations = quat_identity(frames, 22)
    for name, axis, reach in (
        ("left_shoulder", (0.0, 0.6, -1.2), 0.4),
        ("right_shoulder", (0.0, 0.6, 1.2), 0.4),
        ("left_hip", (1.0, 0.0, 0.0), 0.5),
        ("right_hip", (-1.0, 0.0, 0.0), 0.5),
    ):
        angles = reach * torch.sin(phase)[:, None] * torch.tensor(axis)
        rotations[:, SMPL22.index(name)] = quat_from_axis_angle(angles)
    root = torch.stack([torch.zeros(frames), torch.full((frames,), 0.97), torch.arange(frames) / 30.0], dim=1)
    return Motion(skeleton=SMPL22, rotations=rotations, root=root, fps=30.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=2, default=(960, 540))
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--display", choices=("auto", *DISPLAYS), default="auto")
    options = parser.parse_args()
    motion = swinging_walk(options.frames)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "walk.mp4"
        render(motion[:5], path, size=tuple(options.size), display=options.display)  # opens the display once
        clock, worked = time.perf_counter(), time.process_time()
        render(motion, path, size=tuple(options.size), captions="a person walks", display=options.display)
        clock, worked = time.perf_counter() - clock, time.process_time() - worked
        size = path.stat().st_size
    load = os.getloadavg()[0]
    print(
        f"{options.frames} frames at {options.size[0]}x{options.size[1]}: {options.frames / clock:.1f} fps, "
        f"{1000 * worked / options.frames:.1f} ms of processor a frame, {size / 1024:.0f} KiB, load {load:.1f}"
    )


if __name__ == "__main__":
    main()
