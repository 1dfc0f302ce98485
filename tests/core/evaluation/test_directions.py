"""Directions and sides, measured on motions made by hand."""

import math

import pytest
import torch

from motiongen.evaluation.directions import PROMPTS, check_directions, direction_accuracy
from motiongen.evaluation.geometry import describe_motion
from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle, quat_identity
from motiongen.skeleton import SMPL22

FRAMES = 60


def standing(**joints):
    """Return a motion with hanging arms; joints=(T, 3) rotation vectors."""
    rotations = quat_identity(FRAMES, SMPL22.num_joints).clone()
    hanging = {
        "left_shoulder": torch.tensor([0.0, 0.0, -1.3]),
        "right_shoulder": torch.tensor([0.0, 0.0, 1.3]),
    }
    for name, vector in (hanging | joints).items():
        rotations[:, SMPL22.index(name)] = quat_from_axis_angle(vector)
    return Motion(SMPL22, rotations, torch.tensor([[0.0, 1.0, 0.0]]).repeat(FRAMES, 1), 30.0)


def lifted(side):
    sign = 1.0 if side == "left" else -1.0
    return sign * torch.linspace(-1.3, 1.3, FRAMES)[:, None] * torch.tensor([0.0, 0.0, 1.0])


def gone(forward=0.0, left=0.0, turn=0.0):
    """Return a motion that goes `forward` metres along its heading and turns `turn` radians to its left."""
    motion, angle = standing(), torch.linspace(0, turn, FRAMES)
    rotations = motion.rotations.clone()
    rotations[:, 0] = quat_from_axis_angle(angle[:, None] * torch.tensor([0.0, 1.0, 0.0]))
    ahead = torch.stack([angle.sin(), 0 * angle, angle.cos()], dim=-1) * forward / FRAMES
    aside = torch.stack([angle.cos(), 0 * angle, -angle.sin()], dim=-1) * left / FRAMES
    return Motion(SMPL22, rotations, motion.root + (ahead + aside).cumsum(0), 30.0)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_rising_wrist_is_the_acting_hand(side):
    assert describe_motion(standing(**{f"{side}_shoulder": lifted(side)})) == {"hand": side}


def test_both_wrists_rising_is_both():
    motion = standing(left_shoulder=lifted("left"), right_shoulder=lifted("right"))
    assert describe_motion(motion)["hand"] == "both"


def test_a_kick_is_of_the_leg_that_rises():
    swing = torch.linspace(0, -1.4, FRAMES)[:, None] * torch.tensor([1.0, 0.0, 0.0])
    assert describe_motion(standing(right_hip=swing))["foot"] == "right"


@pytest.mark.parametrize(
    ("motion", "found"),
    [
        (gone(forward=2), {"travel": "forward"}),
        (gone(forward=-2), {"travel": "backward"}),
        (gone(left=2), {"travel": "left"}),
        (gone(left=-2), {"travel": "right"}),
        (gone(forward=2, turn=1.5), {"travel": "forward", "turn": "left"}),
        (gone(forward=2, turn=-3.5), {"travel": "forward", "turn": "right"}),
        (gone(), {}),
    ],
)
def test_travel_and_turn_are_in_the_body_frame(motion, found):
    assert describe_motion(motion) == found
    assert describe_motion(motion.turned(math.pi / 3)) == found


def test_mirrored_motion_has_the_other_side():
    assert describe_motion(gone(forward=2, turn=1.5).mirror())["turn"] == "right"
    assert describe_motion(standing(left_shoulder=lifted("left")).mirror())["hand"] == "right"


def test_standing_still_obeys_no_direction():
    assert not any(result.is_correct for result in check_directions(PROMPTS, [standing()] * len(PROMPTS)))


def test_an_obedient_model_scores_all_and_a_one_armed_one_some():
    def obedient(texts):
        made = {
            ("hand", "left"): standing(left_shoulder=lifted("left")),
            ("hand", "right"): standing(right_shoulder=lifted("right")),
            ("hand", "both"): standing(left_shoulder=lifted("left"), right_shoulder=lifted("right")),
            ("turn", "left"): gone(forward=2, turn=1.5),
            ("turn", "right"): gone(forward=2, turn=-1.5),
            ("travel", "forward"): gone(forward=2),
            ("travel", "backward"): gone(forward=-2),
        }
        return [made[prompt.key, prompt.expected[0]] for prompt in PROMPTS]

    assert direction_accuracy(obedient)[0] == 1.0
    lefts = sum(prompt.expected == ("left",) and prompt.key == "hand" for prompt in PROMPTS)
    score, _ = direction_accuracy(lambda texts: [standing(left_shoulder=lifted("left"))] * len(texts))
    assert score == pytest.approx(lefts / 20) and len(PROMPTS) == 20
