from dataclasses import replace

import numpy as np
import pytest
import torch

from motiongen.motion import Motion
from motiongen.render.clip import base_joint, prepare
from motiongen.rotation import quat_identity
from motiongen.skeleton import Skeleton


def test_skeleton_in_centimetres_is_brought_to_a_persons_size(chain):
    large = replace(chain, skeleton=replace(chain.skeleton, offsets=chain.skeleton.offsets * 100))
    tall = np.ptp(prepare(large, 30.0).motions[0].skeleton.rest_positions.numpy()[:, 1])
    assert tall == pytest.approx(1.7)


def test_motion_far_from_the_floor_is_put_down(motion):
    lifted = motion.moved(torch.tensor([0.0, 3.0, 0.0]))
    assert prepare(lifted, 30.0).points[..., 1].min() == pytest.approx(0.0, abs=1e-5)


def test_jump_that_leaves_the_floor_stays_as_it_is(motion):
    jump = replace(
        motion,
        root=motion.root + torch.tensor([0.0, 0.5, 0.0]) * torch.tensor([[0.0], [1], [1], [1], [1], [0]]),
    )
    np.testing.assert_array_equal(prepare(jump, 30.0).motions[0].root, jump.root)


def test_several_stand_side_by_side(motion):
    clip = prepare([motion, motion, motion[:2]], 30.0)
    starts = torch.stack([m.root[0] for m in clip.motions])
    np.testing.assert_allclose(torch.diff(starts, dim=0).norm(dim=1), [1.3, 1.3], atol=1e-5)
    assert clip.num_frames == 6


def test_reference_on_the_floor_is_not_the_body():
    skeleton = Skeleton(
        names=("ref", "hips", "head"),
        parents=(-1, 0, 1),
        offsets=torch.tensor([[0.0, 0, 0], [0, 1, 0], [0, 0.6, 0]]),
    )
    moving = skeleton.offsets.repeat(4, 1, 1)
    moving[:, 1, 2] = torch.arange(4.0)
    walk = Motion(
        skeleton=skeleton,
        rotations=quat_identity(4, 3),
        root=torch.zeros(4, 3),
        fps=30.0,
        translations=moving,
    )
    assert base_joint(walk) == 1
    np.testing.assert_allclose(prepare(walk, 30.0).centres[:, 2], [0, 1, 2, 3], atol=1e-5)


def test_no_motion_is_refused():
    with pytest.raises(ValueError, match="expected at least one motion, got none"):
        prepare([], 30.0)
