import numpy as np
import pytest

from motiongen.render.shadow import CELLS, Shadow

CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=np.float32)
QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
FACES = np.array([face for a, b, c, d in QUADS for face in ((a, b, c), (a, c, d))])
UP = np.array([0.0, 1.0, 0.0], dtype=np.float32)


def box(side, lift=0.0):
    return (CORNERS * side + [0, lift, 0]).astype(np.float32)


def weigh(darkness, width):
    return darkness.sum() / 255 * (width / CELLS) ** 2


def test_box_under_a_light_overhead_darkens_its_base():
    # 0.5 m x 0.5 m = 0.25 square metres; the blur spreads it but adds nothing.
    shadow = Shadow(FACES, box(0.5))
    darkness, _ = shadow.cast(box(0.5), UP)
    assert weigh(darkness, shadow.width) == pytest.approx(0.25, rel=0.1)


def test_shadow_falls_away_from_the_light():
    vertices = box(0.2, lift=0.5)
    slanted = np.array([1.0, 1.0, 0.0], dtype=np.float32) / np.sqrt(2).astype(np.float32)
    shadow = Shadow(FACES, vertices)
    corners = [shadow.cast(vertices, light)[1] for light in (UP, slanted)]
    np.testing.assert_allclose(
        corners[1] - corners[0], [-0.6, 0.0], atol=0.05
    )  # the box's middle is at 0.6 m


def test_higher_caster_has_a_softer_shadow():
    low, high = (Shadow(FACES, box(0.3)).cast(box(0.3, lift=lift), UP)[0] for lift in (0.0, 1.5))
    steepest = [np.abs(np.diff(d.astype(int), axis=1)).max() for d in (low, high)]
    assert steepest[0] > 1.5 * steepest[1]


def test_caster_wider_than_the_picture_is_cut_not_wrapped():
    darkness, _ = Shadow(FACES, box(10.0)).cast(box(10.0), UP)
    assert darkness.shape == (CELLS, CELLS)
    assert darkness[0].max() < 200
