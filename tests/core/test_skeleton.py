"""Skeletons: forward kinematics by hand, the canonical body, errors that help."""

import math

import pytest
import torch
from torch.testing import assert_close

from motiongen.skeleton import SMPL22, Skeleton, are_unit

ARM = Skeleton(("a", "b", "c"), (-1, 0, 1), torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 0, 0]]))


def test_two_bones_by_hand():
    quarter = torch.tensor([0, 0, math.sqrt(0.5), math.sqrt(0.5)])  # 90 degrees about z
    rotations = torch.stack([quarter, quarter, torch.tensor([0.0, 0, 0, 1])])
    _, positions = ARM.fk(rotations, torch.tensor([5.0, 0, 0]))
    assert_close(positions, torch.tensor([[5.0, 0, 0], [5, 1, 0], [4, 1, 0]]))


def test_translations_take_the_place_of_offsets():
    moved = torch.tensor([[0.0, 0, 0], [2, 0, 0], [1, 0, 0]])
    _, positions = ARM.fk(ARM.rest_rotations, torch.zeros(3), moved)
    assert_close(positions[2], torch.tensor([3.0, 0, 0]))


def test_smpl22_is_a_person_in_a_t_pose():
    positions = dict(zip(SMPL22.names, SMPL22.rest_positions.tolist(), strict=True))
    assert positions["left_wrist"][0] > 0.6 and positions["right_wrist"][0] < -0.6, "left is +X"
    assert positions["left_foot"][2] > positions["left_ankle"][2], "toes point to +Z"
    assert 1.5 < positions["head"][1] - positions["left_foot"][1] < 1.7


def test_smpl22_is_symmetric():
    mirrored = SMPL22.offsets[list(SMPL22.mirror_index)] * torch.tensor([-1.0, 1, 1])
    assert_close(mirrored, SMPL22.offsets)


@pytest.mark.parametrize(
    "names", [("hips", "LeftArm", "RightArm"), ("root", "lfemur", "rfemur"), ("h", "arm.L", "arm.R")]
)
def test_sides_are_told_by_name(names):
    skeleton = Skeleton(names, (-1, 0, 0), torch.zeros(3, 3))
    assert skeleton.mirror_index == (0, 2, 1)


def test_an_unknown_joint_names_the_nearest():
    with pytest.raises(ValueError, match="got 'left_rist'; the nearest is 'left_wrist'"):
        SMPL22.index("left_rist")


@pytest.mark.parametrize(
    ("parents", "names", "message"),
    [
        ((-1, 2, 1), "abc", "parent of 'b' before it"),
        ((-1, 0), "abc", "expected 3 parents"),
        ((-1, 0, 0), "abb", "b twice"),
    ],
)
def test_a_broken_tree_is_refused(parents, names, message):
    with pytest.raises(ValueError, match=message):
        Skeleton(tuple(names), parents, torch.zeros(3, 3))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_units_are_told_from_others_in_every_type(dtype):
    quats = torch.tensor([[0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]], dtype=dtype)
    assert are_unit(quats)
    for wrong in (0.9, 1.1, float("nan"), float("inf")):
        assert not are_unit(torch.cat([quats, wrong * quats[:1]]))
