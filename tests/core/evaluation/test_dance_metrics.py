import math

import pytest
import torch

from motiongen.evaluation.dance_features import (
    HUMERUS,
    dance_fid,
    distance_diversity,
    geometric_features,
    kinetic_features,
)
from motiongen.evaluation.foot_contact import physical_foot_contact
from motiongen.skeleton import SMPL22

REST = SMPL22.rest_positions - SMPL22.rest_positions[:, 1].min() * torch.tensor([0.0, 1, 0])


def still(frames: int = 61) -> torch.Tensor:
    return REST.expand(frames, 22, 3).clone().double()


def test_feet_that_glide_while_the_body_speeds_up_by_hand():
    clip = still(3)
    clip[2] += torch.tensor([0.02, 0.0, 0.0])  # the whole body: one step of 2 cm, after none
    assert physical_foot_contact(clip, 30.0) == pytest.approx(10_000 * 0.02 * 0.02 * 1.0)
    clip[:, [SMPL22.index("left_foot")]] = still(3)[:, [SMPL22.index("left_foot")]]  # one toe stands
    assert physical_foot_contact(clip, 30.0) == 0.0


def test_a_fall_is_no_effort_and_a_leap_is():
    feet = torch.tensor([[0.0], [0.01], [0.02], [0.04]]) * torch.tensor([0.0, 0, 1])
    clip = still(4)
    clip[:, 1:] += feet[:, None]
    falling, leaping = clip.clone(), clip.clone()
    falling[3, 0, 1] -= 0.1
    leaping[3, 0, 1] += 0.1
    assert physical_foot_contact(falling, 30.0) == 0.0
    assert physical_foot_contact(leaping, 30.0) == pytest.approx(10_000 * (0.04 - 0.02) ** 2 / 2)


def test_the_energy_of_a_body_that_glides_sideways_by_hand():
    clip = still()
    clip[..., 0] += torch.arange(61, dtype=torch.float64)[:, None] / 60 * 3  # 3 m/s
    features = kinetic_features(clip, 60.0).view(24, 3)
    torch.testing.assert_close(features, torch.tensor([9.0, 0.0, 0.0]).expand(24, 3), atol=1e-4, rtol=0)


def test_the_energy_of_a_jump_is_vertical_and_its_acceleration_that_of_gravity():
    clip = still()
    time = torch.arange(61, dtype=torch.float64) / 60
    clip[..., 1] += (-4.9 * time**2)[:, None]
    horizontal, vertical, effort = kinetic_features(clip, 60.0).view(24, 3)[0].tolist()
    assert horizontal == 0.0 and vertical == pytest.approx(9.8**2 / 3, rel=0.03)
    assert effort == pytest.approx(9.8, rel=1e-5)


def test_a_t_pose_holds_the_relations_it_holds_by_hand():
    features = geometric_features(still(10), 60.0).tolist()
    assert len(features) == 32
    level_arms = REST[SMPL22.index("left_wrist"), 1] - REST[:, 1].min() > 1.2 * HUMERUS
    expected = [0.0] * 32
    expected[4] = 1.0  # wrists further apart than two and a half shoulders: 1.41 m > 0.98 m
    expected[15] = expected[16] = 1.0  # upper arms at a right angle to the trunk
    expected[20] = 1.0  # a foot beyond the other leg's plane: the distance has a sign, so one side holds at rest
    assert level_arms and features == expected


def test_a_hand_that_is_thrown_is_fast():
    clip = still(11)
    clip[:, SMPL22.index("right_wrist"), 2] += torch.arange(11) / 60.0  # 1 m/s, 2 by fairmotion's clock
    assert geometric_features(clip, 60.0)[22] == 1.0 and geometric_features(clip, 60.0)[23] == 0.0
    slow = still(11)
    slow[:, SMPL22.index("right_wrist"), 2] += torch.arange(11) / 60.0 * 0.3
    assert geometric_features(slow, 60.0)[22] == 0.0


def test_a_mirrored_body_has_the_mirrored_relations():
    clip = still(20)
    clip[:, SMPL22.index("right_ankle"), 1] += 0.5
    mirrored = clip[:, list(SMPL22.mirror_index)] * torch.tensor([-1.0, 1, 1])
    raised, lowered = geometric_features(clip, 60.0), geometric_features(mirrored, 60.0)
    assert raised[27] == 1 and raised[28] == 0 and lowered[27] == 0 and lowered[28] == 1


def test_the_distance_to_itself_is_none_and_a_shift_counts_in_real_deviations():
    real = torch.randn(500, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 5, 0.1, 0])
    assert dance_fid(real, real) == pytest.approx(0, abs=1e-6)
    shifted = real + real.std(0, correction=0) * 2
    assert dance_fid(shifted, real) == pytest.approx(3 * 4, rel=1e-6)  # the number that never changes stays out


def test_diversity_is_the_mean_distance_of_two_by_hand():
    real = torch.tensor([[0.0, 0.0], [2.0, 4.0]])  # deviations 1 and 2
    made = torch.tensor([[0.0, 0.0], [3.0, 8.0], [0.0, 0.0]])
    assert distance_diversity(made, real) == pytest.approx((5 + 0 + 5) / 3)
    assert math.isfinite(distance_diversity(made, made))
