"""Poses ahead on the page's strip, in a headless Chromium, on a real server with the weights that ship."""

import time

import numpy as np
import pytest

from motiongen import SMPL22, load
from tests.bridge.serving import serving
from tests.bridge.viewer_page import CHARACTER, SIZE, showing

pytestmark = pytest.mark.slow

KEYS = f"{CHARACTER}.keyframes.keys"
LEGS = [n for n, name in enumerate(SMPL22.names) if name.endswith(("hip", "knee", "ankle", "foot"))]


@pytest.fixture(scope="module")
def server():
    with serving(load("mogo", "open", "cpu")) as server:
        yield server


def seconds(page) -> list[float]:
    """Return the seconds to each pose ahead."""
    return page.value(f"{KEYS}.map((key) => {CHARACTER}.keyframes.secondsTo(key))")


def strip(page) -> dict:
    return page.value("document.getElementById('keys').getBoundingClientRect().toJSON()")


def diamond(page, n: int = 0) -> tuple[float, float]:
    box = page.value(f"document.querySelectorAll('.diamond')[{n}].getBoundingClientRect().toJSON()")
    return box["left"] + box["width"] / 2, box["top"] + box["height"] / 2


def at(page, ahead: float) -> tuple[float, float]:
    """Return the point of the strip so many seconds ahead."""
    box = strip(page)
    return box["left"] + box["width"] * ahead / 10, box["top"] + 10


def moved_to(page, wanted: float, begun: float) -> bool:
    """Return whether the first pose was moved to so many seconds ahead since `begun`; meanwhile it comes nearer."""
    ahead, passed = seconds(page)[0], time.monotonic() - begun
    return wanted - 2 * passed - 0.4 <= ahead <= wanted + 0.4


def brings(page, gesture, *ahead: float) -> bool:
    """Return whether a gesture brings the first pose to so many seconds ahead; one that misses is made again."""
    for _ in range(4):
        points = [at(page, seconds) for seconds in ahead]
        begun = time.monotonic()
        gesture(diamond(page), *points)  # it moves all the time: it is looked for last
        if moved_to(page, ahead[-1], begun):
            return True
    return False


def keep(page) -> None:
    before = len(seconds(page))
    page.press("k")
    page.wait(f"{KEYS}.length === {before + 1} && document.querySelectorAll('.key').length === {before + 1}")


def test_a_kept_pose_is_moved_and_dropped_by_mouse_finger_and_keys(page):
    keep(page)
    assert brings(page, page.drag, 5.0, 9.0)
    assert brings(page, page.swipe, 7.5, 6.0)
    frame = page.value(f"{KEYS}[0].seq")
    assert page.value("document.activeElement.className") == "diamond"
    root = page.value(f"{CHARACTER}.activity")
    page.press("ArrowRight")
    page.press("ArrowRight", shift=True)
    assert page.value(f"{KEYS}[0].seq") == pytest.approx(frame + 33, abs=1)
    assert page.value(f"{CHARACTER}.activity") == root, "the arrow keys drive nobody meanwhile"
    page.press("Delete")
    page.wait(f"{KEYS}.length === 0 && document.getElementById('keys').hidden")
    keep(page)
    page.drag(diamond(page), at(page, 6.0), (SIZE[0] / 2, 40))
    assert seconds(page) == []
    keep(page)
    page.value("document.querySelector('.key button').click()")
    assert seconds(page) == []


def test_a_kept_pose_is_come_to_at_its_time(page):
    page.value(
        f"""(() => {{
            const remote = {CHARACTER}.remote;
            const pose = remote.pose.bind(remote);
            remote.pose = async (said) => (window.met = {{ said, answer: await pose(said) }}).answer;
            remote.on("frame", ({{ seq, rotations }}) => {{
                if (window.met && seq === window.met.answer.seq) window.there = [...rotations];
            }});
        }})()"""
    )
    keep(page)
    kept = np.array(page.value(f"{KEYS}[0].rotations"))
    frame = page.value(f"{KEYS}[0].seq")
    assert kept.shape == (22, 4)
    page.wait("window.met")
    assert page.value("window.met.said.at") == pytest.approx(1.5, abs=0.3)
    assert page.value("window.met.answer.seq") == pytest.approx(frame, abs=8)
    assert page.value("document.querySelector('.key').classList.contains('sent')")
    page.press("Delete")
    assert len(seconds(page)) == 1, "the server has it"
    page.wait("window.there")
    there = np.array(page.value("window.there")).reshape(22, 4)
    upper = [n for n in range(1, 22) if n not in LEGS]
    turned = 2 * np.degrees(np.arccos(np.clip(np.abs((there * kept).sum(axis=1))[upper], 0, 1)))
    assert turned.max() < 8, turned
    page.wait(f"{KEYS}.length === 0")


def test_a_pose_that_is_refused_is_told_and_dropped(page):
    keep(page)
    page.value(f"{KEYS}[0].rotations[3] = [0, 0, 0, 3], 0")
    assert "rotations" in page.wait("document.querySelector('#toasts .error').textContent")
    assert seconds(page) == []


def test_a_small_window_with_four_prompts_and_a_pose_shows_the_feet(browser, server):
    with showing(browser, server.url, size=(320, 568)) as page:
        page.value("document.getElementById('lasting').value = '20'")
        page.press("/")
        for text in ("a person walks", "a person waves", "jumps", "kicks", "bows"):
            page.type(text)
            page.press("Enter", shift=text != "a person walks")
            page.wait(f"{CHARACTER}.timeline.isTimed")
        page.value("document.activeElement.blur()")
        keep(page)
        feet = "motiongen.jointPositions(0).left_foot"
        lowest = f"motiongen.placeOnPage({feet}[0], 0, {feet}[2]).y"
        page.wait(f"{lowest} < document.getElementById('now').getBoundingClientRect().top")
        assert page.value("document.documentElement.scrollWidth") == 320
        buttons = (
            "[...document.querySelectorAll('.controls button')].map((one) => one.getBoundingClientRect())"
        )
        assert page.value(f"{buttons}.every(({{ left, right }}) => left >= 0 && right <= 320)")
