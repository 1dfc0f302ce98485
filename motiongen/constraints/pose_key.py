"""A pose of the whole body at a time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from motiongen.constraints import check

if TYPE_CHECKING:
    from motiongen.motion import Motion

JOINTS = 22
"""Joints of SMPL-22."""


@dataclass(frozen=True, kw_only=True)
class PoseKey:
    """The body has a pose at a time.

    Attributes:
        time: seconds.
        rotations: 22 local rotations of SMPL-22, unit quaternions x, y, z, w.
        root: position of the pelvis (x, y, z), metres.
        in_place: take the pose and its height, and stay where the motion is and as it faces.
    """

    kind: ClassVar[str] = "pose"

    time: float
    rotations: tuple[tuple[float, float, float, float], ...]
    root: tuple[float, float, float]
    in_place: bool = False

    def __post_init__(self) -> None:
        check.times(self.kind, self.time)
        if len(self.rotations) != JOINTS:
            raise ValueError(
                f"pose: expected {JOINTS} rotations, got {len(self.rotations)}; give one for each joint of SMPL-22"
            )
        for rotation in self.rotations:
            check.unit(self.kind, "rotations", rotation)
        check.finite(self.kind, "root", self.root, 3)

    @classmethod
    def from_motion(cls, motion: "Motion", at: float, *, time: float, in_place: bool = True) -> Self:
        """Return the key of a frame of another motion.

        Args:
            motion: of any humanoid.
            at: its time, seconds.
            time: of the key, seconds.
            in_place: as in the class.

        Raises:
            ValueError: a time outside the motion, or a skeleton that is no humanoid.
        """
        from motiongen.skeleton import SMPL22

        if not 0 <= at <= motion.seconds:
            raise ValueError(
                f"pose: expected a frame from 0 to {motion.seconds:.2f} s, got {at:g}; choose another"
            )
        if motion.skeleton.names != SMPL22.names:
            motion = motion.retarget(SMPL22).grounded()
        frame = min(round(at * motion.fps), motion.num_frames - 1)
        rotations = tuple((x, y, z, w) for x, y, z, w in motion.rotations[frame].tolist())
        x, y, z = motion.root[frame].tolist()
        return cls(time=time, rotations=rotations, root=(x, y, z), in_place=in_place)

    @property
    def span(self) -> tuple[float, float]:
        """First and last time, seconds."""
        return self.time, self.time

    @property
    def label(self) -> str:
        """Short name for messages."""
        return f"pose at {self.time:.2f} s"
