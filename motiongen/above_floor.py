"""Nobody sinks into the floor: where a written motion does, the whole body is raised, and lowered again, smoothly."""

from dataclasses import replace

import torch.nn.functional as F

from motiongen.motion import Motion

SINKS = 0.01
"""Depth of the lowest joint, metres, that is let be."""
EASE_SECONDS = 0.2
"""Time in which the body is raised before it would sink, and lowered after it."""


def above_floor(motion: Motion) -> Motion:
    """Return a motion whose joints all stay above the floor at y = 0, but for SINKS; itself where they do.

    Args:
        motion: over that floor.
    """
    depth = (-motion.positions()[..., 1].amin(dim=1)).clamp_min(0)  # (T,)
    depth = depth * (depth > SINKS)
    if not depth.any():
        return motion
    reach = round(EASE_SECONDS * motion.fps)
    window = 2 * reach + 1
    # A mean of maxima of windows about a frame, all of which hold it, is never below its own depth.
    highest = F.max_pool1d(F.pad(depth[None], (reach, reach), mode="replicate"), window, stride=1)
    lift = F.avg_pool1d(F.pad(highest, (reach, reach), mode="replicate"), window, stride=1)[0]
    root = motion.root.clone()
    root[:, 1] += lift
    return replace(motion, root=root)
