"""The floor under a whole body: a person who lies, crawls or stands on the hands does not stand on the soles."""

from torch import Tensor

from motiongen.contacts import CLEARANCE, CONTACT_INDEX, joint_speed
from motiongen.skeleton import SMPL22

BODY_CLEARANCE: dict[str, float] = {
    "pelvis": 0.11, "left_hip": 0.10, "right_hip": 0.10, "spine1": 0.11, "spine2": 0.11, "spine3": 0.11,
    "neck": 0.07, "head": 0.09, "left_collar": 0.10, "right_collar": 0.10,
    "left_shoulder": 0.09, "right_shoulder": 0.09, "left_elbow": 0.045, "right_elbow": 0.045,
    "left_wrist": 0.04, "right_wrist": 0.04, "left_knee": 0.055, "right_knee": 0.055,
    "left_ankle": 0.06, "right_ankle": 0.06, "left_foot": 0.025, "right_foot": 0.025,
}  # fmt: skip
"""How far the joint is from the skin on which the body may rest, metres; an ankle's is that of a kneeling person."""
STANDING_SPEED = 0.3
"""A foot slower than this stands, m/s."""
LEAST_STANDING = 0.15
"""Feet that stand in fewer frames than this part say nothing of the floor."""
LOW_PELVIS = 0.55
"""A pelvis below this height, metres, belongs to a low posture: sitting on the floor, lying, crawling."""


def clearance(like: Tensor) -> Tensor:
    """Return BODY_CLEARANCE (22,) in SMPL-22's order, as a tensor of the same kind."""
    return like.new_tensor([BODY_CLEARANCE[name] for name in SMPL22.names])


def lowest_gap(positions: Tensor) -> Tensor:
    """Return the gap (...) between the floor y = 0 and the lowest part of the body, metres; negative below it.

    Args:
        positions: joints of SMPL-22 (..., 22, 3) in the world.
    """
    return (positions[..., 1] - clearance(positions)).amin(-1)


def body_floor(positions: Tensor) -> float:
    """Return the height of the floor that a clip's body (T, 22, 3) rests on, metres.

    The 5th percentile over time of the body's lowest part, so that neither a jump nor a bad frame decides.
    """
    return float(lowest_gap(positions).quantile(0.05))


def standing_floor(positions: Tensor, fps: float) -> float | None:
    """Return the height of what the feet of a clip (T, 22, 3) stand on, metres; None if they hardly ever stand.

    The 15th percentile of the soles' heights where a foot is slow.
    """
    feet = positions[:, CONTACT_INDEX]  # (T, 4, 3): ankle and toes of either foot
    height = (feet[..., 1] - feet.new_tensor(CLEARANCE)).unflatten(1, (2, 2)).amin(-1)  # (T, 2)
    slow = joint_speed(feet, fps).unflatten(1, (2, 2)).amin(-1) < STANDING_SPEED
    if int(slow.sum()) < LEAST_STANDING * len(positions):
        return None
    return float(height[slow].quantile(0.15))
