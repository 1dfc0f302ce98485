"""Physical foot contact: a body speeds up only while a foot stands (EDGE, Tseng et al., CVPR 2023)."""

import torch
from torch import Tensor

from motiongen.skeleton import SMPL22

SCALE = 10_000.0
"""The published numbers are ten thousand times the mean."""
FPS = 30.0
"""Rate at which the published numbers take a foot's step, metres a frame."""


def physical_foot_contact(positions: Tensor, fps: float) -> float:
    """Return PFC of a clip (T, 22, 3), metres, Y up; lower is more plausible, 0 is a body that never speeds up.

    The paper's PFC = 1 / (N max_j |a_j|) sum_i |a_i| |v_left,i| |v_right,i|, times SCALE. As the released code has it,
    a is the root's acceleration, its vertical part cut below 0 (a fall needs no foot), and v the horizontal step of the
    slower of a foot's two joints, in metres at 30 fps, not metres a second. Another rate's steps are brought to that.

    A still body gives the published code 0 / 0; here it is 0. So PFC alone is best for who does not dance.

    Raises:
        ValueError: fewer than three frames.
    """
    if len(positions) < 3:
        raise ValueError(
            f"positions: expected at least 3 frames, got {len(positions)}; give more of the clip"
        )
    places = positions.double()
    steps = places[1:] - places[:-1]  # (T - 1, 22, 3)
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
