"""The viewer of a server whose characters dance, in a headless Chromium."""

import io
import wave

import numpy as np
import pytest

from motiongen.streaming.dance_scheduler import DanceScheduler
from tests.bridge import viewer_page
from tests.bridge.serving import serving
from tests.bridge.viewer_page import CHARACTER
from tests.core.streaming.dancers import tiny_dance_model, tone

pytestmark = pytest.mark.slow
MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="module")
def server():
    with serving(DanceScheduler(tiny_dance_model(), allowance=8)) as server:
        yield server


@pytest.fixture(scope="module")
def browser():
    with viewer_page.browsing(MICROPHONE) as browser:
        yield browser


@pytest.fixture
def page(browser, server):
    """The page, with one dancer whose frames come, and its events."""
    with viewer_page.showing(
        browser, server.url, "", ready=f"{CHARACTER}.group.visible", size=(900, 560)
    ) as page:
        page.value(f"(window.events = [], {CHARACTER}.remote.on('event', (event) => events.push(event)), 0)")
        yield page


def wav(seconds: float) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(15360)
        out.writeframes((32767 * tone(seconds)).astype("<i2").tobytes())
    return file.getvalue()


def test_the_page_asks_for_music_and_not_for_words(page):
    buttons = "[...document.querySelectorAll('.controls button')].filter((one) => one.offsetParent)"
    words = page.value(f"{buttons}.map((one) => one.innerText.trim())")
    assert (
        words[:3] == ["Choose music", "Microphone", "Stop"]
        and words[3].split()[0] == "Seed"
        and len(words) == 4
    )
    assert not page.value("document.getElementById('prompt').offsetParent")
    assert page.value("document.getElementById('delay').textContent").startswith("live ")
    styles = page.value("[...document.getElementById('style').options].map((one) => one.text)")
    assert styles == ["any style", "break", "pop"]


LISTEN = f"""(() => {{
    const {{ remote }} = {CHARACTER}, times = new Map();
    window.apart = [];
    remote.on("frame", ({{ seq, time }}) => {{
        times.set(seq, time);
        const shown = remote.sample(), second = motiongen.music.position;
        const start = events.find(({{ event }}) => event === "dances");
        if (!start || second === null || !times.has(shown.seq) || !remote.playback.buffered) return;
        const late = (time - times.get(shown.seq)) / 1e6 - (seq - shown.seq) / 30;
        if (Math.abs(late) < 0.002) apart.push(second - (shown.seq - start.seq) / 30);
    }});
}})()"""
"""Notes how far the second that is heard is from that of the frame on the screen, wherever frames came in time."""


def test_a_dropped_piece_is_danced_and_heard_with_its_frames(page):
    page.value(LISTEN)
    page.drop("tone.wav", wav(4))
    page.wait("events.some(({ event }) => event === 'dances')")
    dances = page.value("events.find(({ event }) => event === 'dances')")
    page.wait(f"{CHARACTER}.remote.latest.obeys === {dances['number']}")
    page.wait("document.getElementById('now').textContent === 'dancing to tone.wav'")
    page.wait("apart.length > 5")
    assert np.abs(page.value("apart")).max() < 1 / 30
    page.wait("events.some(({ event }) => event === 'ended')")
    page.wait("motiongen.music.title === ''")
    page.wait("document.getElementById('now').textContent === 'standing by'")


def test_the_microphone_is_danced_to_and_stops(page):
    page.value("document.getElementById('microphone').click()")
    page.wait("motiongen.music.isLive")
    page.wait("events.some(({ event }) => event === 'dances')")
    page.press("s")
    page.wait("!motiongen.music.isLive && events.some(({ event }) => event === 'ended')")


def test_a_style_is_chosen(page):
    page.value(
        "(() => { const one = document.getElementById('style'); one.value = 'pop'; one.onchange(); })()"
    )
    page.wait(f"{CHARACTER}.style === 'pop'")


def test_a_file_that_is_no_music_is_refused_in_words(page):
    page.drop("broken.mp3", bytes(40))
    page.wait("/broken.mp3: expected music/.test(document.querySelector('.toast.error')?.textContent)")
    assert page.value("motiongen.music.title") == ""


def test_a_picture_of_it(page, tmp_path):
    page.drop("a long name of a piece.wav", wav(3))
    page.wait("motiongen.music.title !== ''")
    assert len(page.screenshot(tmp_path / "dance.png")) > 20_000, "an empty picture is small"
    assert np.isfinite(page.value(f"{CHARACTER}.remote.latest.seq"))
