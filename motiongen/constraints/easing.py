"""Offsets that come and go smoothly over the frames of a clip."""

from collections.abc import Sequence

import torch
from torch import Tensor


def ease(done: Tensor) -> Tensor:
    """Return a smooth rise from 0 to 1 of shares that do; flat at both ends to second order."""
    done = done.clamp(0, 1)
    return done**3 * (10 - 15 * done + 6 * done**2)


def smoothed(values: Tensor, sigma: float) -> Tensor:
    """Return values (T, D) under a Gaussian of so many frames; straight lines stay, up to the ends."""
    reach = min(round(3 * sigma), len(values) - 1)
    if reach < 1:
        return values
    taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1).to(values) / sigma) ** 2)
    before = 2 * values[:1] - values[1 : reach + 1].flip(0)
    after = 2 * values[-1:] - values[-reach - 1 : -1].flip(0)
    padded = torch.cat([before, values, after]).T[:, None]  # (D, 1, T + 2 reach)
    return torch.nn.functional.conv1d(padded, (taps / taps.sum())[None, None])[:, 0].T


def curve(knots: Tensor, values: Tensor, at: Tensor) -> Tensor:
    """Return a curve (T, D) through values at knots, straight beyond them.

    A cubic Hermite spline. A slope is the mean of the two secants beside it, at most twice the flatter one, so that it
    neither overshoots nor leaves a place where it rests.

    Args:
        knots: (K,) in rising order, K >= 2.
        values: (K, D).
        at: (T,).
    """
    gaps = (knots[1:] - knots[:-1])[:, None]
    secants = (values[1:] - values[:-1]) / gaps  # (K - 1, D)
    slopes = torch.cat([secants[:1], secants[-1:]])
    if len(knots) > 2:
        inner = (secants[:-1] * gaps[1:] + secants[1:] * gaps[:-1]) / (gaps[1:] + gaps[:-1])
        least = 2 * torch.minimum(secants[:-1].norm(dim=1), secants[1:].norm(dim=1))[:, None]
        inner = inner * (least / inner.norm(dim=1, keepdim=True).clamp_min(1e-9)).clamp(max=1.0)
        slopes = torch.cat([secants[:1], inner, secants[-1:]])
    piece = (torch.searchsorted(knots, at, right=True) - 1).clamp(0, len(knots) - 2)
    gap = gaps[piece]
    t = (at - knots[piece])[:, None] / gap
    inside = t.clamp(0, 1)
    a, b, c, d = values[piece], values[piece + 1], slopes[piece] * gap, slopes[piece + 1] * gap
    found = (
        a * (1 + 2 * inside) * (1 - inside) ** 2
        + c * inside * (1 - inside) ** 2
        + b * inside**2 * (3 - 2 * inside)
        - d * inside**2 * (1 - inside)
    )
    beyond = t - inside
    return found + torch.where(beyond < 0, c, d) * beyond


def faded(count: int, frames: Sequence[int], values: Tensor, reach: Sequence[int]) -> Tensor:
    """Return an offset (T, D) that has values at frames, and fades to 0 where no frame is near.

    Args:
        count: T.
        frames: K of them, in rising order.
        values: (K, D).
        reach: in how many frames each fades; between frames that are nearer it goes from one to the other.
    """
    at = torch.arange(count).to(values)
    total = torch.zeros(count, values.shape[1]).to(values)
    for i, frame in enumerate(frames):
        ahead = i + 1 < len(frames) and frames[i + 1] - frame < reach[i] + reach[i + 1]
        behind = i > 0 and frame - frames[i - 1] < reach[i] + reach[i - 1]
        after = frames[i + 1] - frame if ahead else max(1, reach[i])
        before = frame - frames[i - 1] if behind else max(1, reach[i])
        distance = torch.where(at >= frame, (at - frame) / after, (frame - at) / before)
        total += (1 - ease(distance))[:, None] * values[i]
    return total


def window(count: int, first: int, last: int, reach: int) -> Tensor:
    """Return weights (T,) that are 1 from a frame to a last one, and fall to 0 within `reach` frames beside them."""
    at = torch.arange(count)
    outside = torch.maximum(first - at, at - last).clamp_min(0)
    return 1 - ease(outside / max(1, reach))


def runs(mask: Tensor, least: int = 1) -> list[tuple[int, int]]:
    """Return the runs [first, last] of true in a mask (T,) that are at least so many frames long."""
    edges = torch.diff(mask.int(), prepend=mask.new_zeros(1).int(), append=mask.new_zeros(1).int())
    starts, ends = (edges == 1).nonzero()[:, 0].tolist(), (edges == -1).nonzero()[:, 0].tolist()
    return [(first, last - 1) for first, last in zip(starts, ends, strict=True) if last - first >= least]
