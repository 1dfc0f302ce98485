"""Kinematic beats: the moments at which a dancing body comes to rest.

Local minima of the mean joint speed after a Gaussian of 5 frames, at 60 frames a second (Li et al., "AI Choreographer",
ICCV 2021; as Siyao et al., "Bailando", CVPR 2022, compute them).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

RATE = 60.0
"""Frames a second at which the published numbers are taken."""
SMOOTHING = 5.0
"""Standard deviation of the Gaussian over speeds, frames."""


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
