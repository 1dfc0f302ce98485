"""The viewer in a headless Chromium, on a websocket server that fails: errors show as toasts, the character goes on."""

import itertools
import json
import threading
import time
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from motiongen.skeleton import SMPL22
from motiongen_bridge import pages
from tests.bridge import viewer_page
from tests.bridge.viewer_page import CHARACTER

pytestmark = pytest.mark.slow
HELLO = {
    "type": "hello", "version": 1, "server": "test", "session": "0", "fps": 30.0, "time": 0, "resume_seconds": 30.0,
    "contacts": [], "verbs": ["prompt", "then", "hold", "loop"], "formats": ["f32", "json"],
    "limits": {"message_bytes": 16384}, "weights": {"name": "none", "licence": "none"}, "head": "mogo",
}  # fmt: skip


def answer(message):
    """Return the answer to a message: a failure to prompts, nothing to `loop`, an unknown code to `hold`."""
    match message["type"]:
        case "open":
            return {"type": "ok", "character": 1, "key": "key"}
        case "ping":
            return {"type": "pong", "server_time": time.monotonic_ns() // 1000}
        case "prompt":
            return {"type": "error", "code": "internal", "message": "the command failed; see its log"}
        case "hold":
            return {"type": "error", "code": "a_later_code", "message": ""}
    return None


def stream(socket, ends):
    """Send frames of the rest pose, by PROTOCOL.md's JSON format."""
    rest = {"root": [0.0, 0.97, 0.0], "rotations": [[0.0, 0.0, 0.0, 1.0]] * len(SMPL22.names), "contacts": []}
    for seq in itertools.count():
        now = time.monotonic_ns() // 1000
        frame = {"type": "frame", "character": 1, "seq": seq, "obeys": 0, "time": now, "gap": False} | rest
        try:
            socket.send(json.dumps(frame))
        except ConnectionClosed:
            return
        if ends.wait(1 / 30):
            return


def talk(socket, ends):
    """Serve one client."""
    socket.send(json.dumps(HELLO))
    try:
        for text in socket:
            message = json.loads(text)
            if reply := answer(message):
                socket.send(json.dumps(reply | {"id": message["id"]}))
            if message["type"] == "open":
                threading.Thread(target=stream, args=(socket, ends)).start()
    except ConnectionClosed:
        pass


@pytest.fixture
def page(browser):
    files, ends = pages.Pages(dict, bytes), threading.Event()

    def respond(_, request):
        return None if urlsplit(request.path).path == "/ws" else files.answer(request.path)

    options = {"process_request": respond, "subprotocols": ["motiongen.v1"], "compression": None}
    with serve(lambda socket: talk(socket, ends), "127.0.0.1", 0, **options) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.socket.getsockname()[1]}/"
        with viewer_page.showing(browser, url, "", ready=f"{CHARACTER}.group.visible") as page:
            yield page
        ends.set()
        server.shutdown()
        thread.join(10)


RECORD_TOASTS = """(() => {
    window.shown = [];
    const texts = (changes) => changes.flatMap(({ addedNodes }) => [...addedNodes].map((one) => one.textContent));
    new MutationObserver((changes) => shown.push(...texts(changes))).observe(
        document.getElementById("toasts"), { childList: true });
})()"""


def still_moves(page) -> bool:
    before = page.value(f"{CHARACTER}.remote.latest.seq")
    return page.wait(f"motiongen.characters.length === 1 && {CHARACTER}.remote.latest.seq > {before}")


def test_errors_are_shown_and_the_character_goes_on(page):
    page.value(RECORD_TOASTS)
    page.press("/")
    page.type("a person walks")
    page.press("Enter")
    page.press("Escape")
    page.wait("shown.length === 1")
    assert still_moves(page)
    page.press("h")  # an error code that this page does not know
    page.wait("shown.length === 2")
    assert still_moves(page)
    page.press("l")  # never answered
    page.wait("shown.length === 3")
    assert still_moves(page)
    failed, refused, unanswered = page.value("shown")
    assert failed == "The server failed: the command failed; see its log"
    assert refused == "The server refused: a_later_code"
    assert unanswered.startswith("loop: no answer from 127.0.0.1:")
    assert page.value("document.getElementById('prompt-form').classList.contains('busy')") is False
