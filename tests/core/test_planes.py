"""Planes: the same products as motiongen.rotation's; limbs that reach their goal."""

import numpy as np
import pytest
import torch

from motiongen import planes, two_bone
from motiongen.rotation import quat_between, quat_from_axis_angle, quat_inverse, quat_multiply, quat_rotate

GENERATOR = torch.Generator().manual_seed(5)
A, B = quat_from_axis_angle(torch.randn(2, 200, 3, generator=GENERATOR, dtype=torch.float64) * 2)
U, V = torch.randn(2, 200, 3, generator=GENERATOR, dtype=torch.float64)


def plane(values):
    return np.ascontiguousarray(values.numpy().T)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (planes.multiply(plane(A), plane(B)), quat_multiply(A, B)),
        (planes.inverse(plane(A)), quat_inverse(A)),
        (planes.rotate(plane(A), plane(U)), quat_rotate(A, U)),
        (planes.cross(plane(U), plane(V)), torch.linalg.cross(U, V)),
        (planes.norm(plane(U)), U.norm(dim=-1)),
        (planes.between(plane(U), plane(V)), quat_between(U, V)),
        (planes.normalized(plane(3 * A)), A),
    ],
)
def test_products_are_those_of_rotations(ours, theirs):
    np.testing.assert_allclose(ours, plane(theirs), atol=1e-13)


def test_opposite_directions_are_half_a_turn_apart():
    for axis in np.eye(3):
        turn = planes.between(axis[:, None], -axis[:, None])
        np.testing.assert_allclose(planes.rotate(turn, axis[:, None]), -axis[:, None], atol=1e-12)


def limbs(count=300):
    random = np.random.default_rng(3)
    first, middle, end = (random.normal(size=(3, count)) for _ in range(3))
    return first, middle, end, random


def test_the_end_reaches_a_goal_and_bones_keep_their_lengths():
    first, middle, end, random = limbs()
    upper, lower = planes.norm(middle - first), planes.norm(end - middle)
    far = random.uniform(1.02 * abs(upper - lower) + 0.02, 0.98 * (upper + lower))
    way = random.normal(size=first.shape)
    goal = first + way / planes.norm(way) * far
    bend, swing = two_bone.solve(first, middle, end, goal, np.broadcast_to(np.eye(3)[:, :1], first.shape))
    knee = first + planes.rotate(swing, middle - first)
    foot = knee + planes.rotate(planes.multiply(swing, bend), end - middle)
    np.testing.assert_allclose(foot, goal, atol=1e-6)


def test_a_goal_out_of_reach_is_approached_along_its_line():
    first, middle, end = (np.array([[0.0], [y], [z]]) for y, z in ((1.0, 0.0), (0.5, 0.1), (0.0, 0.0)))
    goal = np.array([[0.0], [-3.0], [0.0]])
    bend, swing = two_bone.solve(first, middle, end, goal, np.array([[-1.0], [0.0], [0.0]]))
    knee = first + planes.rotate(swing, middle - first)
    foot = knee + planes.rotate(planes.multiply(swing, bend), end - middle)
    length = 2 * np.hypot(0.5, 0.1) * two_bone.MAX_REACH
    np.testing.assert_allclose(foot[:, 0], [0, 1 - length, 0], atol=1e-9)


def test_a_straight_leg_bends_about_its_hinge():
    first, middle, end = (np.array([[0.0], [y], [0.0]]) for y in (1.0, 0.5, 0.0))
    goal = np.array([[0.0], [0.2], [0.0]])
    bend, swing = two_bone.solve(first, middle, end, goal, np.array([[-1.0], [0.0], [0.0]]))
    knee = first + planes.rotate(swing, middle - first)
    assert knee[2, 0] > 0.2 and abs(knee[0, 0]) < 1e-9  # the knee goes forward
    np.testing.assert_allclose(
        knee + planes.rotate(planes.multiply(swing, bend), end - middle), goal, atol=1e-9
    )
