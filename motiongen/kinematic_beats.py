"""Kinematic beats: times at which the speed of a dancing body has a local minimum.

Local minima of the mean joint speed after a Gaussian of 5 frames, at 60 frames a second (Li et al., "AI Choreographer",
ICCV 2021; as Siyao et al., "Bailando", CVPR 2022, compute them).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

RATE = 60.0
"""Frame rate of the published metric."""
SMOOTHING = 5.0
"""Standard deviation of the Gaussian filter of the speed, frames."""


def kinematic_beats(positions: Tensor, fps: float) -> Tensor:
    """Return the times (K,), seconds, of the kinematic beats of a motion, float64.

    As published, the speed between two frames gets the time of the first, so that beats are half a frame, 8 ms, early.
    A plateau of equal speeds counts as one beat, at its start; the published code misses it.

    Args:
        positions: (T, J, 3) joint positions, metres.
        fps: frames a second.
    """
    positions = at_rate(positions.double(), fps)  # (T', J, 3)
    if len(positions) < 4:
        return positions.new_zeros(0)
    speed = _smoothed((positions[1:] - positions[:-1]).norm(dim=-1).mean(dim=-1))  # (T' - 1,)
    falls, rises = speed[1:-1] < speed[:-2], speed[1:-1] <= speed[2:]
    minima = (falls & rises).nonzero()[:, 0] + 1
    return minima.double() / RATE


def at_rate(positions: Tensor, fps: float) -> Tensor:
    """Return positions (T, J, 3) at `fps` resampled to RATE frames a second by linear interpolation."""
    if fps == RATE:
        return positions
    # The epsilon keeps rounding from dropping the last frame, as it would for 124 frames at 30 fps.
    count = int((len(positions) - 1) * RATE / fps + 1e-6) + 1
    times = torch.arange(count, dtype=torch.float64, device=positions.device) * (fps / RATE)
    low = times.floor().long().clamp(max=len(positions) - 1)
    high = (low + 1).clamp(max=len(positions) - 1)
    return torch.lerp(positions[low], positions[high], (times - low)[:, None, None].to(positions))


def _smoothed(speed: Tensor) -> Tensor:
    """Return speed (T,) filtered by a Gaussian of SMOOTHING frames.

    As SciPy's gaussian_filter: truncated at 4 deviations, with half-sample symmetric boundaries (c b a | a b c), on
    which the first and the last beat depend.
    """
    radius, count = int(4 * SMOOTHING + 0.5), len(speed)
    offsets = torch.arange(-radius, radius + 1, dtype=speed.dtype, device=speed.device)
    kernel = torch.exp(-0.5 * (offsets / SMOOTHING).square())
    index = torch.arange(-radius, count + radius, device=speed.device) % (2 * count)
    padded = speed[torch.minimum(index, 2 * count - 1 - index)]
    return F.conv1d(padded[None, None], (kernel / kernel.sum())[None, None])[0, 0]
