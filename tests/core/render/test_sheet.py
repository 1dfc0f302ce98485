import numpy as np

from motiongen.render.sheet import distinct_frames


def test_quick_pose_between_even_times_is_found():
    points = np.zeros((101, 4, 3))
    points[38] = 1.0  # a thirtieth of a second
    assert 38 in distinct_frames(points, 6)


def test_steady_pose_gives_even_times():
    np.testing.assert_allclose(distinct_frames(np.zeros((101, 4, 3)), 5), [0, 25, 50, 75, 100], atol=1)


def test_frames_rise_from_first_to_last():
    generator = np.random.default_rng(0)
    for total in (1, 2, 7, 8, 9, 50):
        frames = distinct_frames(generator.normal(size=(total, 3, 3)), 8)
        assert frames[0] == 0
        assert frames[-1] == total - 1
        assert frames == sorted(set(frames))
