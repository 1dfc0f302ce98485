"""Bodies that sink: raised by as much as they sink, smoothly, and left alone where they stand."""

from dataclasses import replace

import pytest
import torch

from motiongen.above_floor import SINKS, above_floor
from tests.core.motions import t_pose


def sunk(depths):
    motion = t_pose(len(depths))
    low = motion.positions()[:, :, 1].amin(dim=1)
    root = motion.root.clone()
    root[:, 1] -= low + torch.tensor(depths)
    return replace(motion, root=root)


def heights(motion):
    return motion.positions()[..., 1].amin(dim=1)


def test_no_joint_stays_below_the_floor_and_the_way_up_and_down_is_smooth():
    motion = sunk([0.0] * 30 + [0.15] * 3 + [0.0] * 30)
    raised = above_floor(motion)
    assert heights(raised).min() >= -1e-5
    assert heights(raised)[31].item() == pytest.approx(0.0, abs=1e-5)
    lift = (raised.root - motion.root)[:, 1]
    assert lift.diff().abs().max() < 0.15 / 6 and lift[:15].abs().max() < 1e-6 > lift[-15:].abs().max()
    assert torch.equal(raised.rotations, motion.rotations)


def test_a_clip_that_begins_too_low_is_raised_from_its_first_frame_on():
    assert heights(above_floor(sunk([0.15, 0.1, 0.02, *[0.0] * 20]))).min() >= -1e-5


def test_who_stands_and_who_jumps_is_let_be():
    for depth in (0.0, SINKS / 2, -1.0):
        motion = sunk([depth] * 20)
        assert above_floor(motion) is motion
