"""Every metric against a number worked by hand."""

import math

import pytest
import torch

from motiongen.evaluation.diversity import diversity
from motiongen.evaluation.fid import frechet_distance
from motiongen.evaluation.foot_skate import foot_skate_ratio, foot_skate_speed
from motiongen.evaluation.jerk import jerk
from motiongen.evaluation.label_accuracy import label_accuracy
from motiongen.evaluation.multimodal_distance import multimodal_distance
from motiongen.evaluation.multimodality import multimodality
from motiongen.evaluation.r_precision import r_precision
from motiongen.evaluation.reconstruction import mean_joint_error


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_foot_skate_speed_by_hand():
    # A grounded foot slides 3 cm on x, 4 cm on z in a frame: 5 cm x 30 fps = 1.5 m/s.
    feet = torch.tensor([[[0.00, 0.0, 0.00]], [[0.03, 0.0, 0.04]]])  # (T, F, 3), metres
    assert foot_skate_speed(feet, fps=30.0, floor_height=0.05).item() == pytest.approx(1.5)


def test_a_foot_in_the_air_does_not_skate_and_dilutes_nothing():
    feet = torch.tensor([[[0.0, 0.0, 0.0], [0.0, 0.3, 0.0]], [[0.03, 0.0, 0.04], [1.0, 0.3, 0.0]]])
    assert foot_skate_speed(feet, fps=30.0, floor_height=0.05).item() == pytest.approx(1.5)


def test_foot_skate_weighs_height_as_published():
    # At half of H the weight is 2 - 2^0.5; the other foot stands still with weight 1.
    feet = torch.tensor([[[0.0, 0.025, 0.0], [0.0, 0.0, 0.0]], [[0.1, 0.025, 0.0], [0.0, 0.0, 0.0]]])
    weight = 2 - math.sqrt(2)
    expected = 0.1 * 30 * weight / (weight + 1)
    assert foot_skate_speed(feet, fps=30.0, floor_height=0.05).item() == pytest.approx(expected)


def test_foot_skate_ratio_counts_sliding_frames():
    # 3 cm a frame at 20 fps slides, 2 cm does not: one of two frames.
    feet = torch.tensor([[[0.0, 0.0, 0.0]], [[0.03, 0.0, 0.0]], [[0.05, 0.0, 0.0]]])
    assert foot_skate_ratio(feet, fps=20.0).item() == pytest.approx(0.5)


def test_jerk_of_a_cubic_path():
    # x = t^3: the third derivative is 6 m/s^3 everywhere, and finite differences are exact for cubics.
    time = torch.arange(30, dtype=torch.float64) / 30
    positions = torch.stack([time**3, 0 * time, 2 * time**2], dim=-1)[:, None]
    assert jerk(positions, fps=30.0).item() == pytest.approx(6.0, rel=1e-9)


def test_frechet_distance_in_one_dimension():
    # Means 1 and 4, variances 1 and 9 (unbiased): (4 - 1)^2 + (3 - 1)^2 = 13.
    first = torch.tensor([[0.0], [1.0], [2.0]])
    second = torch.tensor([[1.0], [4.0], [7.0]])
    assert frechet_distance(first, second) == pytest.approx(13.0, abs=1e-9)


def test_frechet_distance_of_a_set_to_itself_is_zero_even_when_singular():
    points = torch.randn(5, 32, generator=seeded())  # fewer samples than channels
    assert frechet_distance(points, points) == pytest.approx(0.0, abs=1e-6)


def test_frechet_distance_does_not_change_under_rotation():
    first, second = torch.randn(2, 200, 4, generator=seeded(), dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(4, 4, generator=seeded(1), dtype=torch.float64)).Q
    assert frechet_distance(first @ turn, second @ turn) == pytest.approx(
        frechet_distance(first, second), abs=1e-9
    )


def test_frechet_distance_wants_two_samples():
    with pytest.raises(ValueError, match="expected \\(N >= 2, D\\)"):
        frechet_distance(torch.zeros(1, 3), torch.zeros(4, 3))


def test_r_precision_by_hand():
    # On a line: motion 0 finds its text first, motion 1 second (text 2 is nearer), motion 2 third.
    motions = torch.tensor([[0.0], [10.0], [11.0]])
    texts = torch.tensor([[0.0], [8.0], [9.0]])
    texts[2] = 11.5
    motions[1] = 10.0  # |10 - 8| = 2 > |10 - 11.5| = 1.5
    motions[2] = 4.0  # |4 - 11.5| = 7.5 > both others
    found = r_precision(texts, motions, seeded(), pool=3, repeats=2)
    assert found == pytest.approx([1 / 3, 2 / 3, 1.0])


def test_r_precision_counts_equal_texts_as_right():
    texts, motions = torch.tensor([[0.0], [0.1], [5.0]]), torch.tensor([[0.1], [0.0], [5.0]])
    assert r_precision(texts, motions, seeded(), pool=3, repeats=1)[0] == pytest.approx(1 / 3)
    assert r_precision(texts, motions, seeded(), pool=3, repeats=1, groups=[7, 7, 8])[0] == pytest.approx(1.0)


def test_multimodal_distance_by_hand():
    texts, motions = torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.tensor([[3.0, 4.0], [1.0, 1.0]])
    assert multimodal_distance(texts, motions) == pytest.approx((5 + 1) / 2)


def test_diversity_of_two_points_is_their_distance():
    assert diversity(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), seeded()) == pytest.approx(5.0)


def test_multimodality_by_hand():
    # Prompt one: three points 0, 1, 3 give pairs 1, 2, 3; prompt two: all alike.
    motions = torch.tensor([[[0.0], [1.0], [3.0]], [[2.0], [2.0], [2.0]]])
    assert multimodality(motions, seeded()) == pytest.approx((2.0 + 0.0) / 2)


def test_mean_joint_error_of_a_bent_elbow():
    from motiongen.features import LAYOUT, encode
    from motiongen.motion import Motion
    from motiongen.rotation import quat_from_axis_angle, quat_identity
    from motiongen.skeleton import SMPL22

    rotations = quat_identity(8, 22).clone()
    rest = encode(Motion(SMPL22, rotations, torch.tensor([[0.0, 1.0, 0.0]]).repeat(8, 1), 30.0))
    bent = rotations.clone()
    bent[:, SMPL22.index("left_elbow")] = quat_from_axis_angle(torch.tensor([0.0, math.pi / 2, 0.0]))
    moved = encode(Motion(SMPL22, bent, torch.tensor([[5.0, 1.0, 0.0]]).repeat(8, 1), 30.0))
    assert moved[:, LAYOUT["joints"]].ne(rest[:, LAYOUT["joints"]]).any()
    # Only the wrist moves, along the chord of a quarter circle of the forearm's length.
    chord = math.sqrt(2) * SMPL22.offsets[SMPL22.index("left_wrist")].norm().item()
    assert mean_joint_error(moved, rest) == pytest.approx(1000 * chord / 22, rel=1e-3)


def test_label_accuracy_by_hand():
    overall, each = label_accuracy(["walk", "bow", "run", "run"], ["walk", "bow", "walk", "run"])
    assert overall == 0.75 and each == {"bow": 1.0, "run": 1.0, "walk": 0.5}
