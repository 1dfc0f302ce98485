"""Lets an act be seen as often as asked, by leaving out or repeating spans whose ends fit."""

import torch
from torch import Tensor

from motiongen.motion import Motion
from motiongen.rotation import quat_rotate, quat_yaw
from motiongen.shaping.peaks import repetitions, signal, signal_of

SEAM_SECONDS = 0.25
"""Time in which a seam fades out."""
MIN_SPAN_SECONDS = 0.35
"""Shortest span that is repeated."""
EFFORT = 2.0
"""Misfit of a seam in the middle of the act, metres summed over the joints."""
_VELOCITY_SECONDS = 0.12
"""Weight of velocity against position in the fit of two frames: metres for each m/s."""


def repeat(motion: Motion, sentence: str, count: int) -> Motion:
    """Return a motion of SMPL-22 in which an act is seen `count` times; as it is where the act is not seen at all.

    Args:
        motion: shows the act at least once.
        sentence: the act.
        count: 1 or more.

    Raises:
        ValueError: a count below 1.
    """
    if count < 1:
        raise ValueError(f"count: expected 1 or more, got {count}; leave the motion as it is")
    found = repetitions(motion, sentence)
    if not found or len(found) == count:
        return motion
    effort = _effort(motion, sentence)
    tries = []
    for aim in (count, count - 1, count + 1):  # a seam may look like one more or one less
        if aim < 1 or aim == len(found):
            continue
        spans = (_left_out if len(found) > aim else _repeated)(motion, found, aim, effort)
        tries.append(_joined(motion, spans))
        if len(repetitions(tries[-1], sentence)) == count:
            return tries[-1]
    return tries[0]


def _left_out(motion: Motion, found: list[int], count: int, effort: Tensor) -> list[tuple[int, int]]:
    """Return the spans that stay: up to a frame after the last wanted peak, and from a fitting one after all peaks."""
    leave, come = (found[count - 1] + 1, found[count]), (found[-1] + 1, motion.num_frames)
    begin, end, _ = _best_pair(motion, leave, come, 1, effort)
    return [(0, begin), (end, motion.num_frames)]


def _repeated(motion: Motion, found: list[int], count: int, effort: Tensor) -> list[tuple[int, int]]:
    """Return the spans of a motion in which one repetition, the one whose ends fit best, is there several times."""
    last, shortest = motion.num_frames, round(MIN_SPAN_SECONDS * motion.fps)
    edges = [0, *found, last]
    pairs = [
        _best_pair(
            motion, (edges[i] + (i > 0), edges[i + 1]), (edges[i + 1] + 1, edges[i + 2]), shortest, effort
        )
        for i in range(len(found))
    ]
    begin, end, _ = min(pairs, key=lambda pair: pair[2])
    more = count - len(found)
    return [(0, end), *[(begin, end)] * (more - 1), (begin, last)]


def _effort(motion: Motion, sentence: str) -> Tensor:
    """Return how far into the act each frame (T,) is, from 0 to 1: seams belong where it is low."""
    values = signal(motion, signal_of(sentence))
    return (values - values.min()) / (values.max() - values.min()).clamp_min(1e-6)


def _best_pair(
    motion: Motion, first: tuple[int, int], second: tuple[int, int], shortest: int, effort: Tensor
) -> tuple[int, int, float]:
    """Return frames (a, b), a in the first span and b in the second, that fit best, and how badly they fit.

    Args:
        motion: the motion.
        first: span [begin, end) of a.
        second: span [begin, end) of b.
        shortest: least number of frames from a to b.
        effort: (T,) of each frame, which counts as misfit too.
    """
    rows = _descriptor(motion)
    a, b = torch.arange(*first), torch.arange(*second)
    misfit = torch.cdist(rows[a], rows[b]) + EFFORT * (effort[a][:, None] + effort[b][None, :])
    misfit = misfit.masked_fill(b[None, :] - a[:, None] < shortest, 1e6)
    best = int(misfit.argmin())
    return int(a[best // len(b)]), int(b[best % len(b)]), float(misfit.flatten()[best])


def _descriptor(motion: Motion) -> Tensor:
    """Return rows (T, D): joints from the heading, velocities and foot contacts, whose distance is a misfit."""
    positions = motion.positions()
    yaw = quat_yaw(-motion.heading())[:, None]
    flat = positions.new_tensor([1.0, 0.0, 1.0])
    local = quat_rotate(yaw, positions - positions[:, :1] * flat)  # (T, J, 3)
    velocity = torch.zeros_like(positions)
    velocity[1:] = (positions[1:] - positions[:-1]) * motion.fps
    velocity = quat_rotate(yaw, velocity) * _VELOCITY_SECONDS
    contacts = motion.contacts().to(positions) * 0.3
    return torch.cat([local.flatten(1), velocity.flatten(1), contacts], dim=1)


def _joined(motion: Motion, spans: list[tuple[int, int]]) -> Motion:
    """Return spans [begin, end) of a motion one after the other; each goes on where and as the one before ends."""
    result: Motion | None = None
    for begin, end in spans:
        if begin < end:
            piece = motion[begin:end]
            result = piece if result is None else result.concatenate(piece, blend=SEAM_SECONDS)
    assert result is not None
    return result
