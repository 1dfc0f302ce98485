"""How far a motion is from a constraint."""

import math

import torch
from torch import Tensor

from motiongen.constraints.avoid import Avoid
from motiongen.constraints.file import Constraint
from motiongen.constraints.gaze import AHEAD
from motiongen.constraints.joint_key import JointKey
from motiongen.constraints.look_at import LookAt
from motiongen.constraints.obstacles import depth
from motiongen.constraints.pose_key import PoseKey
from motiongen.constraints.poses import frame_of, pose_of
from motiongen.constraints.root_path import RootPath
from motiongen.motion import Motion
from motiongen.rotation import quat_angle, quat_rotate


def errors(motion: Motion, constraint: Constraint) -> tuple[float | None, float | None]:
    """Return the distance, metres, and the angle, radians, between a motion and a constraint; None where none is asked.

    Means over frames and joints; of an obstacle how deep a joint enters it at most.

    Args:
        motion: of SMPL-22.
        constraint: within its length.
    """
    if isinstance(constraint, Avoid):
        return max(0.0, float(depth(constraint, motion.positions()[..., [0, 2]]).max())), None
    if isinstance(constraint, LookAt):
        return None, _gaze(motion, constraint)
    if isinstance(constraint, JointKey):
        return _joint(motion, constraint)
    if isinstance(constraint, PoseKey):
        frame = frame_of(constraint.time, motion)
        rotations, root = pose_of(constraint, motion, frame)
        placed = motion.skeleton.fk(rotations, root)[1]
        return (
            float((motion.positions()[frame] - placed).norm(dim=-1).mean()),
            float(quat_angle(motion.rotations[frame], rotations).mean()),
        )
    if isinstance(constraint, RootPath):
        points, headings, times = constraint.points, constraint.headings, constraint.times
    else:
        points, times = ((constraint.x, constraint.z),), (constraint.time,)
        headings = None if constraint.heading is None else (constraint.heading,)
    frames = [frame_of(time, motion) for time in times]
    away = float((motion.root[frames][:, [0, 2]] - motion.root.new_tensor(points)).norm(dim=1).mean())
    if headings is None:
        return away, None
    return away, _angle(motion.heading()[frames] - motion.root.new_tensor(headings))


def _joint(motion: Motion, key: JointKey) -> tuple[float | None, float | None]:
    frames, joint = _frames(motion, key), motion.skeleton.index(key.joint)
    away = turned = None
    if key.position is not None:
        away = float(
            (motion.positions()[frames, joint] - motion.root.new_tensor(key.position)).norm(dim=1).mean()
        )
    if key.rotation is not None:
        turned = float(
            quat_angle(motion.global_rotations()[frames, joint], motion.root.new_tensor(key.rotation)).mean()
        )
    return away, turned


def _gaze(motion: Motion, look: LookAt) -> float:
    frames, head = _frames(motion, look), motion.skeleton.index("head")
    way = motion.root.new_tensor(look.point) - motion.positions()[frames, head]
    looks = quat_rotate(motion.global_rotations()[frames, head], motion.root.new_tensor(AHEAD))
    cosine = (looks * way).sum(-1) / way.norm(dim=-1).clamp_min(1e-6)
    return float(torch.acos(cosine.clamp(-1, 1)).mean())


def _frames(motion: Motion, constraint: JointKey | LookAt) -> Tensor:
    first, last = (frame_of(time, motion) for time in constraint.span)
    return torch.arange(first, last + 1)


def _angle(difference: Tensor) -> float:
    """Return the mean size of angles, radians, of which whole turns do not count."""
    return float((torch.remainder(difference + math.pi, math.tau) - math.pi).abs().mean())
