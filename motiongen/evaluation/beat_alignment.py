"""How well a dance's accents fall on the music's beats.

Beat alignment score (Li et al., "AI Choreographer", ICCV 2021, equation 6; as Siyao et al., "Bailando", CVPR 2022,
compute it): at 60 frames a second, kinematic beats are the local minima of the mean joint speed after a Gaussian of 5
frames, and a music beat counts exp(-d^2 / 18) where d is the distance in frames to the nearest of them.

The score alone rewards jitter: a body that stops all the time has a stop near every beat. `beat_precision` and
`alignment_margin` tell that from dancing.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from motiongen.evaluation.bootstrap import Interval, mean_interval

RATE = 60.0
"""Frames a second at which the published numbers are taken."""
SMOOTHING = 5.0
"""Standard deviation of the Gaussian over speeds, frames."""
TOLERANCE = 3.0
"""Standard deviation of the score's Gaussian, frames."""


def kinematic_beats(positions: Tensor, fps: float) -> Tensor:
    """Return the moments (K,), seconds, at which a body of joint positions (T, J, 3) comes to rest, float64.

    As published, the speed between two frames bears the time of the first: beats are half a frame, 8 ms, early. A rest
    of several equal speeds counts once, at its beginning; the published code misses it.
    """
    places = at_rate(positions.double(), fps)  # (T', J, 3)
    if len(places) < 4:
        return places.new_zeros(0)
    speed = _smoothed((places[1:] - places[:-1]).norm(dim=-1).mean(dim=-1))  # (T' - 1,)
    falls, rises = speed[1:-1] < speed[:-2], speed[1:-1] <= speed[2:]
    moments = (falls & rises).nonzero()[:, 0] + 1
    return moments.double() / RATE


def beat_alignment(positions: Tensor, fps: float, beats: Tensor) -> float:
    """Return the score, 0 to 1, of a dance (T, J, 3) under music beats (K,), seconds; 0 without kinematic beats.

    Only beats within the dance count. Without any there is no score: a NaN would spoil a mean, a 0 bias it.

    Raises:
        ValueError: no beat lies within the dance.
    """
    beats = _inside(beats, positions, fps)
    return float(_near(beats, kinematic_beats(positions, fps)).mean())


def beat_precision(positions: Tensor, fps: float, beats: Tensor) -> float:
    """Return the same the other way round: how near each kinematic beat is to a music beat. Jitter lowers it.

    0 without kinematic beats.

    Raises:
        ValueError: no beat lies within the dance.
    """
    beats = _inside(beats, positions, fps)
    found = kinematic_beats(positions, fps)
    return float(_near(found, beats).mean()) if len(found) else 0.0


def alignment_margin(
    dances: Sequence[Tensor],
    fps: float,
    beats: Sequence[Tensor],
    *,
    generator: torch.Generator,
    resamples: int = 2000,
) -> Interval:
    """Return by how much dances fit their own beats better than the other songs', with its 95 % interval.

    A dance's own score less its mean score under the other songs; the interval is a bootstrap over the dances. 0 says
    that a dance does not listen. Other songs without a beat within the dance are left out.

    Args:
        dances: N of (T, J, 3), metres, of any lengths.
        fps: their rate.
        beats: beats (K,) of the song of each dance, seconds from its first frame.
        generator: draws the resamples.
        resamples: how many.

    Raises:
        ValueError: fewer than two dances, a song too many or too few, or a dance without a beat of its own or others.
    """
    if len(dances) != len(beats) or len(dances) < 2:
        raise ValueError(
            f"dances, beats: expected as many of both and at least 2, got {len(dances)} and {len(beats)}; "
            "give the beats of each dance's song"
        )
    gains = []
    for index, dance in enumerate(dances):
        found, own = kinematic_beats(dance, fps), _inside(beats[index], dance, fps)
        others = [_within(heard, dance, fps) for other, heard in enumerate(beats) if other != index]
        scores = [_near(heard, found).mean() for heard in others if len(heard)]
        if not scores:
            raise ValueError(
                f"beats: expected another song's beat within dance {index}, got none; give more songs"
            )
        gains.append(_near(own, found).mean() - torch.stack(scores).mean())
    return mean_interval(torch.stack(gains), generator=generator, resamples=resamples)


def at_rate(positions: Tensor, fps: float) -> Tensor:
    """Return positions (T, J, 3) at RATE frames a second, by straight lines."""
    if fps == RATE:
        return positions
    # A little more than the quotient: rounding must not take the last frame, as it would of 124 at 30 fps.
    count = int((len(positions) - 1) * RATE / fps + 1e-6) + 1
    times = torch.arange(count, dtype=torch.float64, device=positions.device) * (fps / RATE)
    low = times.floor().long().clamp(max=len(positions) - 1)
    high = (low + 1).clamp(max=len(positions) - 1)
    return torch.lerp(positions[low], positions[high], (times - low)[:, None, None].to(positions))


def _within(beats: Tensor, positions: Tensor, fps: float) -> Tensor:
    return beats[(beats >= 0) & (beats < len(positions) / fps)].to(positions.device, torch.float64)


def _inside(beats: Tensor, positions: Tensor, fps: float) -> Tensor:
    inside = _within(beats, positions, fps)
    if not len(inside):
        raise ValueError(
            f"beats: expected one within {len(positions) / fps:.2f} s, got none; give the song's beats"
        )
    return inside


def _near(moments: Tensor, others: Tensor) -> Tensor:
    """How near each moment (K,) is to one of the others (M,), 1 to 0."""
    if not len(others):
        return torch.zeros_like(moments)
    away = (moments[:, None] - others[None]).abs().amin(dim=1) * RATE
    return torch.exp(-away.square() / (2 * TOLERANCE**2))


def _smoothed(speed: Tensor) -> Tensor:
    """Speed (T,) under a Gaussian of SMOOTHING frames.

    Its ends are as SciPy's gaussian_filter has them: cut at 4 deviations, mirrored with the last value repeated
    (c b a | a b c), which decides where the first and the last beat lie.
    """
    reach, count = int(4 * SMOOTHING + 0.5), len(speed)
    offsets = torch.arange(-reach, reach + 1, dtype=speed.dtype, device=speed.device)
    kernel = torch.exp(-0.5 * (offsets / SMOOTHING).square())
    index = torch.arange(-reach, count + reach, device=speed.device) % (2 * count)
    padded = speed[torch.minimum(index, 2 * count - 1 - index)]
    return F.conv1d(padded[None, None], (kernel / kernel.sum())[None, None])[0, 0]
