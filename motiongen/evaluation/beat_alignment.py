"""How well a dance's accents fall on the music's beats.

Beat alignment score (Li et al., "AI Choreographer", ICCV 2021, equation 6; as Siyao et al., "Bailando", CVPR 2022,
compute it): at 60 frames a second, kinematic beats are the local minima of the mean joint speed after a Gaussian of 5
frames, and a music beat counts exp(-d^2 / 18) where d is the distance in frames to the nearest of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

RATE = 60.0
"""Frames a second at which the published numbers are taken."""
SMOOTHING = 5.0
TOLERANCE = 3.0
"""Standard deviation of the score's Gaussian, frames."""


@dataclass(frozen=True)
class Margin:
    """What alignment loses when the songs are exchanged: mean and 95 % interval over the dances."""

    mean: float
    low: float
    high: float


def kinematic_beats(positions: Tensor, fps: float) -> Tensor:
    """Return the moments, seconds, at which a body of joint positions (T, J, 3) comes to rest, float64."""
    places = at_rate(positions.double(), fps)  # (T', J, 3)
    if len(places) < 4:
        return places.new_zeros(0)
    speed = _smoothed((places[1:] - places[:-1]).norm(dim=-1).mean(dim=-1))  # (T' - 1,)
    falls, rises = speed[1:-1] < speed[:-2], speed[1:-1] <= speed[2:]
    moments = (falls & rises).nonzero()[:, 0] + 1
    return moments.double() / RATE


def beat_alignment(positions: Tensor, fps: float, beats: Tensor) -> float:
    """Return the score, 0 to 1, of a dance (T, J, 3) under music beats (K,), seconds; 0 without kinematic beats.

    Raises:
        ValueError: no beat lies within the dance.
    """
    beats = _inside(beats, positions, fps)
    return float(_near(beats, kinematic_beats(positions, fps)).mean())


def beat_precision(positions: Tensor, fps: float, beats: Tensor) -> float:
    """Return the same the other way round: how near each kinematic beat is to a music beat. Jitter lowers it."""
    found = kinematic_beats(positions, fps)
    return float(_near(found, _inside(beats, positions, fps)).mean()) if len(found) else 0.0


def alignment_margin(
    dances: Sequence[Tensor],
    fps: float,
    beats: Sequence[Tensor],
    *,
    generator: torch.Generator,
    resamples: int = 2000,
) -> Margin:
    """Return by how much dances (T, J, 3) fit their own beats better than the other dances' songs' beats.

    The interval is a bootstrap over the dances (Efron 1979).
    """
    found = [kinematic_beats(dance, fps) for dance in dances]
    lengths = [len(dance) / fps for dance in dances]
    score = torch.full((len(dances), len(dances)), torch.nan, dtype=torch.float64)
    for i, own in enumerate(found):
        for j, heard in enumerate(beats):
            inside = heard[(heard >= 0) & (heard < lengths[i])].double()
            if len(inside):
                score[i, j] = _near(inside, own).mean()
    own_score = score.diagonal()
    others = score.clone().fill_diagonal_(torch.nan).nanmean(dim=1)
    lost = own_score - others
    lost = lost[torch.isfinite(lost)]
    picks = torch.randint(len(lost), (resamples, len(lost)), generator=generator)
    means = lost[picks].mean(dim=1)
    return Margin(float(lost.mean()), float(means.quantile(0.025)), float(means.quantile(0.975)))


def _inside(beats: Tensor, positions: Tensor, fps: float) -> Tensor:
    inside = beats[(beats >= 0) & (beats < len(positions) / fps)].double()
    if not len(inside):
        raise ValueError(f"beats: expected one within {len(positions) / fps:.2f} s, got none; give the song's beats")
    return inside


def _near(moments: Tensor, others: Tensor) -> Tensor:
    """How near each moment (K,) is to one of the others (M,), 1 to 0."""
    if not len(others):
        return torch.zeros_like(moments)
    away = (moments[:, None] - others[None]).abs().amin(dim=1) * RATE
    return torch.exp(-away.square() / (2 * TOLERANCE**2))


def at_rate(positions: Tensor, fps: float) -> Tensor:
    """Return positions (T, J, 3) at RATE frames a second, by straight lines."""
    if fps == RATE:
        return positions
    count = int((len(positions) - 1) / fps * RATE) + 1
    times = torch.arange(count, dtype=torch.float64) / RATE * fps
    low = times.floor().long().clamp(max=len(positions) - 1)
    high = (low + 1).clamp(max=len(positions) - 1)
    return torch.lerp(positions[low], positions[high], (times - low)[:, None, None])


def _smoothed(speed: Tensor) -> Tensor:
    """Speed (T,) under a Gaussian of SMOOTHING frames, mirrored at its ends."""
    reach = min(int(4 * SMOOTHING), len(speed) - 1)
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (offsets / SMOOTHING).square())
    padded = F.pad(speed[None, None], (reach, reach), mode="reflect")
    return F.conv1d(padded, (kernel / kernel.sum())[None, None])[0, 0]
