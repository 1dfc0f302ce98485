import numpy as np
import pytest

from motiongen.render.canvas import Canvas


def test_empty_scene_is_the_background():
    with Canvas((32, 16), (1.0, 0.5, 0.0), display="software") as canvas:
        canvas.look(np.array([0.0, 1, 3]), np.zeros(3), 0.5)
        pixels = canvas.draw()
    assert pixels.shape == (16, 32, 4)
    np.testing.assert_allclose(
        pixels[..., :3], np.broadcast_to([0, 128, 255], (16, 32, 3)), atol=1
    )  # blue first


def test_environment_chooses_the_display(monkeypatch):
    monkeypatch.setenv("MOTIONGEN_DISPLAY", "software")
    with Canvas((16, 16), (0, 0, 0)) as canvas:
        assert canvas.display == "software"


def test_auto_always_opens_something(monkeypatch):
    monkeypatch.delenv("MOTIONGEN_DISPLAY", raising=False)
    with Canvas((16, 16), (0, 0, 0)) as canvas:
        assert canvas.display in ("egl", "software")


def test_unknown_display_lists_the_known_ones():
    with pytest.raises(ValueError, match="expected auto, egl, software, got 'vulkan'"):
        Canvas((16, 16), (0, 0, 0), display="vulkan")


def test_pixels_outlive_the_canvas():
    with Canvas((16, 16), (1, 1, 1), display="software") as canvas:
        first = canvas.draw()
        kept = first.copy()
        canvas.draw()
    np.testing.assert_array_equal(first, kept)
