"""Constraints: paths, places, poses, hands, looks and obstacles that a motion has to meet. Importing needs no torch."""

from motiongen.constraints.avoid import Avoid
from motiongen.constraints.file import KINDS, Constraint, read, write
from motiongen.constraints.joint_key import JointKey
from motiongen.constraints.look_at import LookAt
from motiongen.constraints.pose_key import PoseKey
from motiongen.constraints.root_path import RootPath
from motiongen.constraints.waypoint import Waypoint

__all__ = [
    "KINDS",
    "Avoid",
    "Constraint",
    "JointKey",
    "LookAt",
    "PoseKey",
    "RootPath",
    "Waypoint",
    "read",
    "write",
]
