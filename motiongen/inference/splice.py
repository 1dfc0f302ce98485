"""Splicing of generated frames into a motion: existing frames stay exactly, new ones are adapted to meet them.

Feet that would slide from their places on one side of a seam to those on the other step there.
"""

from dataclasses import replace

import torch
from torch import Tensor

from motiongen import features
from motiongen.blend import take_over
from motiongen.foot_steps import LENGTH, SECOND_FOOT, step_across
from motiongen.motion import Motion
from motiongen.rotation import quat_multiply, quat_rotate, quat_yaw

STANDING_SHARE = 0.05
"""Speed, m/s, that a root counts as having at least where a path is bent: who does not step at all is moved evenly."""
BLEND_SECONDS = 0.25
"""Longest time over which a difference at a seam fades out."""


def follow(motion: Motion, frames: Tensor) -> Motion:
    """Return the motion of features (T, 140), continuing from the end of another motion."""
    return meet(features.decode(frames, features.end_of(motion)), motion, None)


def fill(motion: Motion, frames: Tensor, first: int, last: int) -> Motion:
    """Return new frames [first, last) of a motion, decoded from features and adapted to the frames around them.

    Args:
        motion: of SMPL-22 at 30 fps.
        frames: (T, 140) features of the whole motion; only those of the span, and the one after it, are used.
        first: first new frame; 0 if there are no frames before.
        last: first existing frame after the span; motion.num_frames if there are none.
    """
    before, after = motion[:first] if first else None, motion[last:] if last < motion.num_frames else None
    start = features.init_state(1) if before is None else features.end_of(before)
    span = features.decode(frames[first : last + 1], start)
    if after is not None:
        span = _lead(span[:-1], span[-1:], after, rigid=before is None)
    return meet(span, before, after)


def fill_freely(motion: Motion, frames: Tensor, first: int, last: int) -> tuple[Motion, Motion | None]:
    """Return new frames [first, last) that go where they go, and the frames after them, carried to where they end.

    Without frames before the span there is nowhere to go from: it is moved to the frames after it, which stay.

    Args:
        motion: as in `fill`.
        frames: as in `fill`.
        first: as in `fill`.
        last: as in `fill`.
    """
    if first == 0 or last == motion.num_frames:
        return fill(motion, frames, first, last), None if last == motion.num_frames else motion[last:]
    before = motion[:first]
    span = features.decode(frames[first : last + 1], features.end_of(before))
    after = carried(motion[last:], span[-1])
    return meet(span[:-1], before, after), after


def carried(motion: Motion, landing: Motion) -> Motion:
    """Return a motion turned about +Y and moved over the floor, as a whole, so that it begins where another is.

    Args:
        motion: to be carried; heights and poses stay.
        landing: one frame, whose heading and place the first frame takes.
    """
    turn = landing.heading()[:1] - motion.heading()[:1]
    flat = motion.root.new_tensor([1.0, 0.0, 1.0])
    place = landing.root[:1] * flat + motion.root[:1] * (1 - flat)
    yaw = quat_yaw(turn)
    pelvis = quat_multiply(yaw, motion.rotations[:, 0])
    return replace(
        motion,
        rotations=torch.cat([pelvis[:, None], motion.rotations[:, 1:]], dim=1),
        root=place + quat_rotate(yaw, motion.root - motion.root[:1]),
    )


def meet(span: Motion, before: Motion | None, after: Motion | None) -> Motion:
    """Return a span adapted in pose and velocity to the frames before and after it; None for none."""
    length = _blend_frames(span.num_frames, span.fps)
    rotations, root = span.rotations, span.root
    if before is not None:
        rotations, root = take_over(rotations, root, before.rotations[-3:], before.root[-3:], length)
    if after is not None:  # the same, backwards in time
        rotations, root = take_over(
            rotations.flip(0), root.flip(0), after.rotations[:3].flip(0), after.root[:3].flip(0), length
        )
        rotations, root = rotations.flip(0), root.flip(0)
    return _stepping(replace(span, rotations=rotations, root=root), before, after)


def _stepping(span: Motion, before: Motion | None, after: Motion | None) -> Motion:
    """Return a span whose feet step at its ends where they would slide."""
    count = min(LENGTH, span.num_frames // 2)
    if count <= SECOND_FOOT:
        return span
    if before is not None:
        span = step_across(append(before[-1:], span), 0, count)[1:]
    if after is not None:
        span = step_across(append(span, after[:1]), span.num_frames - count, span.num_frames)[:-1]
    return span


def append(motion: Motion, after: Motion) -> Motion:
    """Return two motions concatenated, without blending."""
    return replace(
        motion,
        rotations=torch.cat([motion.rotations, after.rotations]),
        root=torch.cat([motion.root, after.root]),
    )


def put(motion: Motion, span: Motion, first: int, last: int) -> Motion:
    """Return a motion with frames [first, last) replaced by a span of the same length.

    Raises:
        ValueError: a span of another length.
    """
    if span.num_frames != last - first:
        raise ValueError(
            f"span: expected {last - first} frames, got {span.num_frames}; give as many as are replaced"
        )
    return replace(
        motion,
        rotations=torch.cat([motion.rotations[:first], span.rotations, motion.rotations[last:]]),
        root=torch.cat([motion.root[:first], span.root, motion.root[last:]]),
    )


def _lead(span: Motion, landing: Motion, after: Motion, rigid: bool) -> Motion:
    """Return a span turned and shifted so that its continuation reaches the frames after it.

    Args:
        span: to adapt.
        landing: one frame, the continuation of the span.
        after: frames after the span, whose first one the landing has to reach.
        rigid: move the span as a whole, if no frames precede it; otherwise its start stays and its path is bent where
            it steps: feet that stand still are moved least.
    """
    turn = after.heading()[:1] - landing.heading()
    turn = torch.atan2(torch.sin(turn), torch.cos(turn))
    pivot = span.root[:1]
    flat = pivot.new_tensor([1.0, 0.0, 1.0])
    shift = (after.root[:1] - pivot - quat_rotate(quat_yaw(turn), landing.root - pivot)) * flat
    count = span.num_frames
    share = torch.ones(count) if rigid else _share_of_steps(span)
    bend = quat_yaw(turn * share)  # (T, 4)
    root = pivot + quat_rotate(bend, span.root - pivot) + shift * share[:, None]
    pelvis = quat_multiply(bend, span.rotations[:, 0])
    return replace(span, rotations=torch.cat([pelvis[:, None], span.rotations[:, 1:]], dim=1), root=root)


def _share_of_steps(span: Motion) -> Tensor:
    """Return the share (T,), rising from 0 to 1, of the way and of the turn that each frame of a span makes."""
    speed = torch.zeros(span.num_frames)
    speed[1:] = (span.root[1:, [0, 2]] - span.root[:-1, [0, 2]]).norm(dim=-1) * span.fps
    going = (speed + STANDING_SHARE).cumsum(0)
    return going / (going[-1] + STANDING_SHARE)


def _blend_frames(available: int, fps: float) -> int:
    return max(1, min(round(BLEND_SECONDS * fps), available // 2))
