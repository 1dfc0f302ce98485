"""The learned frame: lossless, blind to where a motion starts, and the same streamed."""

import math

import pytest
import torch
from torch.testing import assert_close

from motiongen import features
from motiongen.motion import Motion
from motiongen.rotation import quat_yaw
from motiongen.skeleton import SMPL22
from tests.core.motions import t_pose, wobble


def test_the_layout_covers_every_channel_once():
    covered = [channel for part in features.LAYOUT.values() for channel in range(part.start, part.stop)]
    assert covered == list(range(features.FEATURE_DIM))


def test_decode_gives_the_motion_back():
    motion = wobble()
    back = features.decode(features.encode(motion), features.start_of(motion))
    assert_close(back.positions(), motion.positions(), atol=2e-5, rtol=0)


def test_where_and_which_way_it_starts_does_not_matter():
    motion = wobble()
    elsewhere = motion.turned(1.2).moved(torch.tensor([3.0, 0.0, -2.0]))
    assert_close(features.encode(elsewhere), features.encode(motion), atol=2e-4, rtol=0)


def test_a_walk_straight_ahead_by_hand():
    still = t_pose(5)
    root = still.root + torch.arange(5.0)[:, None] * torch.tensor([0.0, 0.0, 0.04])  # 4 cm a frame
    frame = features.encode(Motion(SMPL22, still.rotations, root, 30.0).turned(0.5))[3]
    assert_close(frame[features.LAYOUT["velocity"]], torch.tensor([0.0, 1.2]), atol=1e-4, rtol=0)
    assert float(frame[0]) == pytest.approx(0.0, abs=1e-4)
    assert_close(frame[features.LAYOUT["tilt"]], torch.tensor([1.0, 0, 0, 0, 1, 0]), atol=1e-5, rtol=0)


def test_a_turn_across_the_back_is_not_a_jump():
    frames = 40
    turn = quat_yaw(torch.arange(frames) * 0.2)  # over six radians in all
    rotations = t_pose(frames).rotations.clone()
    rotations[:, 0] = turn
    encoded = features.encode(Motion(SMPL22, rotations, t_pose(frames).root, 30.0))
    assert_close(encoded[:, 0], torch.full((frames,), 6.0), atol=1e-3, rtol=0)


@pytest.mark.parametrize("chunks", [[40], [1] * 40, [7, 20, 13]])
def test_stream_equals_batch(chunks):
    encoded = features.encode(wobble(40))[None]
    state = features.init_state(1)
    parts = [features.step(chunk, state) for chunk in encoded.split(chunks, dim=1)]
    whole = features.step(encoded, features.init_state(1))
    assert_close(torch.cat([part.root for part in parts], dim=1), whole.root, atol=1e-5, rtol=0)
    assert_close(torch.cat([part.rotations for part in parts], dim=1), whole.rotations, atol=1e-5, rtol=0)


def test_mirrored_features_are_those_of_the_mirrored_motion():
    motion = wobble()
    assert_close(
        features.mirror(features.encode(motion)), features.encode(motion.mirror()), atol=1e-4, rtol=0
    )


def test_a_stream_goes_on_from_a_motions_end():
    motion = wobble(20)
    standing = features.encode(t_pose(4))[None]
    frames = features.step(standing, features.end_of(motion))
    assert_close(frames.root[0, -1, [0, 2]], motion.root[-1, [0, 2]], atol=1e-5, rtol=0)
    assert float(frames.motion().heading()[-1]) == pytest.approx(float(motion.heading()[-1]), abs=1e-5)


def test_other_rates_and_skeletons_are_refused():
    with pytest.raises(ValueError, match=r"fps: expected 30, got 60; use motion.resample"):
        features.encode(wobble(fps=60))
    assert math.isclose(features.FPS, 30)
