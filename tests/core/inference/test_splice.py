"""Splicing: what is old stays bit for bit, what is new meets it in pose and speed."""

import torch
from torch.testing import assert_close

from motiongen import features
from motiongen.inference import splice
from motiongen.rotation import quat_angle
from tests.core.motions import t_pose, wobble


def steps(motion):
    return (motion.positions()[1:] - motion.positions()[:-1]).norm(dim=-1).mean(-1)  # (T - 1,)


def test_following_frames_go_on_where_the_motion_ends():
    motion = wobble(30, seed=1)
    new = splice.follow(motion, features.encode(wobble(40, seed=2)))
    joined = splice.put(motion, new, 30, 70)
    assert joined.num_frames == 70
    assert float(steps(joined)[29]) < 2 * float(steps(motion)[25:].mean())
    assert float(steps(joined).max()) < 3 * float(steps(wobble(40, seed=2)).max())


def test_a_span_is_led_to_meet_both_ends():
    motion, other = wobble(90, seed=1), features.encode(wobble(90, seed=2))
    span = splice.fill(motion, other, 30, 60)
    joined = splice.put(motion, span, 30, 60)
    assert torch.equal(joined.rotations[:30], motion.rotations[:30]) and torch.equal(
        joined.root[60:], motion.root[60:]
    )
    assert float(steps(joined)[28:62].max()) < 3 * float(steps(motion).max())


def test_a_new_beginning_is_moved_as_a_whole():
    motion, other = wobble(60, seed=1), features.encode(wobble(60, seed=2))
    span = splice.fill(motion, other, 0, 30)
    joined = splice.put(motion, span, 0, 30)
    assert float(steps(joined)[27:32].max()) < 2 * float(steps(motion).max())
    assert_close(joined.root[30:], motion.root[30:])


def test_a_span_of_the_same_frames_changes_nothing():
    motion = wobble(60, seed=1)
    joined = splice.put(motion, splice.fill(motion, features.encode(motion), 20, 40), 20, 40)
    assert float(quat_angle(joined.rotations, motion.rotations).max()) < 1e-2
    assert_close(joined.root, motion.root, atol=1e-2, rtol=0)


def test_a_still_body_stays_still():
    motion = t_pose(40)
    new = splice.follow(motion, features.encode(t_pose(20)))
    assert_close(new.positions(), t_pose(20).positions(), atol=1e-4, rtol=0)
