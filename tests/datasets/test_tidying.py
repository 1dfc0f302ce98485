"""Calibration poses at a clip's ends go."""

from dataclasses import replace

import pytest
import torch

from motiongen.rotation import quat_from_axis_angle
from motiongen.skeleton import SMPL22
from motiongen_datasets.tidying import t_pose_frames, tidied, without_t_pose_ends
from tests.core.motions import t_pose, wobble
from tests.datasets.test_cleaning import concatenated


def arms_down(frames: int):
    motion = t_pose(frames)
    rotations = motion.rotations.clone()
    for side, sign in (("left", -1.0), ("right", 1.0)):
        rotations[:, SMPL22.index(f"{side}_shoulder")] = quat_from_axis_angle(
            torch.tensor([0.0, 0.0, sign * 1.3])
        )
    return replace(motion, rotations=rotations)


def test_a_t_pose_is_told_from_arms_that_hang():
    assert t_pose_frames(t_pose(30).positions(), 30.0).all()
    assert not t_pose_frames(arms_down(30).positions(), 30.0).any()


def test_t_poses_at_both_ends_go():
    middle = arms_down(40)
    found = without_t_pose_ends(concatenated(t_pose(60), middle, t_pose(20)))
    # The frame of the jump itself is too fast to be a held pose: it may stay.
    assert 40 <= found.num_frames <= 42
    torch.testing.assert_close(found.rotations[5], middle.rotations[5])


def test_a_t_pose_that_is_passed_through_stays():
    motion = concatenated(t_pose(5), arms_down(40))
    assert without_t_pose_ends(motion).num_frames == 45


def test_a_clip_of_nothing_else_is_refused():
    with pytest.raises(ValueError, match="nothing but a T-pose"):
        tidied(t_pose(60))


def test_a_clip_in_motion_stays_as_it_is():
    motion = wobble(60)
    assert torch.equal(tidied(motion).rotations, motion.rotations)
