"""Characters and who watches them: paces every character by its own clock, and writes its frames to its watchers."""

import asyncio
import heapq
import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from motiongen.inference.character import Character, StreamEvent
from motiongen.inference.frame_ring import StreamFrame
from motiongen_bridge.frames import Format, WireFrame, encode_body, encode_header, frame_to_json
from motiongen_bridge.limits import ServerLimits
from motiongen_bridge.metrics import Metrics

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
        stalled_since: when frames began to be left out without a break.
    """

    number: int
    actor: "Actor"
    format: Format
    is_owner: bool
    line: Line | None = None
    is_gap: bool = False
    stalled_since: float | None = None


@dataclass(eq=False)
class Actor:
    """A character on the stage.

    Attributes:
        key: what others watch it by.
        due: when its next frame is to be shown, seconds of the loop's clock.
        turn: number of its place in the queue.
        is_paced: whether it is in the queue of those that have a next frame.
        starves: whether its next frame is due and not made yet.
        said: verb number -> when it was said, until its first frame is sent.
    """

    character: Character
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


class Stage:
    """Paces actors at `fps` frames a second each, times `speed`."""

    def __init__(self, fps: float, speed: float, limits: ServerLimits, metrics: Metrics) -> None:
        self.period = 1 / (fps * speed)
        self._limits, self._metrics = limits, metrics
        self._queue: list[tuple[float, int, Actor]] = []
        self._order = itertools.count()
        self._woken = asyncio.Event()
        self.began = time.monotonic()
        self.actors: dict[str, Actor] = {}
        self._show: Callable[[np.ndarray, np.ndarray, float], None] | None = None

    def show(self, show: Callable[[np.ndarray, np.ndarray, float], None]) -> None:
        """Call back with the rotations, root and time in seconds of each frame of the actor that is there longest."""
        self._show = show

    def now(self) -> int:
        """Microseconds of the server's clock."""
        return int((time.monotonic() - self.began) * 1e6)

    def add(self, character: Character) -> Actor:
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
        seat.line = line
        if seat not in seat.actor.seats:
            seat.actor.seats.append(seat)
        if not seat.actor.is_paced:
            seat.actor.is_paced = True
            self._schedule(seat.actor, time.monotonic())

    def replay(self, seat: Seat, last: int) -> int:
        """Send the frames after number `last` that a seat missed; return the number of the first that comes next."""
        missed = [frame for frame in seat.actor.character.recent if frame.seq > last]
        seat.is_gap = bool(missed) and missed[0].seq > last + 1
        for n, frame in enumerate(missed):
            due = self.now() - int((len(missed) - n) * self.period * 1e6)
            self._send(seat, frame, encode_body(frame.rotations, frame.root, seat.format), due)
        return missed[0].seq if missed else seat.actor.character.taken

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
                    self._pace(actor, now)
            self._woken.clear()
            wait = self._queue[0][0] - time.monotonic() if self._queue else 1.0
            timer = loop.call_later(min(max(wait, BEAT), 1.0), self._woken.set)
            await self._woken.wait()
            timer.cancel()

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
            self._metrics.first_frame.observe(now - actor.said.pop(frame.obeys))
        if self._show is not None and actor is next(iter(self.actors.values())):
            self._show(frame.rotations, frame.root, actor.due - self.began)
        bodies: dict[Format, bytes] = {}
        for seat in actor.seats:
            if seat.line is not None:
                if seat.format not in bodies:
                    bodies[seat.format] = encode_body(frame.rotations, frame.root, seat.format)
                self._send_or_skip(seat, frame, bodies[seat.format], time_shown, now)
        behind = now - actor.due > 2 * self.period
        self._schedule(actor, now + self.period if behind else actor.due + self.period)

    def _send_or_skip(self, seat: Seat, frame: StreamFrame, body: bytes, shown: int, now: float) -> None:
        """Latest frame wins: a client that does not keep up misses frames, and knows it."""
        assert seat.line is not None
        if seat.line.unsent > self._limits.unsent_bytes:
            seat.is_gap = True
            seat.stalled_since = now if seat.stalled_since is None else seat.stalled_since
            self._metrics.dropped.inc()
            return
        seat.stalled_since = None
        self._send(seat, frame, body, shown)

    def _send(self, seat: Seat, frame: StreamFrame, body: bytes, shown: int) -> None:
        assert seat.line is not None
        wire = WireFrame(
            seat.number, frame.seq, max(0, shown), frame.contacts, frame.obeys, frame.root, frame.rotations, seat.is_gap
        )  # fmt: skip
        message: bytes | str
        if seat.format is Format.JSON:
            message = json.dumps(frame_to_json(wire), separators=(",", ":"))
        else:
            message = encode_header(wire, seat.format) + body
        seat.is_gap = False
        seat.line.write(message)
        self._metrics.sent.inc()
        self._metrics.sent_bytes.inc(len(message))

    def stalled(self, now: float) -> Iterator[Seat]:
        """Those that have missed all frames for too long."""
        for actor in self.actors.values():
            for seat in actor.seats:
                since = seat.stalled_since
                if seat.line is not None and since and now - since > self._limits.stalled_seconds:
                    yield seat

    def _tell_events(self, actor: Actor) -> None:
        while actor.character.events:
            event = actor.character.events.popleft()
            for seat in actor.seats:
                if seat.line is not None:
                    seat.line.write(_event(seat, event.name, event.seq, event))


def _event(seat: Seat, name: str, seq: int, event: StreamEvent | None = None) -> str:
    said = {} if event is None else {"number": event.number, "text": event.text}
    return json.dumps({"type": "event", "character": seat.number, "event": name, "seq": seq, **said})
