"""Solids, their union, and the mesh of the zero level."""

import numpy as np
import pytest

from motiongen.body.implicit import ellipsoid, gradient, round_cone, rounded_box, smooth_min, surface_nets


def at(*points):
    return np.array(points, dtype=float)


def test_a_round_cone_of_equal_radii_is_a_capsule():
    distance = round_cone(at(0, 0, 0), at(0, 2, 0), 0.5, 0.5)
    points = at((1, 1, 0), (0, -1, 0), (0, 3, 0), (0, 1, 0))
    np.testing.assert_allclose(distance(points), [0.5, 0.5, 0.5, -0.5], atol=1e-12)


def test_an_ellipsoid_is_negative_down_to_its_centre():
    distance = ellipsoid(at(0, 0, 0), at(1, 2, 3))
    np.testing.assert_allclose(distance(at((1, 0, 0), (0, 2, 0), (0, 0, 4))), [0.0, 0.0, 1.0], atol=1e-12)
    assert (distance(at((0, 0, 0), (0, 0, 1e-12), (0.1, 0, 0))) < -0.5).all()


def test_a_box_has_the_distance_of_its_corner():
    distance = rounded_box(at(0, 0, 0), at(1, 1, 1), 0.1)
    np.testing.assert_allclose(distance(at((1.5, 0, 0), (0, 0, 0))), [0.5, -1.0], atol=1e-12)


def test_a_fillet_deepens_by_a_quarter_of_its_reach_where_solids_meet():
    assert smooth_min(at(0.0), at(0.0), 0.2).item() == pytest.approx(-0.05)
    assert smooth_min(at(0.0), at(0.5), 0.2).item() == 0.0


def test_surface_nets_close_a_sphere_with_faces_turned_outward():
    axis = np.linspace(-1.3, 1.3, 27)
    sphere = ellipsoid(at(0, 0, 0), at(1, 1, 1))
    vertices, faces = surface_nets(sphere, (axis, axis, axis))
    corners = vertices[faces]
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert volume == pytest.approx(4 / 3 * np.pi, rel=0.02)  # positive: outward
    assert len(vertices) - len(faces) * 3 // 2 + len(faces) == 2  # Euler: closed and without holes
    np.testing.assert_allclose(np.linalg.norm(vertices, axis=1), 1.0, atol=0.01)
    np.testing.assert_allclose(gradient(sphere, vertices), vertices, atol=0.05)
