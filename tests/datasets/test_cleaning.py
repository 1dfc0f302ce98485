"""Cleaning: what is cut, and what is left alone."""

import pickle
from dataclasses import replace
from functools import partial

import pytest
import torch

from motiongen.motion import Motion
from motiongen.skeleton import SMPL22
from motiongen_datasets.cleaning import canonical, clean_span, left_out, resampled, without_calibration_pose
from tests.core.motions import t_pose, wobble

OWN = {name: name for name in SMPL22.names}


def concatenated(*motions: Motion) -> Motion:
    return replace(
        motions[0],
        rotations=torch.cat([motion.rotations for motion in motions]),
        root=torch.cat([motion.root for motion in motions]),
    )


def test_a_first_frame_in_t_pose_goes():
    motion = wobble(fps=60.0)
    cleaned = without_calibration_pose(concatenated(t_pose(1, fps=60.0), motion), OWN)
    assert torch.equal(cleaned.rotations, motion.rotations)


def test_a_t_pose_smeared_over_frames_goes_whole():
    motion = wobble(fps=60.0)
    smeared = concatenated(t_pose(3, fps=60.0), motion)
    smeared = replace(smeared, rotations=smeared.rotations.clone())
    smeared.rotations[1] = torch.nn.functional.normalize(
        smeared.rotations[0] + 0.5 * smeared.rotations[3], dim=-1
    )
    smeared.rotations[2] = torch.nn.functional.normalize(
        smeared.rotations[0] + 2.0 * smeared.rotations[3], dim=-1
    )
    assert without_calibration_pose(smeared, OWN).num_frames == motion.num_frames


@pytest.mark.parametrize(
    "motion", [wobble(fps=60.0), wobble(fps=30.0), wobble(fps=120.0), t_pose(30), wobble(5)]
)
def test_a_clip_that_starts_in_motion_stays_whole(motion):
    assert without_calibration_pose(motion, OWN) is motion


def test_the_longest_stretch_without_jumps_is_kept():
    motion = wobble(120)
    root = motion.root.clone()
    root[30:] += 5.0  # five metres in a frame
    cleaned = clean_span(replace(motion, root=root), OWN)
    assert 80 <= cleaned.num_frames <= 90
    torch.testing.assert_close(cleaned.root[-1], root[-1])


def test_a_clip_cut_too_short_is_refused():
    motion = wobble(50)
    root = motion.root + (torch.arange(50) // 20)[:, None] * 5.0
    with pytest.raises(ValueError, match=r"expected 1\.0 s without jumps, got 0\.\d+ s"):
        clean_span(replace(motion, root=root), OWN)


def test_a_clip_without_jumps_is_not_cut_even_when_short():
    motion = wobble(20)
    assert clean_span(motion, OWN).num_frames == 20


@pytest.mark.parametrize(("fps", "frames"), [(120.0, 31), (60.0, 61), (30.0, 121), (24.0, 151)])
def test_resampled_runs_at_thirty(fps, frames):
    assert resampled(wobble(121, fps=fps)).num_frames == frames
    assert resampled(wobble(121, fps=fps)).fps == 30.0


def test_whole_multiples_keep_frames_as_they_are():
    motion = wobble(9, fps=120.0)
    assert torch.equal(resampled(motion).rotations, motion.rotations[::4])


def test_canonical_stands_on_the_ground():
    motion = canonical(wobble(60).moved(torch.tensor([0.0, 3.0, 0.0])), OWN)
    assert motion.skeleton is SMPL22
    assert motion.positions()[..., 1].min().abs() < 0.1


def test_what_is_left_out_says_why_and_is_picklable():
    refuse = pickle.loads(pickle.dumps(partial(left_out, "hardly moves")))
    with pytest.raises(ValueError, match="hardly moves"):
        refuse()
