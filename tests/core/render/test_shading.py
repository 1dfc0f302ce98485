import numpy as np
import pytest

from motiongen.render.shading import Light, shade, to_linear

KEY = np.array([0.0, 1.0, 0.0], dtype=np.float32)


def lit(normal, **changes):
    normals = np.array([normal], dtype=np.float32)
    grey = np.full((1, 3), 0.5, dtype=np.float32)
    return shade(
        grey, np.zeros((1, 3), np.float32), normals, np.array([0, 0, 5], np.float32), KEY, Light(**changes)
    )[0]


def test_surface_towards_the_key_is_lighter():
    assert lit([0, 1, 0]).sum() > lit([0, 0, 1]).sum() > lit([0, -1, 0]).sum()


def test_sky_alone_by_hand():
    # Straight up, seen from the side (no rim by strength 0): 0.5 x 0.5 in linear light is 255 x 0.25^(1/2.2) = 136.
    off = {"key_colour": (0, 0, 0), "ground_colour": (0, 0, 0), "rim": 0.0, "shine": 0.0}
    np.testing.assert_allclose(lit([0, 1, 0], sky_colour=(0.5, 0.5, 0.5), **off), [136, 136, 136], atol=1)


def test_light_never_wraps_past_white():
    np.testing.assert_array_equal(lit([0, 1, 0], key_colour=(9, 9, 9)), [255, 255, 255])


def test_key_turns_with_the_camera():
    ahead, beside = Light().direction(0.0), Light().direction(np.pi / 2)
    np.testing.assert_allclose(
        [beside[2], beside[1], -beside[0]], [-ahead[0], ahead[1], -ahead[2]], atol=1e-6
    )


def test_linear_light_of_middle_grey():
    assert to_linear(np.array([0.5]))[0] == pytest.approx(0.5**2.2, rel=1e-6)
