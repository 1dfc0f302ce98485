"""Physical foot contact score (PFC): a body should accelerate only with a foot in contact (EDGE, CVPR 2023)."""

import torch
from torch import Tensor

from motiongen.skeleton import SMPL22

SCALE = 10_000.0
"""Factor of the published values."""
FPS = 30.0
"""Frame rate of the foot displacements in the published values."""


def physical_foot_contact(positions: Tensor, fps: float) -> float:
    """Return the PFC of a clip; lower is more plausible, and 0 is a body that never accelerates.

    PFC = 1 / (N max_j |a_j|) sum_i |a_i| |v_left,i| |v_right,i| (Tseng et al., CVPR 2023), times SCALE. As in the
    released code, a is the acceleration of the root, its vertical part clamped at 0 (a fall needs no foot), and v is
    the horizontal displacement of the slower of the two joints of a foot in a frame at 30 fps. Displacements at other
    frame rates are scaled.

    A still body has a PFC of 0, where the published code gives 0 / 0; so PFC alone is best for no dance at all.

    Args:
        positions: (T, 22, 3) joint positions, metres, Y up.
        fps: frames a second.

    Raises:
        ValueError: fewer than three frames.
    """
    if len(positions) < 3:
        raise ValueError(
            f"positions: expected at least 3 frames, got {len(positions)}; give more of the clip"
        )
    positions = positions.double()
    steps = positions[1:] - positions[:-1]  # (T - 1, 22, 3)
    root = steps[1:, 0] - steps[:-1, 0]  # (T - 2, 3)
    effort = torch.stack([root[:, 0], root[:, 1].clamp_min(0), root[:, 2]], dim=-1).norm(dim=-1)
    largest = effort.max()
    if largest < 1e-12:
        return 0.0
    feet = steps[1:, :, [0, 2]].norm(dim=-1) * (fps / FPS)  # (T - 2, 22)
    left, right = (
        feet[:, [SMPL22.index(f"{side}_ankle"), SMPL22.index(f"{side}_foot")]].amin(-1)
        for side in ("left", "right")
    )
    return float((left * right * effort / largest).mean() * SCALE)
