"""A humanoid skeleton as retargeting sees it: its parts, its T-pose, its size and its soles."""

from dataclasses import dataclass

from torch import Tensor

from motiongen.humanoid import humanoid_map
from motiongen.retargeting.soles import Sole, find_sole
from motiongen.retargeting.t_pose import find_t_pose, leg_length
from motiongen.skeleton import Skeleton

SIDES = ("left", "right")


@dataclass(frozen=True)
class Body:
    """A humanoid skeleton as retargeting sees it.

    Attributes:
        skeleton: the joints.
        mapping: SMPL joint name -> joint name of the skeleton.
        t_pose: local rotations (J, 4) of the T-pose.
        depths: height of the left and the right ankle over the sole, metres, as a mesh tells it; None by the joints.
    """

    skeleton: Skeleton
    mapping: dict[str, str]
    t_pose: Tensor
    depths: tuple[float, float] | None = None

    @classmethod
    def of(
        cls,
        skeleton: Skeleton,
        mapping: dict[str, str] | None = None,
        t_pose: Tensor | None = None,
        depths: tuple[float, float] | None = None,
    ) -> "Body":
        """Return a skeleton with its parts found by names, and its T-pose by its rest pose, where they are not given.

        Raises:
            ValueError: the skeleton is no humanoid, or a limb has a bone without length.
        """
        mapping = humanoid_map(skeleton) if mapping is None else mapping
        return cls(skeleton, mapping, find_t_pose(skeleton, mapping) if t_pose is None else t_pose, depths)

    def index(self, role: str) -> int:
        """Return the joint that plays one of SMPL's parts."""
        return self.skeleton.index(self.mapping[role])

    @property
    def leg(self) -> float:
        """Length of a leg, metres."""
        return leg_length(self.skeleton, self.mapping)

    def soles(self, *, has_toes: bool) -> list[Sole]:
        """Return the left and the right sole."""
        return [
            find_sole(self.skeleton, self.mapping, self.t_pose, side, has_toes=has_toes, depth=depth)
            for side, depth in zip(SIDES, self.depths or (None, None), strict=True)
        ]
