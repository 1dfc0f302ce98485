"""Gestures made of others: the other arm mirrored or hanging, all else kept, and captions that say so."""

import torch
from torch.testing import assert_close

from motiongen import features
from motiongen.data.arms import both_arms, one_arm, other_gestures
from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle
from motiongen.skeleton import SMPL22
from tests.core.motions import standing

LEFT, RIGHT = SMPL22.index("left_wrist"), SMPL22.index("right_wrist")


def waving(frames: int = 24) -> Motion:
    """Stands with the right arm raised, the forearm swinging."""
    motion = standing(frames)
    rotations = motion.rotations.clone()
    swing = torch.zeros(frames, 3)
    swing[:, 2] = -1.2 + 0.4 * torch.sin(torch.arange(frames) * 0.6)
    rotations[:, SMPL22.index("right_shoulder")] = torch.tensor([0.0, 0.0, 0.0, 1.0])
    rotations[:, SMPL22.index("right_elbow")] = quat_from_axis_angle(swing)
    return Motion(SMPL22, rotations, motion.root, 30.0)


def test_the_other_arm_is_the_mirror_image():
    motion = waving()
    both = both_arms(motion, "right").positions()
    assert_close(both[:, RIGHT], motion.positions()[:, RIGHT])
    centred = both - both[:, :1]
    assert_close(centred[:, LEFT], centred[:, RIGHT] * torch.tensor([-1.0, 1.0, 1.0]), atol=1e-4, rtol=0)


def test_an_arm_hangs_where_it_hung_lowest():
    rising = both_arms(waving(), "right")
    hanging = standing(8)
    motion = Motion(
        SMPL22, torch.cat([hanging.rotations, rising.rotations]), torch.cat([hanging.root, rising.root]), 30.0
    )
    one = one_arm(motion, "left").positions()
    assert_close(one[:, LEFT], motion.positions()[:, LEFT])
    assert_close(one[:, RIGHT], hanging.positions()[:1, RIGHT].expand(len(motion), 3), atol=1e-5, rtol=0)


def test_a_wave_of_one_hand_is_made_with_both():
    frames = features.encode(waving())
    (made,) = other_gestures(frames, ["a person waves with the right hand", "wave", "he waves his right arm"])
    assert made.captions == ("a person waves with both hands", "he waves both arms")
    assert made.frames.shape == frames.shape
    positions = features.decode(made.frames).positions()
    assert float((positions[:, LEFT, 1] - positions[:, RIGHT, 1]).abs().max()) < 1e-3


def test_both_raised_hands_become_either():
    frames = features.encode(both_arms(waving(), "right"))
    captions = ["a person puts the hands up", "he lifts both his arms", "raise both hands", "dance"]
    left, right = other_gestures(frames, captions)
    assert left.captions == ("a person puts the left hand up", "he lifts the left arm", "raise the left hand")
    assert right.captions == (
        "a person puts the right hand up",
        "he lifts the right arm",
        "raise the right hand",
    )


def test_other_acts_are_left_alone():
    frames = features.encode(waving())
    for captions in (["a person punches with the right hand"], ["a person waves"], ["walks"], []):
        assert other_gestures(frames, captions) == []
    assert other_gestures(frames, ["a person waves the left hand, then raises both hands"]) == []
