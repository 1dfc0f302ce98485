"""Clips of any humanoid, brought to the models' skeleton and rate, and edited spans of them brought back."""

from dataclasses import replace

import torch

from motiongen import features
from motiongen.inference import splice
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22


def canonical(motion: Motion) -> Motion:
    """Return a motion of any humanoid on SMPL-22, at 30 fps, on the ground; the same object when it is that already."""
    if motion.skeleton.names == SMPL22.names and abs(motion.fps - features.FPS) < 0.01:
        return motion
    if motion.skeleton.names != SMPL22.names:
        motion = motion.retarget(SMPL22).grounded()
    return motion.resample(features.FPS)


def put_back(motion: Motion, whole: Motion, span: Motion, first: int, last: int) -> Motion:
    """Return a motion with the edited span of its canonical copy, back on its own skeleton and at its own rate.

    What the way to the copy and back changes, such as the height of the floor, is measured at the seams and fades out.
    """
    begin = round(first / whole.fps * motion.fps)
    end = motion.num_frames if last == whole.num_frames else round(last / whole.fps * motion.fps)
    edited = splice.put(whole, span, first, last).resample(motion.fps)
    edited = (
        edited[: motion.num_frames]
        if edited.num_frames >= motion.num_frames
        else _with_last_frame_held(edited, motion.num_frames)
    )
    if motion.skeleton.names != SMPL22.names:
        edited = edited.retarget(motion.skeleton)
    seam = (
        begin - 1 if begin else end
    )  # an old frame, which says how far the copy's floor lies from the original's
    if 0 <= seam < motion.num_frames:
        edited = edited.moved(
            (motion.root[seam] - edited.root[seam]) * motion.root.new_tensor([0.0, 1.0, 0.0])
        )
    before = motion[:begin] if begin else None
    after = motion[end:] if end < motion.num_frames else None
    return splice.put(motion, splice.meet(edited[begin:end], before, after), begin, end)


def _with_last_frame_held(motion: Motion, num_frames: int) -> Motion:
    """The motion with its last frame held: two rates may round a clip to lengths that differ by a frame."""
    more = num_frames - motion.num_frames
    return replace(
        motion,
        rotations=torch.cat([motion.rotations, motion.rotations[-1:].expand(more, -1, -1)]),
        root=torch.cat([motion.root, motion.root[-1:].expand(more, -1)]),
    )
