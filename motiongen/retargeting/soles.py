"""Where a foot touches the floor: its heel and its ball, under the joints of a skeleton in the T-pose."""

from dataclasses import dataclass

from torch import Tensor

from motiongen.contacts import CLEARANCE
from motiongen.retargeting.t_pose import leg_length
from motiongen.rotation import quat_inverse, quat_rotate
from motiongen.skeleton import SMPL22, Skeleton

SMPL_LEG = 0.805
"""Length of SMPL-22's leg, metres, by which sizes of other bodies are told."""
ANKLE, BALL = CLEARANCE[0], CLEARANCE[1]
"""Height of SMPL-22's ankle and of the ball of its foot over the sole, metres."""
_HEEL = 0.35
"""How far the heel is behind the ankle, as a share of the way from the ankle to the ball."""
_LOWEST, _HIGHEST = 0.4, 3.0
"""Range of the ankle's height over the sole, in those of SMPL-22's for the same leg."""


@dataclass(frozen=True)
class Sole:
    """The points of one foot that stand on the floor.

    Attributes:
        ankle: joint of the ankle.
        toes: joint of the toes; the ankle where there is none, or where it shall not be used.
        depth: height of the ankle over the sole while the foot is flat, metres.
        heel: (3,) in the ankle's frame, metres.
        ball: (3,) in the frame of `toes`, metres.
    """

    ankle: int
    toes: int
    depth: float
    heel: Tensor
    ball: Tensor


def find_sole(
    skeleton: Skeleton,
    mapping: dict[str, str],
    t_pose: Tensor,
    side: str,
    *,
    has_toes: bool = True,
    depth: float | None = None,
) -> Sole:
    """Return the sole of a foot, which is flat in the T-pose.

    Args:
        skeleton: any humanoid with ankles.
        mapping: SMPL joint name -> joint name of the skeleton.
        t_pose: local rotations (J, 4) of the T-pose.
        side: "left" or "right".
        has_toes: whether the ball turns with the toes, where the skeleton has them; else with the foot.
        depth: height of the ankle over the sole, metres, as a mesh tells it; by the joints' heights if None.
    """
    turned, at = skeleton.fk(t_pose, skeleton.offsets.new_zeros(3))
    ankle = skeleton.index(mapping[f"{side}_ankle"])
    size = leg_length(skeleton, mapping) / SMPL_LEG
    toe = skeleton.index(mapping[f"{side}_foot"]) if f"{side}_foot" in mapping else None
    depth = _depth(skeleton, at, ankle, toe, size) if depth is None else depth
    forward = at.new_tensor([0.0, 0.0, SMPL22.offsets[SMPL22.index("left_foot"), 2] * size])
    if toe is not None and float((at[toe] - at[ankle])[[0, 2]].norm()) > 0.02 * size:
        forward = (at[toe] - at[ankle]) * at.new_tensor([1.0, 0.0, 1.0])
    down = at.new_tensor([0.0, -depth, 0.0])
    joint = toe if toe is not None and has_toes else ankle
    ball = at[ankle] + forward + down
    return Sole(
        ankle=ankle,
        toes=joint,
        depth=depth,
        heel=quat_rotate(quat_inverse(turned[ankle]), down - _HEEL * forward),
        ball=quat_rotate(quat_inverse(turned[joint]), ball - at[joint]),
    )


def _depth(skeleton: Skeleton, at: Tensor, ankle: int, toe: int | None, size: float) -> float:
    """Return the ankle's height over the sole by what lies lowest: the ball under which there is flesh, or a tip."""
    below = [ANKLE * size] if toe is None else [float(at[ankle, 1] - at[toe, 1]) + BALL * size]
    line = {ankle}
    for joint in range(ankle + 1, skeleton.num_joints):
        if skeleton.parents[joint] in line:
            line.add(joint)
            below.append(float(at[ankle, 1] - at[joint, 1]))
    return min(max(*below, _LOWEST * ANKLE * size), _HIGHEST * ANKLE * size)
