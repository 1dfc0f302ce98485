"""Plays motion slower or faster, along smooth curves through its poses; what flies falls as fast as before."""

from dataclasses import replace

import torch
from torch import Tensor

from motiongen.motion import Motion
from motiongen.rotation import quat_normalize, quat_unroll

TEMPO_RANGE = (0.5, 1.8)
"""Slowest and fastest tempo: beyond, weight is no longer believed."""
EASE_FRAMES = 5
"""Frames over which the speed changes between ground and air."""


def with_tempo(motion: Motion, tempo: float) -> Motion:
    """Return a motion of SMPL-22 at another speed.

    Gravity sets the time of a flight, so frames without a foot on the ground keep their own.

    Args:
        motion: to be changed; its rate stays.
        tempo: factor of the speed, positive.

    Raises:
        ValueError: a tempo that is not positive.
    """
    if not tempo > 0:
        raise ValueError(f"tempo: expected a positive factor, got {tempo}; 1 changes nothing")
    if tempo == 1 or motion.num_frames < 2:
        return motion
    flies = (~motion.contacts().any(dim=1)) & (_lowest_rise(motion) > 0.04)
    speed = torch.where(flies, 1.0, tempo).double()
    window = torch.ones(1, 1, EASE_FRAMES, dtype=torch.float64) / EASE_FRAMES
    padded = torch.nn.functional.pad(
        speed[None, None], (EASE_FRAMES // 2, EASE_FRAMES // 2), mode="replicate"
    )
    speed = torch.nn.functional.conv1d(padded, window)[0, 0]  # (T,)
    times = torch.cat([speed.new_zeros(1), ((1 / speed[1:] + 1 / speed[:-1]) / 2).cumsum(0)])
    return at_times(motion, _inverse(times, torch.arange(int(times[-1]) + 1, dtype=torch.float64)))


def at_times(motion: Motion, frames: Tensor) -> Motion:
    """Return a motion at fractional frames (T',), along Catmull-Rom curves: straight lines would give steps in speed.

    Rotations are interpolated as quaternions of one hemisphere and made unit again, which for neighbouring frames
    agrees with the curve on the sphere to third order.
    """
    frames = frames.to(torch.float64).clamp(0, motion.num_frames - 1)
    low = frames.floor().long().clamp(max=max(0, motion.num_frames - 2))
    t = (frames - low).to(motion.root)
    rotations = quat_unroll(motion.rotations)
    return replace(
        motion,
        rotations=quat_normalize(_curve(rotations, low, t[:, None, None])),
        root=_curve(motion.root, low, t[:, None]),
    )


def _curve(points: Tensor, low: Tensor, t: Tensor) -> Tensor:
    """Return the curve through points (T, …) at `t` after the frames `low`; beyond the ends it goes on straight."""
    if len(points) == 1:
        return points[low]
    points = torch.cat([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    before, start, end, after = (points[low + k] for k in range(4))
    slope, next_slope = (end - before) / 2, (after - start) / 2
    return (
        (2 * t**3 - 3 * t**2 + 1) * start + (t**3 - 2 * t**2 + t) * slope
        + (3 * t**2 - 2 * t**3) * end + (t**3 - t**2) * next_slope
    )  # fmt: skip


def _lowest_rise(motion: Motion) -> Tensor:
    """Return how far (T,) the lowest joint is over the lowest of the whole clip, metres."""
    lowest = motion.positions()[..., 1].amin(dim=1)
    return lowest - lowest.min()


def _inverse(times: Tensor, wanted: Tensor) -> Tensor:
    """Return the fractional frames at which rising `times` (T,) have the wanted values."""
    high = torch.searchsorted(times, wanted).clamp(1, len(times) - 1)
    low = high - 1
    return low + (wanted - times[low]) / (times[high] - times[low])
