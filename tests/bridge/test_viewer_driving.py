"""Driving a character on the page, in a headless Chromium, on a real server with a small random model."""

import numpy as np
import pytest

from motiongen import load
from tests.bridge import chromium
from tests.bridge import viewer_requirements as requirements
from tests.bridge.serving import serving
from tests.core.inference.tiny import save_tiny

pytestmark = pytest.mark.slow
SIZE = (720, 520)
CHARACTER = "motiongen.characters[0]"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    requirements.require_viewer()
    model = load("mogo", save_tiny(tmp_path_factory.mktemp("weights")), "cpu")
    with serving(model) as server:
        yield server


@pytest.fixture(scope="module")
def browser():
    requirements.require_browser()
    with chromium.browse() as page:
        yield page


@pytest.fixture
def page(server, browser):
    browser.complaints.clear()
    browser.open(f"{server.url}?quality=0.3&theme=light&prompt=walk", SIZE)
    browser.wait(f"{CHARACTER}.remote.latest.obeys > 0 && {CHARACTER}.group.visible", chromium.START)
    yield browser
    assert browser.complaints == []


def root(page) -> np.ndarray:
    return np.array(page.value(f"[...{CHARACTER}.remote.latest.root]"))[[0, 2]]


def wait_frames(page, count: int) -> None:
    page.wait(f"{CHARACTER}.remote.latest.seq > {page.value(f'{CHARACTER}.remote.latest.seq') + count}")


def wrist(page) -> dict[str, float]:
    return page.value("motiongen.placeOnPage(...motiongen.jointPositions(0).left_wrist)")


def test_arrow_keys_drive_away_from_the_camera_and_letting_go_stops(page):
    page.hold("ArrowUp")
    page.wait("document.getElementById('now').textContent === 'driven'")
    before = root(page)
    away = f"{CHARACTER}.remote.latest.root[0] - {before[0]}, {CHARACTER}.remote.latest.root[2] - {before[1]}"
    page.wait(f"Math.hypot({away}) > 1")
    way = root(page) - before
    assert way[1] < -0.5, "the camera stands at +Z: away is -Z"
    page.let_go("ArrowUp")
    wait_frames(page, 45)
    stopped = root(page)
    wait_frames(page, 15)
    assert np.linalg.norm(root(page) - stopped) < 0.15


def test_a_way_that_is_drawn_on_the_floor_is_followed(page):
    page.press("g")
    page.wait("document.body.classList.contains('picking-target')")
    way = ((0.6, 0.62), (0.65, 0.6), (0.7, 0.57), (0.75, 0.52), (0.75, 0.48))
    page.drag(*((SIZE[0] * x, SIZE[1] * y) for x, y in way))
    page.wait("!document.body.classList.contains('picking-target')")
    page.wait("document.getElementById('now').textContent === 'following the way'")


def test_a_hand_that_is_dragged_comes_along(page):
    page.press("h")
    page.wait("document.getElementById('now').textContent === 'standing by'")
    at = wrist(page)
    to = at["x"] + 50, at["y"] - 60
    page.drag((at["x"], at["y"]), (at["x"] + 20, at["y"] - 30), to)
    near = f"""(() => {{
        const at = motiongen.placeOnPage(...motiongen.jointPositions(0).left_wrist);
        return Math.hypot(at.x - {to[0]}, at.y - {to[1]}) < 20;
    }})()"""
    page.wait(near)
