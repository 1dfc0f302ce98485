"""The floor under a body that stands, and under one that lies."""

import math

import pytest
import torch

from motiongen.body_floor import BODY_CLEARANCE, body_floor, lowest_gap
from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle
from motiongen.skeleton import SMPL22
from tests.core.motions import t_pose


def lying(height: float, frames: int = 8) -> Motion:
    """A T-pose tipped onto its back."""
    motion = t_pose(frames)
    rotations = motion.rotations.clone()
    rotations[:, 0] = quat_from_axis_angle(torch.tensor([-math.pi / 2, 0.0, 0.0]))
    return Motion(SMPL22, rotations, torch.tensor([0.0, height, 0.0]).expand(frames, 3), 30.0)


def test_every_joint_has_a_clearance():
    assert set(BODY_CLEARANCE) == set(SMPL22.names)


def test_a_standing_body_rests_on_its_feet():
    gap = lowest_gap(t_pose().positions())
    assert gap.abs().max() < 0.05


def test_a_lying_body_floats_by_as_much_as_it_is_lifted():
    on_floor = lying(0.0)
    floor = body_floor(on_floor.positions())
    assert floor < -0.1  # a back is deeper than the pelvis joint
    assert body_floor(lying(0.23 - floor).positions()) == pytest.approx(0.23, abs=1e-5)


def test_one_bad_frame_does_not_move_the_floor():
    positions = t_pose(100).positions().clone()
    positions[50, :, 1] -= 1.0
    assert body_floor(positions) == pytest.approx(body_floor(t_pose(100).positions()), abs=1e-5)
