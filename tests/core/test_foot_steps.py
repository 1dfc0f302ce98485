"""Steps at seams: feet that would slide are lifted and set down, one after the other, and nothing jumps."""

import torch
from torch.testing import assert_close

from motiongen import features
from motiongen.blend import seam
from motiongen.contacts import joint_speed
from motiongen.data.composition import crossfade, stepping_crossfade
from motiongen.evaluation.foot_skate import foot_skate_speed, toes_over_floor
from motiongen.features import LAYOUT
from motiongen.foot_steps import LENGTH, ankles, foot_steps, step_across
from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle, quat_multiply
from motiongen.skeleton import SMPL22
from tests.core.test_foot_lock import crouched, sliding


def straddled(frames: int = 30) -> Motion:
    """Stands with bent knees, feet further apart: each 12 cm or so from where it is in `crouched`."""
    motion, apart = crouched(frames), torch.zeros(22, 3)
    for side, sign in (("left", 1), ("right", -1)):
        apart[SMPL22.index(f"{side}_hip"), 2], apart[SMPL22.index(f"{side}_ankle"), 2] = (
            0.18 * sign,
            -0.18 * sign,
        )
    turned = quat_multiply(quat_from_axis_angle(apart).expand(frames, 22, 4), motion.rotations)
    return Motion(SMPL22, turned, motion.root, 30.0).grounded()


def skate(motion: Motion) -> float:
    return float(foot_skate_speed(toes_over_floor(motion), 30.0))


def test_a_slide_becomes_a_step_and_both_ends_stay():
    before = sliding(14)  # 8.7 cm
    after = step_across(before, 0, 13)
    assert_close(after.rotations[[0, -1]], before.rotations[[0, -1]], atol=1e-6, rtol=0)
    assert_close(after.root, before.root)
    assert skate(after) < 0.6 * skate(before)
    heights = ankles(after.rotations, after.root)[..., 1]
    assert bool((heights.amax(dim=0) > heights[0] + 0.012).all())
    lifted = heights > heights[0] + 0.005
    assert not bool((lifted[2] & lifted[2].flip(0)).all())  # one foot first


def test_a_foot_that_steps_by_itself_and_one_that_stands_stay():
    for motion in (crouched(14), sliding(14).moved(torch.tensor([0.0, 0.2, 0.0]))):
        assert step_across(motion, 0, 13) is motion


def test_feet_stay_where_they_stand_until_they_step():
    old, new = crouched(3), straddled(30)
    steps = foot_steps(ankles(old.rotations, old.root), ankles(new.rotations, new.root))
    assert steps is not None
    assert sorted(steps.begins) == [0, 4]
    blended = seam(new.rotations, new.root, old.rotations, old.root, 10)
    rotations, root = blended.apply(new.rotations, new.root)
    stepped = steps.apply(rotations, root, ankles(new.rotations, new.root))
    before, after = (ankles(old.rotations, old.root)[-1], ankles(stepped, root))
    second = steps.begins.index(4)
    assert float((after[:4, second] - before[second])[:, [0, 2]].norm(dim=-1).max()) < 0.01
    assert_close(after[LENGTH:], ankles(new.rotations, new.root)[LENGTH:], atol=1e-4, rtol=0)
    plain, motion = Motion(SMPL22, rotations, root, 30.0), Motion(SMPL22, stepped, root, 30.0)
    assert skate(motion) < 0.5 * skate(plain)
    assert float(joint_speed(motion.positions(), 30.0).max()) < 2.5  # no pop


def test_a_stepped_seam_is_the_same_in_any_chunks():
    old, new = crouched(3), straddled(24)
    feet = ankles(new.rotations, new.root)
    steps = foot_steps(ankles(old.rotations, old.root), feet)
    assert steps is not None
    whole = steps.apply(new.rotations, new.root, feet)
    parts = [
        steps.apply(new.rotations[i : i + 4], new.root[i : i + 4], feet[i : i + 4], i)
        for i in range(0, 24, 4)
    ]
    assert_close(torch.cat(parts), whole, atol=1e-6, rtol=0)


def test_crossfaded_clips_step_and_keep_their_path():
    first, second = (features.encode(motion) for motion in (crouched(30), straddled(30)))
    slid, stepped = (fade(first, second, 12) for fade in (crossfade, stepping_crossfade))
    changed = (slid - stepped).abs().amax(dim=1).nonzero()[:, 0].tolist()
    assert changed
    assert set(changed) <= set(range(18, 30))
    root = slice(0, LAYOUT["height"].stop)
    assert_close(stepped[:, root], slid[:, root])
    assert skate(features.decode(stepped)) < 0.6 * skate(features.decode(slid))


def test_feet_that_are_in_the_air_or_already_there_do_not_step():
    old, new = crouched(3), straddled(12)
    feet = ankles(old.rotations, old.root)
    assert foot_steps(feet, feet.expand(3, 2, 3)) is None
    assert foot_steps(feet, ankles(new.rotations, new.root + torch.tensor([0.0, 0.3, 0.0]))) is None
    assert foot_steps(feet, ankles(new.rotations, new.root + torch.tensor([3.0, 0.0, 0.0]))) is None
