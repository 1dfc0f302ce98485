"""Conversion of humanoid clips to the skeleton and rate of the models, and of edited spans back."""

from dataclasses import replace

import torch

from motiongen import features
from motiongen.inference import splice
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22


def canonical(motion: Motion) -> Motion:
    """Return a humanoid motion on SMPL-22 at 30 fps, on the ground; the same object if it is that already."""
    if motion.skeleton.names == SMPL22.names and abs(motion.fps - features.FPS) < 0.01:
        return motion
    if motion.skeleton.names != SMPL22.names:
        motion = motion.retarget(SMPL22, plant_feet=False).grounded()
    return motion.resample(features.FPS)


def put_back(
    motion: Motion, whole: Motion, span: Motion, first: int, last: int, after: Motion | None = None
) -> Motion:
    """Return a motion with an edited span of its canonical copy, converted back to its own skeleton and rate.

    Differences that the conversion causes, such as the height of the floor, are measured at the seams and faded out.

    Args:
        motion: the original.
        whole: its canonical copy, from `canonical`.
        span: edited frames [first, last) of the copy.
        first: first frame of the span.
        last: first frame after it.
        after: the copy's frames from `last` on, where they were carried elsewhere: the original's then follow them.
    """
    begin = round(first / whole.fps * motion.fps)
    end = motion.num_frames if last == whole.num_frames else round(last / whole.fps * motion.fps)
    edited = splice.put(whole, span, first, last)
    if after is not None:
        edited = splice.append(edited[:last], after)
    edited = edited.resample(motion.fps)
    edited = (
        edited[: motion.num_frames]
        if edited.num_frames >= motion.num_frames
        else _padded(edited, motion.num_frames)
    )
    if motion.skeleton.names != SMPL22.names:
        edited = edited.retarget(motion.skeleton, plant_feet=False)
    seam = begin - 1 if begin else end  # an unedited frame, for the height of the copy's floor
    if 0 <= seam < motion.num_frames:
        edited = edited.moved(
            (motion.root[seam] - edited.root[seam]) * motion.root.new_tensor([0.0, 1.0, 0.0])
        )
    before = motion[:begin] if begin else None
    if end == motion.num_frames:
        return splice.put(motion, splice.meet(edited[begin:end], before, None), begin, end)
    rest = motion[end:] if after is None else splice.carried(motion[end:], edited[end])
    result = splice.put(motion, splice.meet(edited[begin:end], before, rest), begin, end)
    return result if after is None else splice.append(result[:end], rest)


def _padded(motion: Motion, num_frames: int) -> Motion:
    """Return a motion padded with its last frame: lengths may differ by a frame after resampling."""
    more = num_frames - motion.num_frames
    return replace(
        motion,
        rotations=torch.cat([motion.rotations, motion.rotations[-1:].expand(more, -1, -1)]),
        root=torch.cat([motion.root, motion.root[-1:].expand(more, -1)]),
    )
