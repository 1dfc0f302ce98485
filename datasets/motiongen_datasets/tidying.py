"""What is done to every clip of SMPL-22 before it is kept: calibration poses at its ends go, wrong time is refused."""

import torch
from torch import Tensor

from motiongen.contacts import joint_speed
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22
from motiongen_datasets.time_check import wrong_time

T_POSE_SECONDS = 0.3
"""An end held in a T-pose at least this long is a calibration; a shorter one is passed through."""
STILL = 0.4
"""Mean joint speed under which a T-pose is held, m/s."""

_PARTS = {name: SMPL22.index(name) for name in SMPL22.names}


def tidied(motion: Motion) -> Motion:
    """Return a clip of SMPL-22 as it is kept.

    Raises:
        ValueError: it is of no use; the message says why.
    """
    motion = without_t_pose_ends(motion)
    reason = wrong_time(motion)
    if reason is not None:
        raise ValueError(f"clip: {reason}")
    return motion


def t_pose_frames(positions: Tensor, fps: float) -> Tensor:
    """Return where (T,) bool a body (T, 22, 3) stands still with straight arms held out to the sides.

    Arms within 16 degrees of level, straight, in one line, over straight legs.
    """
    at = {name: positions[:, index] for name, index in _PARTS.items()}
    still = joint_speed(positions, fps).mean(1) < STILL
    arms = [at[f"{side}_wrist"] - at[f"{side}_shoulder"] for side in ("left", "right")]
    reach = torch.stack([arm.norm(dim=-1) for arm in arms])  # (2, T)
    longest = float(SMPL22.offsets[_PARTS["left_elbow"]].norm() + SMPL22.offsets[_PARTS["left_wrist"]].norm())
    level = torch.stack([arm[:, 1].abs() for arm in arms]) < 0.28 * reach
    straight = reach > 0.93 * longest
    opposite = (arms[0] * arms[1]).sum(-1) < -0.9 * reach[0] * reach[1]
    upright = at["neck"][:, 1] - at["pelvis"][:, 1] > 0.4
    stands = at["pelvis"][:, 1] - torch.minimum(at["left_ankle"][:, 1], at["right_ankle"][:, 1]) > 0.78
    return still & level.all(0) & straight.all(0) & opposite & upright & stands


def without_t_pose_ends(motion: Motion) -> Motion:
    """Return a motion without the T-poses held at its start and its end.

    Raises:
        ValueError: nothing else is left.
    """
    held = t_pose_frames(motion.positions(), motion.fps).tolist()
    least = round(T_POSE_SECONDS * motion.fps)
    first = next((n for n, pose in enumerate(held) if not pose), len(held))
    last = next((n for n, pose in enumerate(reversed(held)) if not pose), len(held))
    start, end = first if first >= least else 0, motion.num_frames - (last if last >= least else 0)
    if end - start < least:
        raise ValueError("clip: nothing but a T-pose")
    return motion[start:end]
