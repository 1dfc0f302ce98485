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

from motiongen.streaming.frame_ring import StreamFrame
from motiongen.streaming.streamed import Streamed, StreamEvent
from motiongen_bridge.frames import Format, WireFrame, encode_frame, frame_to_json
from motiongen_bridge.limits import ServerLimits
from motiongen_bridge.metrics import Metrics

log = logging.getLogger(__name__)

OWED_PER_BEAT = 24
"""Missed frames that are sent between two looks at what is due: thousands at once would keep everybody waiting."""
BEAT = 0.003
"""Seconds between two looks at what is due: a hundred characters' frames go out a few at a time, not one by one."""


class Line(Protocol):
    """Where a seat's frames go: a connection."""

    @property
    def unsent(self) -> int:
        """Bytes that wait to be sent."""
        ...

    def write(self, data: bytes | str) -> None:
        """Send a message without waiting."""
        ...


@dataclass(eq=False)
class Seat:
    """One connection's view of one character.

    Attributes:
        number: of the character on that connection.
        actor: the character.
        format: how its frames travel.
        is_owner: whether it may be told what to do from here.
        line: the connection; none while it is lost.
        is_gap: whether the last frame was left out.
        owed: number of the next frame that it missed and gets before those that are new; none when it gets those.
    """

    number: int
    actor: "Actor"
    format: Format
    is_owner: bool
    line: Line | None = None
    is_gap: bool = False
    owed: int | None = None


@dataclass(eq=False)
class Actor:
    """A character on the stage.

    Attributes:
        key: what others watch it by.
        due: when its next frame is to be shown, seconds of the loop's clock.
        turn: number of its place in the queue.
        is_paced: whether it is in the queue of those that have a next frame.
        starves: whether its next frame is due and not made yet.
        said: number of a prompt -> when it was said, until its first frame, or that of a later one, is sent.
    """

    character: Streamed
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    seats: list[Seat] = field(default_factory=list)
    due: float = 0.0
    turn: int = 0
    is_paced: bool = False
    starves: bool = False
    said: dict[int, float] = field(default_factory=dict)

    @property
    def is_watched(self) -> bool:
        """Whether anyone is there; a character that nobody watches stands still."""
        return any(seat.line is not None for seat in self.seats)

    def first_after(self, last: int) -> int:
        """Number of the first frame after number `last` that is still known, or of the next one."""
        oldest = self.character.taken - len(self.character.recent)
        return min(max(last + 1, oldest), self.character.taken)


