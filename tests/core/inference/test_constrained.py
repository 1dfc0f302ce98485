"""Generation under constraints: long enough, held, told; what is continued stays."""

from functools import partial

import pytest
import torch
from torch.testing import assert_close

from motiongen import JointKey, Waypoint, edit, generate
from motiongen.constraints.hold import hold
from motiongen.inference.constrained import constrained
from motiongen.inference.generate import variants
from motiongen.inference.model import PromptedMotion
from tests.core.constraints.walking import walk
from tests.core.inference.tiny import save_tiny


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return {"weights": save_tiny(tmp_path_factory.mktemp("weights")), "device": "cpu"}


def test_a_motion_is_as_long_as_its_constraints_last_and_meets_them(tiny):
    asked = [Waypoint(time=1.5, x=0.5, z=0.5), Waypoint(time=2.0, x=0.2, z=1.0, heading=0.5)]
    make = partial(generate, "a person walks", constraints=asked, seed=3, **tiny)
    motion = make(seconds=1)
    assert motion.num_frames >= 61 and torch.equal(motion.root, make(seconds=1).root)
    assert_close(motion.root[[45, 60]][:, [0, 2]], torch.tensor([[0.5, 0.5], [0.2, 1.0]]), atol=0.01, rtol=0)
    two = variants("a person walks", count=2, seconds=2, constraints=asked[:1], **tiny)
    assert [len(each.outcomes) for each in two] == [1, 1] and all(each.outcomes[0].met for each in two)


def test_what_is_continued_stays(tiny):
    start = walk(60)
    asked = [Waypoint(time=3.5, x=0.5, z=3.0)]
    motion = generate("a person walks", start_from=start, constraints=asked, seconds=1, **tiny)
    assert torch.equal(motion.rotations[:60], start.rotations)
    assert_close(motion.root[105, [0, 2]], torch.tensor([0.5, 3.0]), atol=0.02, rtol=0)
    with pytest.raises(ValueError, match=r"expected times after 2\.00 s"):
        generate("a person walks", start_from=start, constraints=[Waypoint(time=1, x=0, z=0)], **tiny)


def test_steps_that_go_not_nearly_far_enough_are_made_quicker():
    asked_for = []

    def write(seconds):
        asked_for.append(seconds)
        return [PromptedMotion(walk(round((seconds or 4.0) * 30)), ((0.0, seconds or 4.0, "walk"),))]

    (found,) = constrained(write, [Waypoint(time=3.9, x=0, z=6.0)], prompts=1, seconds=None, start=None)
    assert asked_for == [None, pytest.approx(5.6)]  # the own walk is 3.5 m long
    assert found.motion.num_frames == 120 and found.outcomes[0].after < 0.01


def test_an_edit_meets_constraints_and_keeps_what_is_before(tiny):
    motion = walk(120)
    free = edit(motion, "a person waves", between=(1.5, 3.0), **tiny)
    place = (
        free.positions()[75, free.skeleton.index("left_wrist")] + torch.tensor([0.05, 0.1, 0.05])
    ).tolist()
    asked = [JointKey(joint="left_wrist", time=2.5, position=tuple(place))]
    edited = edit(motion, "a person waves", between=(1.5, 3.0), constraints=asked, **tiny)
    assert torch.equal(edited.rotations[:45], motion.rotations[:45])
    assert hold(edited, asked, first=45).outcomes[0].before < 0.05
    with pytest.raises(ValueError, match="keep_path"):
        edit(motion, "a person waves", between=(1.5, 3.0), keep_path=True, constraints=asked, **tiny)
