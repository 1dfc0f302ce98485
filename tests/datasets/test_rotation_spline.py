"""Splines between captured frames: exact where frames are, smoother and nearer to the truth between them."""

import torch

from motiongen.rotation import quat_angle
from motiongen_datasets.rotation_spline import resample_smooth
from tests.core.motions import wobble


def test_captured_frames_are_kept():
    coarse = wobble(30, fps=15.0)
    fine = resample_smooth(coarse, 30.0)
    assert fine.fps == 30.0 and fine.num_frames == 59
    assert quat_angle(fine.rotations[::2], coarse.rotations).max() < 1e-3
    torch.testing.assert_close(fine.root[::2], coarse.root, rtol=0, atol=1e-5)


def test_it_is_nearer_to_the_truth_than_slerp():
    truth, coarse = wobble(113, fps=30.0), wobble(45, fps=12.0)
    smooth, straight = resample_smooth(coarse, 30.0), coarse.resample(30.0)
    frames = min(truth.num_frames, smooth.num_frames)
    errors = [
        float(quat_angle(motion.rotations[:frames], truth.rotations[:frames]).mean())
        for motion in (smooth, straight)
    ]
    assert errors[0] < 0.2 * errors[1]


def test_speed_has_no_corners():
    coarse = wobble(45, fps=12.0)

    def jerk(motion):
        return motion.positions().diff(n=3, dim=0).norm(dim=-1).mean()

    assert jerk(resample_smooth(coarse, 30.0)) < 0.3 * jerk(coarse.resample(30.0))
