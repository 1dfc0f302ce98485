"""Takes cut into actions, and what their pieces are called."""

import math
from dataclasses import replace

import pytest
import torch

from motiongen.motion import Motion
from motiongen.skeleton import SMPL22
from motiongen_datasets.actions import actions, liveliness, measured_content
from motiongen_datasets.captions import Labels
from tests.core.motions import t_pose
from tests.datasets.test_tidying import arms_down
from tests.datasets.test_time_check import jump, stride


def going_on(*motions: Motion) -> Motion:
    """Motions one after the other, each from where the one before ended."""
    whole = motions[0]
    for motion in motions[1:]:
        shift = (whole.root[-1] - motion.root[0]) * torch.tensor([1.0, 0.0, 1.0])
        moved = motion.moved(shift)
        whole = Motion(
            SMPL22,
            torch.cat([whole.rotations, moved.rotations]),
            torch.cat([whole.root, moved.root]),
            30.0,
        )
    return whole


def stamping(seconds: float = 4.0) -> Motion:
    motion = stride(1.0, seconds)
    return replace(motion, root=motion.root * torch.tensor([1.0, 1.0, 0.0]))


def test_rests_at_the_ends_go_but_for_a_margin():
    take = going_on(arms_down(120), stamping(), arms_down(120))
    (piece,) = actions(take, Labels(content="squat"))
    assert piece.labels.content == "squat"
    assert 4.0 <= piece.motion.seconds <= 5.2
    assert piece.start == pytest.approx(120, abs=15)


def test_rests_between_part_the_actions():
    take = going_on(stamping(), arms_down(60), stamping())
    assert [piece.labels.content for piece in actions(take, Labels(content="squat"))] == ["squat", "squat"]


def test_the_way_to_an_act_is_not_called_by_its_name():
    way = stride(0.9, 6.0)
    rotations = way.rotations.clone()
    for name in ("left_shoulder", "right_shoulder"):
        rotations[:, SMPL22.index(name)] = arms_down(1).rotations[0, SMPL22.index(name)]
    take = going_on(replace(way, rotations=rotations), stamping(6.0))
    pieces = actions(take, Labels(content="cartwheel", sentences=("a person does a cartwheel",)))
    assert [piece.labels.content for piece in pieces] == ["walk", "cartwheel"]
    assert all(not piece.labels.sentences for piece in pieces)  # neither is most of the take


def test_a_calm_take_is_not_taken_for_rest():
    motion = stamping()
    slow = motion.at(torch.linspace(0, motion.num_frames - 1, 6 * motion.num_frames), 30.0)
    assert float(liveliness(slow).max()) < 1.0
    kept = sum(piece.motion.num_frames for piece in actions(slow, Labels(content="stretch")))
    assert kept > 0.8 * slow.num_frames


def test_idling_is_kept_where_it_is_the_content():
    idle = arms_down(300)
    assert actions(idle, Labels(content="idle"))[0].motion is idle


@pytest.mark.parametrize(
    ("motion", "content"),
    [
        (stride(1.4, 4.0), None),  # arms held out: no plain walk
        (jump(0.5), "jump"),
        (t_pose(60).moved(torch.tensor([0.0, -0.6, 0.0])), None),  # near the floor
    ],
)
def test_only_what_is_plain_is_measured(motion, content):
    if content == "jump":
        motion = replace(motion, root=motion.root * torch.tensor([1.0, 1.0, 0.3]))
    assert measured_content(motion) == content


def test_a_turn_on_the_spot_has_its_side():
    still = arms_down(60)
    turned = torch.stack(
        [still.turned(math.pi * n / 59).rotations[0] for n in range(60)]
    )  # half a turn to the left in two seconds
    assert measured_content(replace(still, rotations=turned)) == "turn-left"
