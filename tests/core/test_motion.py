"""Motion: slicing, resampling, mirroring, joining, turning, standing."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from motiongen.motion import Motion
from motiongen.rotation import quat_angle, quat_identity
from motiongen.skeleton import SMPL22, Skeleton
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


def test_the_repr_is_one_short_line():
    assert repr(wobble(45)) == "Motion(SMPL-22, 45 frames, 30 fps, 1.50 s)"
    arm = Skeleton(("base", "tip"), (-1, 0), torch.zeros(2, 3))
    motion = Motion(arm, quat_identity(2, 2), torch.zeros(2, 3), 29.97)
    assert repr(motion) == "Motion(2 joints from 'base', 2 frames, 29.97 fps, 0.07 s)"
    assert repr(SMPL22) == "Skeleton(SMPL-22)"


def test_a_frame_by_index_is_a_motion_of_one_frame():
    motion = wobble(5)
    assert len(motion) == motion.num_frames == 5
    for index in (0, 3, -1, -5):
        frame = motion[index]
        assert len(frame) == 1
        assert torch.equal(frame.root[0], motion.root[index])
        assert torch.equal(frame.rotations[0], motion.rotations[index])
    assert motion[3].root.data_ptr() == motion.root[3].data_ptr(), "a view, not a copy"
    for index in (5, -6):
        with pytest.raises(IndexError, match=f"frame: expected -5 to 4, got {index}"):
            motion[index]


def test_an_empty_span_is_refused():
    with pytest.raises(ValueError, match="T >= 1"):
        wobble(5)[3:3]


def test_frames_of_a_moving_rig_keep_their_translations():
    motion = replace(wobble(4), translations=torch.arange(4 * 22 * 3.0).reshape(4, 22, 3))
    assert torch.equal(motion[2].translations[0], motion.translations[2])


def test_to_changes_the_type_and_every_method_goes_on():
    motion = wobble(20)
    double = motion.to(dtype=torch.float64)
    assert double.root.dtype == double.rotations.dtype == double.positions().dtype == torch.float64
    assert motion.to("cpu").root.data_ptr() == motion.root.data_ptr()
    for each in (double, double.mirror(), double.resample(20), double.with_locked_feet(), double.at_origin()):
        assert each.root.dtype == torch.float64
    assert_close(double.heading().float(), motion.heading(), atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match=r"dtype: expected a floating-point type, got torch.int64"):
        motion.to(dtype=torch.int64)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_rounded_quaternions_are_still_of_unit_length(dtype):
    assert wobble(40).to(dtype=dtype).rotations.dtype == dtype


def test_a_quaternion_that_is_no_rotation_is_refused_by_frame_and_joint():
    rotations = t_pose().rotations.clone()
    rotations[3, SMPL22.index("head")] = 0.0
    with pytest.raises(
        ValueError, match=r"got one of length 0 in frame 3, joint 'head'; use .*quat_normalize"
    ):
        Motion(SMPL22, rotations, t_pose().root, 30.0)
    Motion(SMPL22, t_pose().rotations * 1.0005, t_pose().root, 30.0)  # what rounding does is let through


def test_translations_that_are_not_numbers_are_refused():
    translations = torch.zeros(8, 22, 3)
    translations[5, 2, 0] = math.inf
    with pytest.raises(ValueError, match="NaN or infinity in frame 5"):
        Motion(SMPL22, t_pose().rotations, t_pose().root, 30.0, translations)


@pytest.mark.parametrize("fps", [0.0, -30.0, math.nan, math.inf])
def test_a_rate_that_is_none_is_refused(fps):
    with pytest.raises(ValueError, match="fps: expected a positive rate"):
        Motion(SMPL22, t_pose().rotations, t_pose().root, fps)


@dataclass
class NumpyFrame:
    rotations: np.ndarray
    root: np.ndarray


def test_numpy_frames_there_and_back_are_the_same_bits():
    motion = wobble(6)
    frames = [NumpyFrame(*pose) for pose in zip(*motion.numpy(), strict=True)]
    again = Motion.from_frames(frames, 30.0)
    assert torch.equal(again.rotations, motion.rotations) and torch.equal(again.root, motion.root)
    assert again.skeleton is SMPL22


def test_rounded_frames_are_normalised_on_request():
    rotations, root = wobble(3).numpy()
    frames = [NumpyFrame(np.float32(1.01) * r, p) for r, p in zip(rotations, root, strict=True)]
    with pytest.raises(ValueError, match=r"expected unit quaternions, got one of length 1.01 in frame 0"):
        Motion.from_frames(frames, 30.0)
    assert_close(Motion.from_frames(frames, 30.0, normalize=True).rotations, wobble(3).rotations)


def test_no_frames_make_no_motion():
    with pytest.raises(ValueError, match="frames: expected one or more of the same joints, got 0"):
        Motion.from_frames([], 30.0)
