"""Characters and who watches them: paces every character by its own clock, and writes its frames to its watchers."""

import asyncio
import heapq
import itertools
import json
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from motiongen.streaming.character import Character, StreamEvent
from motiongen.streaming.frame_ring import StreamFrame
from motiongen_bridge.frames import Format, WireFrame, encode_frame, frame_to_json
from motiongen_bridge.limits import ServerLimits
from motiongen_bridge.metrics import Metrics

log = logging.getLogger(__name__)

OWED_PER_BEAT = 24
"""Missed frames that are sent between two looks at what is due: thousands at once would keep everybody waiting."""
BEAT = 0.003
"""Seconds between two looks at what is due: a hundred characters' frames go out a few at a time, not one by one."""


class MessageSink(Protocol):
    """Where a subscription's frames go: a connection."""

    @property
    def unsent(self) -> int:
        """Bytes that wait to be sent."""
        ...

    def write(self, data: bytes | str) -> None:
        """Send a message without waiting."""
        ...


@dataclass(eq=False)
class Subscription:
    """One connection's view of one character.

    Attributes:
        number: of the character on that connection.
        live: the character.
        format: how its frames travel.
        is_owner: whether it may be told what to do from here.
        sink: the connection; none while it is lost.
        is_gap: whether the last frame was left out.
        owed: number of the next frame that it missed and gets before those that are new; none when it gets those.
    """

    number: int
    live: "LiveCharacter"
    format: Format
    is_owner: bool
    sink: MessageSink | None = None
    is_gap: bool = False
    owed: int | None = None


@dataclass(eq=False)
class LiveCharacter:
    """A character on the stage.

    Attributes:
        key: what others watch it by.
        due: when its next frame is to be shown, seconds of the loop's clock.
        turn: number of its place in the queue.
        is_paced: whether it is in the queue of those that have a next frame.
        starves: whether its next frame is due and not made yet.
        said: number of a prompt -> when it was said, until its first frame, or that of a later one, is sent.
    """

    character: Character
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    subscriptions: list[Subscription] = field(default_factory=list)
    due: float = 0.0
    turn: int = 0
    is_paced: bool = False
    starves: bool = False
    said: dict[int, float] = field(default_factory=dict)

    @property
    def is_watched(self) -> bool:
        """Whether anyone is there; a character that nobody watches stands still."""
        return any(subscription.sink is not None for subscription in self.subscriptions)

    def first_after(self, last: int) -> int:
        """Number of the first frame after number `last` that is still known, or of the next one."""
        oldest = self.character.taken - len(self.character.recent)
        return min(max(last + 1, oldest), self.character.taken)


