import pytest
import torch

from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle, quat_identity
from motiongen.skeleton import SMPL22, Skeleton


def arm_raise(frames=6, fps=30.0, speed=0.0):
    """The right arm rises by 90 degrees while the body glides along +Z."""
    rotations = quat_identity(frames, 22)
    angles = torch.linspace(0, -torch.pi / 2, frames)
    rotations[:, SMPL22.index("right_shoulder")] = quat_from_axis_angle(
        angles[:, None] * torch.tensor([0.0, 0.0, 1.0])
    )
    root = torch.zeros(frames, 3)
    root[:, 1], root[:, 2] = 0.97, torch.arange(frames) * speed / fps
    return Motion(skeleton=SMPL22, rotations=rotations, root=root, fps=fps)


@pytest.fixture
def motion():
    return arm_raise()


@pytest.fixture
def chain():
    """Three joints and a tip on top of each other, swaying."""
    skeleton = Skeleton(
        names=("base", "LeftMiddle", "top"),
        parents=(-1, 0, 1),
        offsets=torch.tensor([[0.0, 0, 0], [0, 0.6, 0], [0, 0.5, 0]]),
        ends=((2, (0.0, 0.3, 0.0)),),
    )
    angles = torch.linspace(0, 0.5, 5)
    rotations = quat_from_axis_angle(angles[:, None, None] * torch.tensor([1.0, 0.0, 0.0]).expand(5, 3, 3))
    return Motion(skeleton=skeleton, rotations=rotations, root=torch.zeros(5, 3), fps=30.0)
