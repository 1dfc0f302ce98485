"""A sample of a format under test, and what a motion's numbers must be to make sense."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from motiongen.motion import Motion


@dataclass(frozen=True)
class Sample:
    """A format under test.

    Attributes:
        name: of the format.
        make: writes the sample into a folder, and returns the files that are changed.
        read: reads what is in the folder.
        nonsense: says what is wrong with what was read; "" where it makes sense.
    """

    name: str
    make: Callable[[Path], list[Path]]
    read: Callable[[Path], Any]
    nonsense: Callable[[Any], str]


def motion_nonsense(motion: Motion) -> str:
    """Say what is wrong with a motion, independently of its own checks."""
    skeleton = motion.skeleton
    numbers = [motion.rotations, motion.root, motion.positions(), skeleton.offsets, skeleton.rest_rotations]
    numbers += [torch.tensor([tip for _, tip in skeleton.ends]).reshape(-1, 3)]
    if not all(bool(torch.isfinite(values).all()) for values in numbers):
        return "NaN or infinity"
    for quats in (motion.rotations, skeleton.rest_rotations):
        if float((quats.norm(dim=-1) - 1).abs().max()) > 2e-3:
            return "a quaternion that is not of unit length"
    if not 1e-3 <= motion.fps <= 1e6:
        return f"{motion.fps} frames a second"
    return "farther than 10,000 km" if float(motion.root.abs().max()) > 1e7 else ""