class FrameBroadcaster:
    """Paces characters at `fps` frames a second each, times `speed`."""

    def __init__(self, fps: float, speed: float, limits: ServerLimits, metrics: Metrics) -> None:
        self.period = 1 / (fps * speed)
        self._limits, self._metrics = limits, metrics
        self._queue: list[tuple[float, int, LiveCharacter]] = []
        self._order = itertools.count()
        self._woken = asyncio.Event()
        self._behind: deque[Subscription] = deque()
        self.began = time.monotonic()
        self.characters: dict[str, LiveCharacter] = {}
        self._show: Callable[[np.ndarray, np.ndarray, float], None] | None = None

    def show(self, show: Callable[[np.ndarray, np.ndarray, float], None]) -> None:
        """Call back with the rotations, root and time in seconds of each frame of the live that is there longest."""
        self._show = show

    def now(self) -> int:
        """Microseconds of the server's clock."""
        return int((time.monotonic() - self.began) * 1e6)

    def add(self, character: Character) -> LiveCharacter:
        """Put a character on the stage."""
        live = LiveCharacter(character)
        self.characters[live.key] = live
        self._metrics.characters.set(len(self.characters))
        return live

    def remove(self, live: LiveCharacter) -> None:
        """Let a character go, and tell those who watch it."""
        if self.characters.pop(live.key, None) is None:
            return
        live.character.close()
        for subscription in live.subscriptions:
            if subscription.sink is not None:
                subscription.sink.write(_event(subscription, "closed", live.character.taken))
        live.subscriptions.clear()
        self._metrics.characters.set(len(self.characters))

    def attach(self, subscription: Subscription, sink: MessageSink) -> None:
        """Let a connection see a character from its next frame on."""
        subscription.sink, subscription.owed = sink, None
        if subscription not in subscription.live.subscriptions:
            subscription.live.subscriptions.append(subscription)
        if not subscription.live.is_paced:
            subscription.live.is_paced = True
            self._schedule(subscription.live, time.monotonic())

    def catch_up(self, subscription: Subscription, sink: MessageSink, last: int) -> None:
        """Let a connection see a character from the frame after number `last` on, those that it missed first."""
        subscription.sink, subscription.owed = sink, subscription.live.first_after(last)
        subscription.is_gap = subscription.owed > last + 1
        self._behind.append(subscription)
        self._woken.set()

    def hurry(self, live: LiveCharacter) -> None:
        """Show the next frame now: a verb was obeyed, and its answer need not wait for the frame's turn."""
        now = time.monotonic()
        if live.is_paced and not live.starves and live.due > now:
            self._schedule(live, now)

    async def run(self) -> None:
        """Pace until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            now = time.monotonic()
            while self._queue and self._queue[0][0] <= now:
                _, turn, live = heapq.heappop(self._queue)
                if live.is_paced and turn == live.turn:  # else it was scheduled anew
                    self._pace_or_remove(live, now)
            self._send_owed()
            self._woken.clear()
            wait = self._queue[0][0] - time.monotonic() if self._queue else 1.0
            timer = loop.call_later(BEAT if self._behind else min(max(wait, BEAT), 1.0), self._woken.set)
            await self._woken.wait()
            timer.cancel()

    def _pace_or_remove(self, live: LiveCharacter, now: float) -> None:
        """Let one character's failure be its own, and not the end of all streams."""
        try:
            self._pace(live, now)
        except Exception:
            log.exception("event=failed character=%s", live.character.number)
            self.remove(live)

    def _send_owed(self) -> None:
        """Send a few of the frames that subscriptions missed; they take turns."""
        budget = OWED_PER_BEAT
        for _ in range(len(self._behind)):
            subscription = self._behind.popleft()
            character = subscription.live.character
            if (
                subscription.sink is None
                or subscription.owed is None
                or subscription not in subscription.live.subscriptions
            ):
                continue
            while (
                budget
                and subscription.owed < character.taken
                and subscription.sink.unsent <= self._limits.unsent_bytes
            ):
                first = subscription.live.first_after(subscription.owed - 1)
                subscription.is_gap = subscription.is_gap or first > subscription.owed
                frame = character.recent[first - character.taken]
                due = (
                    subscription.live.due if subscription.live.is_paced else time.monotonic()
                )  # of the frame that is next
                shown = due - (character.taken - first) * self.period - self.began
                message = _message(subscription, frame, int(shown * 1e6))
                subscription.sink.write(message)
                self._metrics.sent.inc()
                self._metrics.sent_bytes.inc(len(message))
                subscription.owed, subscription.is_gap, budget = first + 1, False, budget - 1
            if subscription.owed < character.taken:
                self._behind.append(subscription)
            else:
                self.attach(subscription, subscription.sink)

    def _schedule(self, live: LiveCharacter, due: float, look: float | None = None) -> None:
        """Plan an live's next frame, and when to look for it where that is later; only the last plan counts."""
        live.due, live.turn = due, next(self._order)
        heapq.heappush(self._queue, (due if look is None else look, live.turn, live))
        if self._queue[0][2] is live:
            self._woken.set()

    def _pace(self, live: LiveCharacter, now: float) -> None:
        """Send an live's next frame, if it is made, and plan the one after."""
        if not live.is_watched or live.key not in self.characters:
            live.is_paced = False
            return
        frame = live.character.take()
        self._tell_events(live)
        live.starves = frame is None
        if frame is None:  # looked for again soon; its clock goes on for a while, then stands still
            self._schedule(live, live.due if now - live.due < 2 * self.period else now, now + BEAT)
            return
        self._metrics.late.observe(max(0.0, now - live.due))
        time_shown = int((live.due - self.began) * 1e6)
        if frame.obeys in live.said:
            self._metrics.first_frame.observe(now - live.said[frame.obeys])
            live.said = {number: then for number, then in live.said.items() if number > frame.obeys}
        if self._show is not None and live is next(iter(self.characters.values())):
            self._show(frame.rotations, frame.root, live.due - self.began)
        self._share(live, frame, time_shown)
        behind = now - live.due > 2 * self.period
        self._schedule(live, now + self.period if behind else live.due + self.period)

    def _share(self, live: LiveCharacter, frame: StreamFrame, shown: int) -> None:
        """Latest frame wins: a client that does not keep up misses frames, and knows it."""
        messages: dict[tuple[Format, int, bool], bytes | str] = {}  # hundreds who watch get the same bytes
        sent = size = 0
        for subscription in live.subscriptions:
            if subscription.sink is None or subscription.owed is not None:
                continue
            if subscription.sink.unsent > self._limits.unsent_bytes:
                subscription.is_gap = True
                self._metrics.dropped.inc()
                continue
            key = subscription.format, subscription.number, subscription.is_gap
            if key not in messages:
                messages[key] = _message(subscription, frame, shown)
            subscription.is_gap = False
            subscription.sink.write(messages[key])
            sent, size = sent + 1, size + len(messages[key])
        self._metrics.sent.inc(sent)
        self._metrics.sent_bytes.inc(size)

    def _tell_events(self, live: LiveCharacter) -> None:
        while live.character.events:
            event = live.character.events.popleft()
            for subscription in live.subscriptions:
                if subscription.sink is not None:
                    subscription.sink.write(_event(subscription, event.name, event.seq, event))


def _message(subscription: Subscription, frame: StreamFrame, shown: int) -> bytes | str:
    """Return a frame as a subscription gets it, to be shown at so many microseconds of the server's clock."""
    wire = WireFrame(
        subscription.number, frame.seq, max(0, shown), frame.contacts, frame.obeys, frame.root, frame.rotations,
        subscription.is_gap,
    )  # fmt: skip
    if subscription.format is Format.JSON:
        return json.dumps(frame_to_json(wire), separators=(",", ":"))
    return encode_frame(wire, subscription.format)


def _event(subscription: Subscription, name: str, seq: int, event: StreamEvent | None = None) -> str:
    said = {} if event is None else {"number": event.number, "text": event.text}
    if event is not None and event.sample is not None:
        said |= {"sample": event.sample}
    return json.dumps({"type": "event", "character": subscription.number, "event": name, "seq": seq, **said})
