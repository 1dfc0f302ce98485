"""Foot locking: standing feet hold still, all else stays, a still body is not touched."""

import torch
from torch.testing import assert_close

from motiongen.contacts import joint_speed
from motiongen.foot_lock import LONGEST_SHIFT, lock_feet, slide
from motiongen.motion import Motion
from motiongen.rotation import quat_angle, quat_from_axis_angle, quat_multiply
from motiongen.skeleton import SMPL22
from tests.core.motions import t_pose


def crouched(frames: int = 40) -> Motion:
    """Stands with bent knees."""
    bends = torch.zeros(22, 3)
    for side in ("left", "right"):
        bends[SMPL22.index(f"{side}_hip"), 0], bends[SMPL22.index(f"{side}_knee"), 0] = -0.5, 1.0
        bends[SMPL22.index(f"{side}_ankle"), 0] = -0.5
    rotations = quat_multiply(t_pose(frames).rotations, quat_from_axis_angle(bends).expand(frames, 22, 4))
    return Motion(SMPL22, rotations, t_pose(frames).root, 30.0).grounded()


def sliding(frames: int = 40) -> Motion:
    """The same, and the whole body glides at 0.2 m/s: both feet slide."""
    motion = crouched(frames)
    return Motion(
        SMPL22,
        motion.rotations,
        motion.root + torch.arange(frames)[:, None] * torch.tensor([0.2 / 30, 0, 0]),
        30.0,
    )


def test_sliding_feet_are_held():
    before, after = sliding(20), sliding(20).with_locked_feet()  # by 13 cm
    ankles = [SMPL22.index("left_ankle"), SMPL22.index("right_ankle")]
    assert float(joint_speed(before.positions()[:, ankles], 30).mean()) > 0.19
    assert float(joint_speed(after.positions()[:, ankles], 30).mean()) < 0.01


def test_only_the_legs_change_and_feet_keep_their_turn():
    before, after = sliding(), sliding().with_locked_feet()
    assert_close(after.root, before.root)
    legs = {SMPL22.index(f"{side}_{part}") for side in ("left", "right") for part in ("hip", "knee")}
    others = [joint for joint in range(22) if joint not in legs]
    assert (
        float(quat_angle(after.global_rotations()[:, others], before.global_rotations()[:, others]).max())
        < 1e-3
    )


def test_a_still_body_is_not_touched():
    motion = crouched()
    assert_close(motion.with_locked_feet().positions(), motion.positions(), atol=1e-4, rtol=0)


def test_feet_in_the_air_are_not_touched():
    motion = sliding().moved(torch.tensor([0.0, 0.5, 0.0]))
    assert_close(motion.with_locked_feet().positions(), motion.positions(), atol=1e-4, rtol=0)


def test_toes_are_held_while_the_heel_lifts():
    motion = sliding(12)
    rolling = torch.zeros(12, 22, 3)
    rolling[:, SMPL22.index("left_ankle"), 0] = torch.linspace(0, 0.5, 12)  # the foot turns about its ankle
    motion = Motion(SMPL22, quat_multiply(motion.rotations, quat_from_axis_angle(rolling)), motion.root, 30.0)
    foot = motion.positions()[:, [SMPL22.index("left_ankle"), SMPL22.index("left_foot")]]
    toes_stand = torch.tensor([[False, True]]).expand(12, 2)
    assert_close(slide(foot, toes_stand)[1:], (foot[1:, 1] - foot[:-1, 1]) * torch.tensor([1.0, 0.0, 1.0]))
    contacts = torch.zeros(12, 4, dtype=torch.bool)
    contacts[:, 1] = True
    locked = lock_feet(motion.global_rotations(), motion.positions(), contacts, SMPL22, 30.0)
    toes = Motion(SMPL22, locked, motion.root, 30.0).positions()[:, SMPL22.index("left_foot")]
    assert float((toes[1:] - toes[:-1])[:, [0, 2]].norm(dim=-1).max()) < 1e-3


def test_frames_outside_a_span_stay_and_its_ends_meet_them():
    before, after = sliding(40), sliding(40).with_locked_feet(10, 30)
    assert_close(after.rotations[:10], before.rotations[:10], atol=1e-5, rtol=0)
    assert_close(after.rotations[30:], before.rotations[30:], atol=1e-5, rtol=0)
    ankle = SMPL22.index("left_ankle")
    assert float(joint_speed(after.positions()[:, [ankle]], 30)[16:24].mean()) < 0.01
    steps = (after.positions() - before.positions())[:, ankle].diff(dim=0).norm(dim=-1)
    assert float(steps.max()) < 0.02  # no pop: under 2 cm a frame


def test_a_foot_that_slides_far_is_moved_a_little():
    before = sliding(200)  # 1.3 m: a glide that is meant
    moved = before.with_locked_feet().positions() - before.positions()
    assert float(moved.norm(dim=-1).max()) < LONGEST_SHIFT + 1e-3
