"""A character of a motiongen server: a thread keeps the connection, and the frames that are to be shown."""

import contextlib
import json
import threading
import time
from collections import deque
from typing import Any

from .frames import Frame, decode_frame
from .playback import Playback, Pose, ServerClock, Take
from .websocket import Refused, WebSocket, WebSocketClosed

FINAL = {1000: "the server hung up", 1001: "the server stopped", 1008: "too many messages"}
"""Close codes after which it is not tried again."""
FIRST_WAIT, LONGEST_WAIT = 0.25, 4.0
PING_SECONDS = 2.0
FIRST_PINGS = 6
"""Pings that are sent at once, to know the clock before the first frame is shown."""
MOST_WAITING = 32


class Link:
    """One character of a server, which is opened again, or resumed, when the connection drops.

    Attributes:
        status: for people: what goes on.
        notes: sentences of the server for people, the last ones.
        hello: the server's first message; None before it.
        is_running: whether it is connected or tries to be.
    """

    def __init__(self, url: str, token: str = "", prompt: str = "") -> None:
        """Make a link that is not connected; `start` connects it."""
        self.status, self.hello, self.is_running = "", None, False
        self.notes: deque[str] = deque(maxlen=5)
        self._url, self._token, self._prompt = url, token, prompt
        self._lock = threading.Lock()
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MOST_WAITING)
        self._stopping = threading.Event()
        self._clock, self._playback = ServerClock(), Playback(30.0)
        self._take: Take | None = None
        self._socket: WebSocket | None = None
        self._session, self._character, self._last = "", 0, -1
        self._is_open = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Connect, in a thread."""
        self.is_running, self.status = True, "connecting …"
        self._thread.start()

    def stop(self) -> None:
        """Hang up, and end the thread."""
        self._stopping.set()
        if self._socket is not None:
            if self._is_open:  # else the server keeps the character for half a minute, for who comes back
                with contextlib.suppress(OSError):
                    self._socket.send_text(json.dumps({"type": "close", "character": self._character}))
            self._socket.close()
        if self._thread.is_alive():
            self._thread.join(5.0)
        self.is_running = False

    def tell(self, verb: str, **arguments: Any) -> None:
        """Send a verb to the character, now or when it is there; see PROTOCOL.md, "Verbs"."""
        with self._lock:
            self._waiting.append({"type": verb, **arguments})
        self._send_waiting()

    def now(self) -> float:
        """Return the server's clock, seconds."""
        return time.monotonic() + self._clock.offset

    def sample(self) -> Pose | None:
        """Return the pose to be seen now; None before the first frame."""
        with self._lock:
            return self._playback.sample(self.now())

    def record(self) -> None:
        """Keep all frames that come from now on."""
        with self._lock:
            self._take = Take(self.fps)

    def stop_recording(self) -> Take | None:
        """Return the frames that were kept; None where none were to be."""
        with self._lock:
            take, self._take = self._take, None
        return take

    @property
    def is_recording(self) -> bool:
        """Whether frames are kept."""
        return self._take is not None

    @property
    def fps(self) -> float:
        """Frames a second of the stream."""
        return float(self.hello["fps"]) if self.hello else 30.0

    def _run(self) -> None:
        wait = FIRST_WAIT
        while not self._stopping.is_set():
            try:
                self._socket = WebSocket(self._address(), self._token)
                if self._stopping.is_set():  # asked to while it connected
                    self._socket.close()
                    break
                self._serve(self._socket)
            except (
                Refused,
                ValueError,
                KeyError,
                TypeError,
            ) as error:  # no server of this protocol, or not for us
                self.status = str(error)
                break
            except WebSocketClosed as error:
                self.status = FINAL.get(error.code, "connection lost; trying again …")
                if error.code in FINAL:
                    break
            except OSError as error:
                self.status = f"no server at {self._url} ({error}); trying again …"
            if self.hello is not None and self._is_open:
                wait = FIRST_WAIT
            self._is_open = False
            self._stopping.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        if self._stopping.is_set():
            self.status = "disconnected"
        self.is_running = self._is_open = False

    def _address(self) -> str:
        """Return the server's address; who comes back says where its character lives."""
        if not self._session:
            return self._url
        return f"{self._url}{'&' if '?' in self._url else '?'}at={self._session[:4]}"

    def _serve(self, socket: WebSocket) -> None:
        hello = None
        pinged, pings = 0.0, 0
        while not self._stopping.is_set():
            now = time.monotonic()
            if hello and (pings < FIRST_PINGS or now - pinged > PING_SECONDS):
                socket.send_text(json.dumps({"type": "ping", "time": now}))
                pinged, pings = now, pings + 1
            message = socket.receive(0.25)
            if isinstance(message, bytes):
                self._keep(decode_frame(message))
            elif message is not None:
                parsed = json.loads(message)
                if hello is None:
                    hello = self._greeted(socket, parsed)
                else:
                    self._read(socket, parsed)

    def _greeted(self, socket: WebSocket, hello: dict[str, Any]) -> dict[str, Any]:
        if hello.get("type") != "hello" or hello.get("version") != 1:
            raise ValueError("expected a server of protocol version 1; use the add-on that came with it")
        if self.hello is None or self.hello["fps"] != hello["fps"]:
            self._playback = Playback(float(hello["fps"]))
        before, self.hello = self._session, hello
        self._session = hello["session"]
        self._clock = ServerClock()
        self._clock.add(time.monotonic(), time.monotonic(), hello["time"] / 1e6)
        if before and self._character:
            last = {str(self._character): self._last}
            socket.send_text(json.dumps({"type": "resume", "id": 0, "session": before, "last": last}))
        else:
            self._open(socket)
        return hello

    def _open(self, socket: WebSocket) -> None:
        self._character, self._last = 0, -1
        with self._lock:
            self._playback.clear()
        socket.send_text(json.dumps({"type": "open", "id": 1, "prompt": self._prompt}))

    def _read(self, socket: WebSocket, message: dict[str, Any]) -> None:
        kind, id = message.get("type"), message.get("id")
        if kind == "pong":
            self._clock.add(float(message["time"]), time.monotonic(), message["server_time"] / 1e6)
        elif kind == "ok" and id == 0:
            if str(self._character) in message["characters"]:
                self._opened()
            else:
                self._open(socket)
        elif kind == "ok" and id == 1:
            self._character = int(message["character"])
            self._opened()
        elif kind == "error" and id == 0:
            self._open(socket)
        elif kind == "error" and id == 1:
            raise Refused(str(message.get("message")))
        elif kind == "error":
            self.notes.append(str(message.get("message")))
        elif kind == "event" and message.get("event") == "note":
            self.notes.append(str(message.get("text")))
        elif kind == "event" and message.get("event") == "closed":
            raise Refused("the server closed the character")
        elif kind == "event":
            self.status = f"{message.get('event')} {message.get('text') or ''}".strip()

    def _opened(self) -> None:
        self._is_open, self.status = True, "connected"
        self._send_waiting()

    def _send_waiting(self) -> None:
        """Send the verbs that wait, where there is a character; one that cannot be sent waits on."""
        while self._is_open and self._socket is not None:
            with self._lock:
                if not self._waiting:
                    return
                message = self._waiting.popleft()
                if message["type"] == "prompt":
                    self._prompt = message["text"]  # what it is opened with if it must be opened anew
            try:
                self._socket.send_text(json.dumps(message | {"character": self._character}))
            except OSError:
                with self._lock:
                    self._waiting.appendleft(message)
                return

    def _keep(self, frame: Frame) -> None:
        if frame.character != self._character and self._character:
            return
        with self._lock:
            self._last = frame.seq
            self._playback.push(frame, self.now())
            if self._take is not None:
                self._take.push(frame)
