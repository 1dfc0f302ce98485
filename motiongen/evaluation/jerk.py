"""Jerk: the third derivative of position, a measure of jitter."""

from torch import Tensor


def jerk(positions: Tensor, fps: float) -> Tensor:
    """Return the mean magnitude of the jerk of positions (T, J, 3), metres, in m/s^3, by finite differences.

    The smoothness measure of human movement (Flash and Hogan, J. Neuroscience 1985), as used for motion capture in
    TransPose (Yi et al., SIGGRAPH 2021).
    """
    if positions.shape[0] < 4:
        return positions.new_zeros(())
    third = positions[3:] - 3 * positions[2:-1] + 3 * positions[1:-2] - positions[:-3]
    return (third * fps**3).norm(dim=-1).mean()
