"""A headless Chromium, spoken to by its debugging protocol: enough to open a page, type, click and look."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio",
    "--no-first-run", "--disable-background-networking", "--disable-extensions", "--remote-debugging-port=0",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
)  # fmt: skip
KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "ArrowUp": (38, ""), "ArrowDown": (40, "")}
ALT, SHIFT = 1, 8
START = 180.0
"""Seconds that a page may take to draw its first frame: a busy machine without a GPU compiles shaders for minutes."""


def find_chromium() -> str:
    """Return the path of a Chromium, or nothing; MOTIONGEN_CHROMIUM names another one."""
    return os.environ.get("MOTIONGEN_CHROMIUM") or next(
        (path for n in NAMES if (path := shutil.which(n))), ""
    )


def free_cores() -> int:
    """Return how many cores a Chromium started from here may use."""
    return len(_every_core())


class Page:
    """A tab.

    Attributes:
        complaints: errors and warnings of its console, and exceptions, as they came.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.complaints: list[str] = []
        self._socket, self._count = socket, 0
        for domain in ("Runtime", "Log", "Page"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the debugging protocol and return its result."""
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=START))
            if message.get("id") == self._count:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self._overhear(message)

    def open(self, url: str, size: tuple[int, int]) -> None:
        """Show an address in a window of so many pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=size[0], height=size[1], deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        self.call("Page.navigate", url=url)

    def value(self, expression: str) -> Any:
        """Return what a JavaScript expression comes to; promises are awaited."""
        told = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in told, f"{expression}: {json.dumps(told['exceptionDetails'])[:1000]}"
        return told["result"].get("value")

    def wait(self, expression: str, seconds: float = 60.0) -> Any:
        """Return the first true value of an expression."""
        until = time.monotonic() + seconds
        while not (value := self.value(f"(() => {{ try {{ return {expression} }} catch {{}} }})()")):
            assert time.monotonic() < until, f"waited {seconds} s for {expression}; {self.complaints}"
            time.sleep(0.05)
        return value

    def type(self, text: str) -> None:
        """Type characters into whatever has the focus."""
        self.call("Input.insertText", text=text)

    def press(self, key: str, *, shift: bool = False, alt: bool = False) -> None:
        """Press and let go of a key, by its name in KeyboardEvent.key."""
        code, text = KEYS.get(key, (ord(key.upper()), key) if len(key) == 1 else (0, ""))
        event = {"key": key, "windowsVirtualKeyCode": code, "modifiers": SHIFT * shift + ALT * alt}
        self.call("Input.dispatchKeyEvent", type="keyDown", **event, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def hold(self, key: str, *, shift: bool = False) -> None:
        """Press a key, until `let_go`."""
        self.call("Input.dispatchKeyEvent", type="rawKeyDown", key=key, modifiers=SHIFT if shift else 0)

    def let_go(self, key: str) -> None:
        """Let go of a key that is held."""
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def drag(self, *points: tuple[float, float], seconds: float = 0.1) -> None:
        """Press at the first point of the page, move along the others, each in its time, and let go at the last."""
        for place, (x, y) in enumerate(points):
            kind = "mousePressed" if place == 0 else "mouseMoved"
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)
            time.sleep(seconds)
        x, y = points[-1]
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, button="left", clickCount=1)

    def swipe(self, *points: tuple[float, float]) -> None:
        """Put a finger on the first point of the page, move it along the others, and lift it at the last."""
        for place, (x, y) in enumerate(points):
            kind = "touchStart" if place == 0 else "touchMove"
            self.call("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def click(self, x: float, y: float) -> None:
        """Click a point of the page."""
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def drop(self, name: str, data: bytes) -> None:
        """Drop a file on the page."""
        self.value(
            f"""(() => {{
                const bytes = Uint8Array.from(atob("{base64.b64encode(data).decode()}"), (c) => c.charCodeAt(0));
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([bytes], {json.dumps(name)}));
                dispatchEvent(new DragEvent("drop", {{ dataTransfer, cancelable: true }}));
            }})()"""
        )

    def screenshot(self, path: Path, **options: Any) -> bytes:
        """Write what is seen as PNG, and return it."""
        data = base64.b64decode(self.call("Page.captureScreenshot", **options)["data"])
        path.write_bytes(data)
        return data

    def _overhear(self, message: dict[str, Any]) -> None:
        told = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                details = told["exceptionDetails"]
                self.complaints.append(details.get("exception", {}).get("description") or details["text"])
            case "Log.entryAdded" if told["entry"]["level"] == "error":
                self.complaints.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "assert"):
                self.complaints.append(
                    " ".join(str(a.get("value", a.get("description"))) for a in told["args"])
                )


@contextmanager
def browse(more: Sequence[str] = ()) -> Iterator[Page]:
    """Start a Chromium with one tab, and with more flags; it ends with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        command = [find_chromium(), *FLAGS, *more, f"--user-data-dir={home}", "about:blank"]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=_use_every_core
        )
        try:
            port = _port(Path(home) / "DevToolsActivePort", lambda: process.poll() is None)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
                tab = next(tab for tab in json.load(answer) if tab["type"] == "page")
            with connect(tab["webSocketDebuggerUrl"], max_size=None) as socket:
                yield Page(socket)
        finally:
            process.terminate()
            process.wait(10)


def _port(file: Path, lives: Callable[[], bool]) -> int:
    until = time.monotonic() + 60
    while not file.exists() or "\n" not in file.read_text():
        assert lives() and time.monotonic() < until, "chromium did not start"
        time.sleep(0.05)
    return int(file.read_text().split()[0])


def _every_core() -> set[int]:
    if not hasattr(os, "sched_setaffinity"):  # only Linux confines a process to cores
        return set(range(os.cpu_count() or 1))
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        return os.sched_getaffinity(0)
    finally:
        os.sched_setaffinity(0, before)


def _use_every_core() -> None:
    """Its software renderer waits for itself for ever on a single core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    os.nice(5)
