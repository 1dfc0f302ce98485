"""Motion: slicing, resampling, mirroring, joining, turning, standing."""

import math

import pytest
import torch
from torch.testing import assert_close

from motiongen.motion import Motion
from motiongen.rotation import quat_angle
from motiongen.skeleton import SMPL22
from tests.core.motions import t_pose, wobble


def test_slice_is_in_seconds():
    motion = wobble(60)
    assert_close(motion.slice(0.5, 1.0).root, motion.root[15:30])
    with pytest.raises(ValueError, match=r"slice: expected 0 <= start < end <= 2.00 s, got 1.00:3.00"):
        motion.slice(1.0, 3.0)


def test_resample_there_and_back_is_the_same():
    motion = wobble(31)
    assert motion.resample(60).num_frames == 61
    assert_close(motion.resample(60).resample(30).positions(), motion.positions(), atol=1e-5, rtol=0)


def test_resample_takes_the_middle_by_slerp():
    turn = torch.tensor([[0, 0, 0, 1.0], [0, math.sqrt(0.5), 0, math.sqrt(0.5)]])
    rotations = SMPL22.rest_rotations.repeat(2, 1, 1)
    rotations[:, 0] = turn
    middle = Motion(SMPL22, rotations, torch.tensor([[0.0, 1, 0], [2, 1, 0]]), 1.0).resample(2.0)
    assert float(middle.heading()[1]) == pytest.approx(math.pi / 4, abs=1e-6)
    assert_close(middle.root[1], torch.tensor([1.0, 1, 0]))


def test_mirror_exchanges_the_sides():
    motion = wobble()
    mirrored = motion.mirror()
    expected = motion.positions()[:, list(SMPL22.mirror_index)] * torch.tensor([-1.0, 1, 1])
    assert_close(mirrored.positions(), expected, atol=1e-5, rtol=0)
    assert_close(mirrored.mirror().positions(), motion.positions(), atol=1e-5, rtol=0)


def test_concatenate_has_no_seam():
    first, second = wobble(40, seed=1), wobble(40, seed=2)
    joined = first.concatenate(second)
    assert joined.num_frames == 80
    speed = (joined.positions()[1:] - joined.positions()[:-1]).norm(dim=-1).mean(-1)  # (T - 1,)
    assert float(speed[39]) < 1.5 * float(speed[35:38].mean()), "the step across the seam is an ordinary step"
    assert_close(joined.rotations[:40], first.rotations)


def test_concatenate_keeps_the_second_ones_course_after_the_blend():
    first, second = t_pose(30), wobble(40)
    joined = first.concatenate(second, blend=0.2)
    assert float(quat_angle(joined.rotations[40:, 1:], second.rotations[10:, 1:]).max()) < 1e-3


def test_heading_and_origin():
    motion = wobble().with_heading(1.0)
    assert float(motion.heading()[0]) == pytest.approx(1.0, abs=1e-5)
    start = motion.at_origin()
    assert_close(start.root[0, [0, 2]], torch.zeros(2), atol=1e-6, rtol=0)
    assert float(start.heading()[0]) == pytest.approx(0.0, abs=1e-5)


def test_turning_keeps_distances():
    motion = wobble()
    feet = motion.turned(0.7).positions()[:, 10]
    assert_close(
        (feet[1:] - feet[:-1]).norm(dim=-1),
        (motion.positions()[1:, 10] - motion.positions()[:-1, 10]).norm(dim=-1),
    )


def test_grounded_puts_the_soles_on_the_floor():
    motion = t_pose().moved(torch.tensor([0.0, 0.4, 0.0])).grounded()
    assert float(motion.positions()[0, 10, 1]) == pytest.approx(0.025, abs=1e-5)


def test_a_standing_body_has_all_contacts_and_a_flying_one_none():
    assert bool(t_pose().contacts().all())
    assert not bool(t_pose().moved(torch.tensor([0.0, 0.3, 0.0])).contacts().any())


def test_not_a_number_is_refused_by_frame():
    motion = t_pose()
    root = motion.root.clone()
    root[3, 1] = math.nan
    with pytest.raises(ValueError, match="NaN or infinity in frame 3"):
        Motion(SMPL22, motion.rotations, root, 30.0)


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"expected rotations \(T, 22, 4\)"):
        Motion(SMPL22, torch.zeros(4, 21, 4), torch.zeros(4, 3), 30.0)