class Stage:
    """Paces actors at `fps` frames a second each, times `speed`."""

    def __init__(self, fps: float, speed: float, limits: ServerLimits, metrics: Metrics) -> None:
        self.period = 1 / (fps * speed)
        self._limits, self._metrics = limits, metrics
        self._queue: list[tuple[float, int, Actor]] = []
        self._order = itertools.count()
        self._woken = asyncio.Event()
        self._behind: deque[Seat] = deque()
        self.began = time.monotonic()
        self.actors: dict[str, Actor] = {}
        self._show: Callable[[np.ndarray, np.ndarray, float], None] | None = None

    def show(self, show: Callable[[np.ndarray, np.ndarray, float], None]) -> None:
        """Call back with the rotations, root and time in seconds of each frame of the actor that is there longest."""
        self._show = show

    def now(self) -> int:
        """Microseconds of the server's clock."""
        return int((time.monotonic() - self.began) * 1e6)

    def add(self, character: Streamed) -> Actor:
        """Put a character on the stage."""
        actor = Actor(character)
        self.actors[actor.key] = actor
        self._metrics.characters.set(len(self.actors))
        return actor

    def remove(self, actor: Actor) -> None:
        """Let a character go, and tell those who watch it."""
        if self.actors.pop(actor.key, None) is None:
            return
        actor.character.close()
        for seat in actor.seats:
            if seat.line is not None:
                seat.line.write(_event(seat, "closed", actor.character.taken))
        actor.seats.clear()
        self._metrics.characters.set(len(self.actors))

    def attach(self, seat: Seat, line: Line) -> None:
        """Let a connection see a character from its next frame on."""
        seat.line, seat.owed = line, None
        if seat not in seat.actor.seats:
            seat.actor.seats.append(seat)
        if not seat.actor.is_paced:
            seat.actor.is_paced = True
            self._schedule(seat.actor, time.monotonic())

    def catch_up(self, seat: Seat, line: Line, last: int) -> None:
        """Let a connection see a character from the frame after number `last` on, those that it missed first."""
        seat.line, seat.owed = line, seat.actor.first_after(last)
        seat.is_gap = seat.owed > last + 1
        self._behind.append(seat)
        self._woken.set()

    def hurry(self, actor: Actor) -> None:
        """Show the next frame now: a verb was obeyed, and its answer need not wait for the frame's turn."""
        now = time.monotonic()
        if actor.is_paced and not actor.starves and actor.due > now:
            self._schedule(actor, now)

    async def run(self) -> None:
        """Pace until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            now = time.monotonic()
            while self._queue and self._queue[0][0] <= now:
                _, turn, actor = heapq.heappop(self._queue)
                if actor.is_paced and turn == actor.turn:  # else it was scheduled anew
                    self._pace_or_remove(actor, now)
            self._send_owed()
            self._woken.clear()
            wait = self._queue[0][0] - time.monotonic() if self._queue else 1.0
            timer = loop.call_later(BEAT if self._behind else min(max(wait, BEAT), 1.0), self._woken.set)
            await self._woken.wait()
            timer.cancel()

    def _pace_or_remove(self, actor: Actor, now: float) -> None:
        """Let one character's failure be its own, and not the end of all streams."""
        try:
            self._pace(actor, now)
        except Exception:
            log.exception("event=failed character=%s", actor.character.number)
            self.remove(actor)

    def _send_owed(self) -> None:
        """Send a few of the frames that seats missed; they take turns."""
        budget = OWED_PER_BEAT
        for _ in range(len(self._behind)):
            seat = self._behind.popleft()
            character = seat.actor.character
            if seat.line is None or seat.owed is None or seat not in seat.actor.seats:
                continue
            while budget and seat.owed < character.taken and seat.line.unsent <= self._limits.unsent_bytes:
                first = seat.actor.first_after(seat.owed - 1)
                seat.is_gap = seat.is_gap or first > seat.owed
                frame = character.recent[first - character.taken]
                due = seat.actor.due if seat.actor.is_paced else time.monotonic()  # of the frame that is next
                shown = due - (character.taken - first) * self.period - self.began
                message = _message(seat, frame, int(shown * 1e6))
                seat.line.write(message)
                self._metrics.sent.inc()
                self._metrics.sent_bytes.inc(len(message))
                seat.owed, seat.is_gap, budget = first + 1, False, budget - 1
            if seat.owed < character.taken:
                self._behind.append(seat)
            else:
                self.attach(seat, seat.line)

    def _schedule(self, actor: Actor, due: float, look: float | None = None) -> None:
        """Plan an actor's next frame, and when to look for it where that is later; only the last plan counts."""
        actor.due, actor.turn = due, next(self._order)
        heapq.heappush(self._queue, (due if look is None else look, actor.turn, actor))
        if self._queue[0][2] is actor:
            self._woken.set()

    def _pace(self, actor: Actor, now: float) -> None:
        """Send an actor's next frame, if it is made, and plan the one after."""
        if not actor.is_watched or actor.key not in self.actors:
            actor.is_paced = False
            return
        frame = actor.character.take()
        self._tell_events(actor)
        actor.starves = frame is None
        if frame is None:  # looked for again soon; its clock goes on for a while, then stands still
            self._schedule(actor, actor.due if now - actor.due < 2 * self.period else now, now + BEAT)
            return
        self._metrics.late.observe(max(0.0, now - actor.due))
        time_shown = int((actor.due - self.began) * 1e6)
        if frame.obeys in actor.said:
            self._metrics.first_frame.observe(now - actor.said[frame.obeys])
            actor.said = {number: then for number, then in actor.said.items() if number > frame.obeys}
        if self._show is not None and actor is next(iter(self.actors.values())):
            self._show(frame.rotations, frame.root, actor.due - self.began)
        self._share(actor, frame, time_shown)
        behind = now - actor.due > 2 * self.period
        self._schedule(actor, now + self.period if behind else actor.due + self.period)

    def _share(self, actor: Actor, frame: StreamFrame, shown: int) -> None:
        """Latest frame wins: a client that does not keep up misses frames, and knows it."""
        messages: dict[tuple[Format, int, bool], bytes | str] = {}  # hundreds who watch get the same bytes
        sent = size = 0
        for seat in actor.seats:
            if seat.line is None or seat.owed is not None:
                continue
            if seat.line.unsent > self._limits.unsent_bytes:
                seat.is_gap = True
                self._metrics.dropped.inc()
                continue
            key = seat.format, seat.number, seat.is_gap
            if key not in messages:
                messages[key] = _message(seat, frame, shown)
            seat.is_gap = False
            seat.line.write(messages[key])
            sent, size = sent + 1, size + len(messages[key])
        self._metrics.sent.inc(sent)
        self._metrics.sent_bytes.inc(size)

    def _tell_events(self, actor: Actor) -> None:
        while actor.character.events:
            event = actor.character.events.popleft()
            for seat in actor.seats:
                if seat.line is not None:
                    seat.line.write(_event(seat, event.name, event.seq, event))


def _message(seat: Seat, frame: StreamFrame, shown: int) -> bytes | str:
    """Return a frame as a seat gets it, to be shown at so many microseconds of the server's clock."""
    wire = WireFrame(
        seat.number, frame.seq, max(0, shown), frame.contacts, frame.obeys, frame.root, frame.rotations, seat.is_gap
    )  # fmt: skip
    if seat.format is Format.JSON:
        return json.dumps(frame_to_json(wire), separators=(",", ":"))
    return encode_frame(wire, seat.format)


def _event(seat: Seat, name: str, seq: int, event: StreamEvent | None = None) -> str:
    said = {} if event is None else {"number": event.number, "text": event.text}
    if event is not None and event.sample is not None:
        said |= {"sample": event.sample}
    return json.dumps({"type": "event", "character": seat.number, "event": name, "seq": seq, **said})
