"""Paces each character by its own clock, and broadcasts its frames and events to its subscribers and senders."""

import asyncio
import heapq
import itertools
import logging
import time
from collections import deque
from collections.abc import Sequence

from motiongen.streaming.character import Character
from motiongen.streaming.frame_ring import StreamFrame
from motiongen_bridge.avatars import AvatarStream
from motiongen_bridge.frames import Format
from motiongen_bridge.limits import ServerLimits
from motiongen_bridge.metrics import Metrics
from motiongen_bridge.places import Place
from motiongen_bridge.sender_group import SenderGroup
from motiongen_bridge.senders import FrameSender
from motiongen_bridge.subscription import LiveCharacter, MessageSink, Subscription

log = logging.getLogger(__name__)

OWED_PER_POLL = 24
"""Missed frames that are sent between two polls: thousands at once would keep everybody waiting."""
POLL_SECONDS = 0.003
"""Time between two polls of frames that are due: a hundred characters' frames go out a few at once."""


class FrameBroadcaster:
    """Sends each character's frames at a constant rate.

    Attributes:
        period: seconds between two frames of a character.
        began: start of the server's clock, seconds of `time.monotonic()`.
        characters: key -> character, the longest there first.
        place: where they live.
        senders: receive the frames of the first characters that come, as many as each takes.
    """

    def __init__(
        self,
        fps: float,
        speed: float,
        limits: ServerLimits,
        metrics: Metrics,
        senders: Sequence[FrameSender] = (),
        place: Place | None = None,
    ) -> None:
        """Make a broadcaster without characters.

        Args:
            fps: frames a second of each character.
            speed: times real time.
            limits: how much may be unsent.
            metrics: counts frames.
            senders: receive the frames of the first characters that come, as many as each takes.
            place: where the characters live, which their keys tell.
        """
        self.place = place or Place()
        self.period = 1 / (fps * speed)
        self.began = time.monotonic()
        self.characters: dict[str, LiveCharacter] = {}
        self.senders = SenderGroup(senders, metrics.sender_errors.inc)
        self._limits, self._metrics = limits, metrics
        self._queue: list[tuple[float, int, LiveCharacter]] = []
        self._turns = itertools.count()
        self._woken = asyncio.Event()
        self._catching_up: deque[Subscription] = deque()

    def now(self) -> int:
        """Return the server's clock, microseconds."""
        return int((time.monotonic() - self.began) * 1e6)

    def add(self, character: Character) -> LiveCharacter:
        """Add a character, without subscribers.

        Args:
            character: the scheduler's character.
        """
        live = LiveCharacter(character, self.place.new_key())
        self.characters[live.key] = live
        self._metrics.characters.set(len(self.characters))
        return live

    def remove(self, live: LiveCharacter) -> None:
        """Close a character, and tell its subscribers.

        Args:
            live: the character.
        """
        if self.characters.pop(live.key, None) is None:
            return
        live.character.close()
        self.senders.forget(live.key)
        for subscription in live.subscriptions:
            if subscription.sink is not None:
                subscription.sink.write(subscription.event_message("closed", live.character.taken))
        live.subscriptions.clear()
        self._metrics.characters.set(len(self.characters))

    def attach(self, subscription: Subscription, sink: MessageSink) -> None:
        """Send a subscription's frames to a connection, from the next frame on.

        Args:
            subscription: the subscription.
            sink: the connection.
        """
        subscription.sink, subscription.owed = sink, None
        live = subscription.live
        if subscription not in live.subscriptions:
            live.subscriptions.append(subscription)
        if not live.is_paced:
            live.is_paced = True
            self._schedule(live, time.monotonic())

    def resume(self, subscription: Subscription, sink: MessageSink, last: int) -> None:
        """Send a subscription's frames to a new connection, those that were missed first.

        Args:
            subscription: the subscription.
            sink: the new connection.
            last: number of the last frame that came.
        """
        subscription.sink, subscription.owed = sink, subscription.first_after(last)
        subscription.is_gap = subscription.owed > last + 1
        self._catching_up.append(subscription)
        self._woken.set()

    def show_now(self, live: LiveCharacter) -> None:
        """Send a character's next frame at once: it obeys a verb, whose answer need not wait for the frame's turn.

        Args:
            live: the character.
        """
        now = time.monotonic()
        if live.is_paced and not live.is_starved and live.due > now:
            self._schedule(live, now)

    async def run(self) -> None:
        """Send frames until cancelled."""
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
            delay = POLL_SECONDS if self._catching_up else min(max(wait, POLL_SECONDS), 1.0)
            timer = loop.call_later(delay, self._woken.set)
            await self._woken.wait()
            timer.cancel()

    def _pace_or_remove(self, live: LiveCharacter, now: float) -> None:
        """Pace a character; one that fails is removed, and the others go on."""
        try:
            self._pace(live, now)
        except Exception:
            log.exception("event=failed character=%s", live.character.number)
            self.remove(live)

    def _send_owed(self) -> None:
        """Send a few missed frames; subscriptions take turns."""
        budget = OWED_PER_POLL
        for _ in range(len(self._catching_up)):
            subscription = self._catching_up.popleft()
            if subscription.owed is None or subscription not in subscription.live.subscriptions:
                continue
            if (sink := subscription.sink) is None:
                continue
            budget = self._send_missed(subscription, sink, subscription.owed, budget)
            if subscription.owed < subscription.live.character.taken:
                self._catching_up.append(subscription)
            else:
                self.attach(subscription, sink)

    def _send_missed(self, subscription: Subscription, sink: MessageSink, owed: int, budget: int) -> int:
        """Send missed frames of one subscription, at most `budget`; return what is left of the budget."""
        live = subscription.live
        character = live.character
        while budget and owed < character.taken and sink.unsent_bytes <= self._limits.unsent_bytes:
            first = subscription.first_after(owed - 1)
            subscription.is_gap = subscription.is_gap or first > owed
            frame = subscription.recent[first - character.taken]
            due = live.due if live.is_paced else time.monotonic()  # of the frame that is next
            shown = due - (character.taken - first) * self.period - self.began
            message = subscription.frame_message(frame, int(shown * 1e6))
            sink.write(message)
            self._metrics.sent.inc()
            self._metrics.sent_bytes.inc(len(message))
            owed, subscription.is_gap, budget = first + 1, False, budget - 1
        subscription.owed = owed
        return budget

    def _schedule(self, live: LiveCharacter, due: float, poll_at: float | None = None) -> None:
        """Plan a character's next frame, and when to look for it where that is later; only the last plan counts."""
        live.due, live.turn = due, next(self._turns)
        heapq.heappush(self._queue, (due if poll_at is None else poll_at, live.turn, live))
        if self._queue[0][2] is live:
            self._woken.set()

    def _pace(self, live: LiveCharacter, now: float) -> None:
        """Send a character's next frame, if it is made, and plan the one after."""
        if not live.is_watched or live.key not in self.characters:
            live.is_paced = False
            return
        frame = live.character.take()
        self._send_events(live)
        live.is_starved = frame is None
        if frame is None:  # looked for again soon; its clock goes on for a while, then stands still
            due = live.due if now - live.due < 2 * self.period else now
            self._schedule(live, due, now + POLL_SECONDS)
            return
        self._metrics.late.observe(max(0.0, now - live.due))
        if frame.obeys in live.prompt_times:
            self._metrics.first_frame.observe(now - live.prompt_times[frame.obeys])
            times = live.prompt_times.items()
            live.prompt_times = {number: then for number, then in times if number > frame.obeys}
        self.senders.send(live.key, frame.rotations, frame.root, live.due - self.began)
        for stream in live.avatars.values():
            self.put_on(stream, live, frame)
        self._broadcast(live, frame, int((live.due - self.began) * 1e6))
        is_behind = now - live.due > 2 * self.period
        self._schedule(live, now + self.period if is_behind else live.due + self.period)

    def put_on(self, stream: AvatarStream, live: LiveCharacter, frame: StreamFrame) -> None:
        """Put a frame on an avatar; where that is not prepared, all other characters' next frames are at once.

        Args:
            stream: the character's frames on the avatar.
            live: the character.
            frame: the one that was taken last.
        """
        if not stream.is_prepared_for(frame):
            others = [one for one in self.characters.values() if one is not live]
            streams = [(one.avatars.get(stream.avatar.name), one.character) for one in others]
            ahead = [(one, who.peek()) for one, who in streams if one is not None and one.prepared is None]
            stream.avatar.prepare(
                [(stream, frame), *((one, pose) for one, pose in ahead if pose is not None)]
            )
        stream.append(frame)

    def _broadcast(self, live: LiveCharacter, frame: StreamFrame, time: int) -> None:
        """Send a frame to all subscribers. Latest frame wins: a slow client misses frames, which a gap flag tells."""
        # Hundreds of watchers get the same bytes.
        messages: dict[tuple[Format, int, bool, AvatarStream | None], bytes | str] = {}
        sent = size = 0
        for subscription in live.subscriptions:
            sink = subscription.sink
            if sink is None or subscription.owed is not None:
                continue
            if sink.unsent_bytes > self._limits.unsent_bytes:
                subscription.is_gap = True
                self._metrics.dropped.inc()
                continue
            avatar = subscription.avatar
            key = subscription.format, subscription.number, subscription.is_gap, avatar
            if key not in messages:
                shown = frame if avatar is None else avatar.recent[-1]
                messages[key] = subscription.frame_message(shown, time)
            subscription.is_gap = False
            sink.write(messages[key])
            sent, size = sent + 1, size + len(messages[key])
        self._metrics.sent.inc(sent)
        self._metrics.sent_bytes.inc(size)

    def _send_events(self, live: LiveCharacter) -> None:
        while live.character.events:
            event = live.character.events.popleft()
            for subscription in live.subscriptions:
                if subscription.sink is not None:
                    subscription.sink.write(subscription.event_message(event.name, event.seq, event))
