import numpy as np
import pytest

from motiongen.render.camera import FIELD_OF_VIEW, plan_camera, view_axes, view_yaw


def walk(frames=60):
    generator = np.random.default_rng(0)
    centres = np.stack([np.zeros(frames), np.ones(frames), np.linspace(0, 4, frames)], axis=1)
    return centres[:, None] + generator.uniform(-0.9, 0.9, size=(frames, 20, 3)), centres


def seen(shot, points, frame, aspect):
    """Return points (P, 2) in the picture: -1 to 1 from edge to edge."""
    away = shot.offset / np.linalg.norm(shot.offset)
    right = np.cross([0, 1, 0], away) / np.linalg.norm(np.cross([0, 1, 0], away))
    local = points[frame] - shot.eye(frame)
    depth = -(local @ away) * np.tan(FIELD_OF_VIEW / 2)
    return np.stack([local @ right / (depth * aspect), local @ np.cross(away, right) / depth], axis=1)


@pytest.mark.parametrize(("aspect", "foot"), [(16 / 9, 0.0), (0.5, 0.0), (16 / 9, 0.2)])
def test_all_points_stay_in_the_picture(aspect, foot):
    points, centres = walk()
    shot = plan_camera(points, centres, 0.4, 30.0, aspect, foot)
    positions = np.concatenate([seen(shot, points, frame, aspect) for frame in range(60)])
    assert np.abs(positions).max() < 1.0
    assert positions[:, 1].min() > -1.0 + 2 * foot


def test_camera_follows_smoothly():
    points, centres = walk()
    centres[30:, 0] += 1.0  # a jump aside
    shot = plan_camera(points, centres, 0.0, 30.0, 1.5)
    assert np.abs(np.diff(shot.targets, axis=0)).max() < 0.1


def test_axes_are_a_right_handed_frame():
    away, right, up = view_axes(0.7)
    np.testing.assert_allclose(
        np.stack([right, up, away]) @ np.stack([right, up, away]).T, np.eye(3), atol=1e-12
    )
    np.testing.assert_allclose(np.cross(right, up), away, atol=1e-12)


def test_walker_is_seen_more_from_the_side():
    still, moving = np.zeros((10, 3)), np.linspace(0, 3, 10)[:, None] * [0, 0, 1]
    assert view_yaw(np.zeros(10), moving) > view_yaw(np.zeros(10), still) > 0


def test_one_who_turns_around_is_seen_from_where_he_began():
    turning = np.linspace(0.3, 0.3 + 2 * np.pi, 50)
    assert view_yaw(turning, np.zeros((50, 3))) == view_yaw(np.full(50, 0.3), np.zeros((50, 3)))
