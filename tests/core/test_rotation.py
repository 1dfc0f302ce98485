"""Rotations: values by hand, properties over seeds, SciPy as referee."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from torch.testing import assert_close

from motiongen import rotation as R

HALF = math.sqrt(0.5)


def random_quats(seed: int, count: int = 64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return R.quat_normalize(torch.randn(count, 4, generator=generator, dtype=torch.float64))


def same(a: torch.Tensor, b: torch.Tensor, within: float = 1e-9) -> None:
    assert float(R.quat_angle(a, b).max()) < within


def test_quarter_turns_by_hand():
    x, y, z = torch.eye(3)
    about_x, about_y, about_z = (torch.tensor([*(HALF * axis).tolist(), HALF]) for axis in torch.eye(3))
    assert_close(R.quat_rotate(about_x, y), z)
    assert_close(R.quat_rotate(about_y, z), x)  # forward turns to the left
    assert_close(R.quat_rotate(about_z, x), y)


def test_product_applies_the_right_factor_first():
    about_x, about_y = torch.tensor([HALF, 0, 0, HALF]), torch.tensor([0, HALF, 0, HALF])
    # +Z goes to -Y about x, and stays there about y.
    assert_close(
        R.quat_rotate(R.quat_multiply(about_y, about_x), torch.tensor([0.0, 0, 1])),
        torch.tensor([0.0, -1, 0]),
    )


def test_bvh_order_by_hand():
    # Z 90 then X 90: R = Rz Rx takes +Y to +Z (x), which z leaves alone.
    quats = R.quat_from_euler(torch.tensor([math.pi / 2, math.pi / 2, 0.0]), "ZXY")
    assert_close(
        R.quat_rotate(quats, torch.tensor([0.0, 1, 0])), torch.tensor([0.0, 0, 1]), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("order", R.EULER_ORDERS)
def test_euler_agrees_with_scipy(order):
    quats = random_quats(0)
    angles = R.euler_from_quat(quats, order)
    assert_close(
        angles, torch.from_numpy(Rotation.from_quat(quats.numpy()).as_euler(order)), atol=1e-12, rtol=0
    )
    same(R.quat_from_euler(angles, order), quats)


@pytest.mark.parametrize("order", R.EULER_ORDERS)
@pytest.mark.parametrize("middle", [math.pi / 2, -math.pi / 2])
def test_euler_survives_gimbal_lock(order, middle):
    quats = R.quat_from_euler(torch.tensor([0.3, middle, 0.9], dtype=torch.float64), order)
    same(R.quat_from_euler(R.euler_from_quat(quats, order), order), quats, within=1e-7)


def test_an_unknown_order_is_refused():
    with pytest.raises(ValueError, match=r"order: expected one of XYZ.*got 'XYX'"):
        R.quat_from_euler(torch.zeros(3), "XYX")


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_every_form_gives_the_rotation_back(seed):
    quats = random_quats(seed)
    matrices = R.matrix_from_quat(quats)
    assert_close(
        matrices @ matrices.mT, torch.eye(3, dtype=torch.float64).expand_as(matrices), atol=1e-12, rtol=0
    )
    assert_close(torch.linalg.det(matrices), torch.ones(64, dtype=torch.float64))
    same(R.quat_from_matrix(matrices), quats)
    same(R.quat_from_6d(R.sixd_from_quat(quats)), quats)
    same(R.quat_from_axis_angle(R.axis_angle_from_quat(quats)), quats)
    same(R.quat_multiply(quats, R.quat_inverse(quats)), R.quat_identity(64, dtype=torch.float64))


@pytest.mark.parametrize("axis", torch.eye(3, dtype=torch.float64).unbind())
def test_half_turns_and_tiny_turns_keep_their_digits(axis):
    for angle in (math.pi, math.pi - 1e-9, 1e-6, 1e-12):
        quats = R.quat_from_axis_angle(axis * angle)
        assert R.axis_angle_from_quat(quats).norm() == pytest.approx(angle, rel=1e-9)
        same(R.quat_from_matrix(R.matrix_from_quat(quats)), quats, within=1e-7)


def test_sixd_forgives_any_scale_and_skew():
    matrix = R.matrix_from_6d(torch.tensor([2.0, 0, 0, 5.0, 0.1, 0]))
    assert_close(matrix, torch.eye(3))


def test_slerp_halfway_by_hand_and_the_short_way():
    start, end = R.quat_identity(), torch.tensor([0, 0, HALF, HALF])
    eighth = torch.tensor([0, 0, math.sin(math.pi / 8), math.cos(math.pi / 8)])
    assert_close(R.quat_slerp(start, end, 0.5), eighth)
    same(R.quat_slerp(start, -end, 0.5), eighth, within=1e-6)


def test_unroll_only_changes_signs():
    quats = random_quats(1, 32)
    rolled = R.quat_unroll(quats)
    assert bool(((rolled[1:] * rolled[:-1]).sum(-1) >= 0).all())
    assert_close(rolled.abs(), quats.abs())


@pytest.mark.parametrize(
    ("u", "v"), [([1, 0, 0], [0, 1, 0]), ([0, 1, 0], [0, -1, 0]), ([1, 2, 3], [1, 2, 3])]
)
def test_quat_between_turns_one_into_the_other(u, v):
    u, v = torch.tensor(u, dtype=torch.float64), torch.tensor(v, dtype=torch.float64)
    assert_close(R.quat_rotate(R.quat_between(u, v), u), v)


def test_heading_ignores_a_bow():
    bow = R.quat_from_axis_angle(torch.tensor([2.0, 0, 0]))  # 115 degrees: the chest looks behind
    quats = R.quat_multiply(R.quat_yaw(torch.tensor(0.7)), bow)
    assert float(R.heading_angle(quats)) == pytest.approx(0.7, abs=1e-6)


def test_mirror_is_conjugation_by_the_mirror():
    quats = random_quats(2)
    mirror = torch.diag(torch.tensor([-1.0, 1, 1], dtype=torch.float64))
    same(R.mirror_quat(quats), R.quat_from_matrix(mirror @ R.matrix_from_quat(quats) @ mirror))
