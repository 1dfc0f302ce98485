"""Driving a character on the page, in a headless Chromium, on a real server with the weights that ship."""

import numpy as np
import pytest

from motiongen import load
from tests.bridge.serving import serving
from tests.bridge.viewer_page import CHARACTER, SIZE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server():
    with serving(load("mogo", "open", "cpu")) as server:
        yield server


def root(page) -> np.ndarray:
    return np.array(page.value(f"[...{CHARACTER}.remote.latest.root]"))[[0, 2]]


def wait_frames(page, count: int) -> None:
    page.wait(f"{CHARACTER}.remote.latest.seq > {page.value(f'{CHARACTER}.remote.latest.seq') + count}")


def joint(page, name: str) -> np.ndarray:
    return np.array(page.value(f"motiongen.jointPositions(0).{name}"))


def on_page(page, place: np.ndarray) -> np.ndarray:
    at = page.value(f"motiongen.placeOnPage({', '.join(str(x) for x in place)})")
    return np.array([at["x"], at["y"]])


def wait_until_calm(page) -> None:
    """Wait until a hand keeps its place to a centimetre over six frames: who stands by still breathes."""
    before = joint(page, "left_wrist")
    for _ in range(60):
        wait_frames(page, 6)
        now = joint(page, "left_wrist")
        if np.linalg.norm(now - before) < 0.01:
            return
        before = now
    raise AssertionError("a character that stands by goes on moving")


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


def test_a_way_that_is_drawn_on_the_floor_is_followed_to_its_end(page):
    now = "document.getElementById('now').textContent"
    page.press("g")
    page.wait("document.body.classList.contains('picking-target')")
    way = ((0.6, 0.62), (0.65, 0.6), (0.7, 0.57), (0.73, 0.55))
    page.drag(*((SIZE[0] * x, SIZE[1] * y) for x, y in way))
    page.wait("!document.body.classList.contains('picking-target')")
    page.wait(f"{now} === 'following the way'")
    end = np.array(page.value(f"{CHARACTER}.target.toArray()"))[[0, 2]]
    page.wait(f"{now} === 'standing by' && !{CHARACTER}.showsTarget")
    assert np.linalg.norm(root(page) - end) < 0.4


def test_a_hand_that_is_dragged_comes_along(page):
    page.press("h")
    page.wait("document.getElementById('now').textContent === 'standing by'")
    wait_until_calm(page)
    page.value(
        f"""(() => {{
            const remote = {CHARACTER}.remote;
            const reach = remote.reach.bind(remote);
            remote.reach = (hand, point) => {{
                window.led = {{ hand, point }};
                return reach(hand, point);
            }};
        }})()"""
    )
    wrist, shoulder = joint(page, "left_wrist"), joint(page, "left_shoulder")
    start = on_page(page, wrist)
    nearer = on_page(page, (wrist + shoulder) / 2)  # within the arm's length, wherever it points
    page.drag(start, (start + nearer) / 2, nearer)
    page.wait("window.led")
    led = page.value("window.led")
    assert led["hand"] == "left"
    point = np.array(led["point"])  # of the world: the only character stands at the page's origin
    assert np.linalg.norm(wrist - point) > 0.1
    wrist_now = "motiongen.jointPositions(0).left_wrist"
    page.wait(f"Math.hypot(...{wrist_now}.map((x, axis) => x - {point.tolist()}[axis])) < 0.05")


def waiting(page) -> list[str]:
    return page.value("[...document.querySelectorAll('#now .next span')].map((one) => one.textContent)")


def grips(page) -> list[tuple[float, float]]:
    """Return a point of each prompt that waits, left of its middle."""
    return page.value(
        """[...document.querySelectorAll('#now .next')].map((one) => {
            const { left, width, top, height } = one.getBoundingClientRect();
            return [left + width / 4, top + height / 2];
        })"""
    )


def test_prompts_that_wait_change_places_by_mouse_finger_and_keys(page):
    page.value("document.getElementById('lasting').value = '20'")
    page.press("/")
    page.type("a person walks")
    page.press("Enter")
    page.wait(f"{CHARACTER}.timeline.isTimed")
    for text in ("bows", "jumps", "kicks"):
        page.type(text)
        page.press("Enter", shift=True)
    page.wait("document.querySelectorAll('#now .next').length === 3")
    bows, _, kicks = grips(page)
    page.drag(kicks, bows)
    assert waiting(page) == ["kicks", "bows", "jumps"]
    page.drag(grips(page)[0], (SIZE[0] - 5, grips(page)[2][1]))
    assert waiting(page) == ["bows", "jumps", "kicks"]
    page.swipe(*grips(page)[1::-1])
    assert waiting(page) == ["jumps", "bows", "kicks"]
    page.value("document.querySelector('#now .next').focus()")
    for _ in range(4):  # the last two find it at the end
        page.press("ArrowRight", alt=True)
    assert waiting(page) == ["bows", "kicks", "jumps"]
    page.press("ArrowLeft", alt=True)
    assert waiting(page) == ["bows", "jumps", "kicks"]
    assert page.value("document.activeElement.firstChild.textContent") == "jumps"
    page.value(f"{CHARACTER}.timeline.end = 0")  # the walk's time is over
    page.wait("document.getElementById('now').firstChild.textContent === 'bows'")
    assert waiting(page) == ["jumps", "kicks"]
