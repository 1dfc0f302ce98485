"""Characters that are streamed, and the subscriptions through which connections see them."""

import json
from dataclasses import dataclass, field
from typing import Protocol

from motiongen.streaming.character import Character, StreamEvent
from motiongen.streaming.frame_ring import FrameRing, StreamFrame
from motiongen_bridge.avatars import Avatar, AvatarStream
from motiongen_bridge.frames import Format, WireFrame, encode_frame, frame_to_json


class MessageSink(Protocol):
    """The destination of a subscription's messages: a connection."""

    @property
    def unsent_bytes(self) -> int:
        """Bytes that wait to be sent."""
        ...

    def write(self, data: bytes | str) -> None:
        """Send a message without waiting.

        Args:
            data: binary or text message.
        """
        ...


@dataclass(eq=False)
class LiveCharacter:
    """A character that is streamed.

    Attributes:
        character: the scheduler's character.
        key: secret by which other connections may watch it.
        subscriptions: the connections' views of it.
        avatars: name of an avatar -> its frames there, of those that subscriptions want.
        due: when its next frame is to be shown, seconds of `time.monotonic()`.
        turn: number of its entry in the broadcaster's queue; older entries are void.
        is_paced: whether it is in that queue.
        is_starved: whether its next frame is due and not made yet.
        prompt_times: number of a prompt -> when it came, until its first frame, or that of a later one, is sent.
    """

    character: Character
    key: str
    subscriptions: "list[Subscription]" = field(default_factory=list)
    avatars: dict[str, AvatarStream] = field(default_factory=dict)
    due: float = 0.0
    turn: int = 0
    is_paced: bool = False
    is_starved: bool = False
    prompt_times: dict[int, float] = field(default_factory=dict)

    @property
    def is_watched(self) -> bool:
        """Whether a connection sees it; a character that nobody watches stands still."""
        return any(subscription.sink is not None for subscription in self.subscriptions)

    def on(self, avatar: Avatar) -> AvatarStream:
        """Return the character's frames on an avatar, from the next one on.

        Args:
            avatar: one of the server's.
        """
        return self.avatars.setdefault(avatar.name, AvatarStream(avatar))

    def unsubscribe(self, subscription: "Subscription") -> None:
        """Remove a subscription, and the avatar that nobody else wants.

        Args:
            subscription: one of its own, or one that was never attached.
        """
        if subscription in self.subscriptions:
            self.subscriptions.remove(subscription)
        wanted = {id(one.avatar) for one in self.subscriptions}
        self.avatars = {name: one for name, one in self.avatars.items() if id(one) in wanted}


@dataclass(eq=False)
class Subscription:
    """One connection's view of one character.

    Attributes:
        number: number of the character on that connection.
        live: the character.
        format: format of its frames.
        is_owner: whether the connection may send it verbs.
        avatar: its frames on the avatar that the connection wants; None for the scheduler's own skeleton.
        sink: the connection; None while it is lost.
        is_gap: whether the frame before the next was left out.
        owed: number of the next missed frame, which is sent before new ones; None where none was missed.
    """

    number: int
    live: LiveCharacter
    format: Format
    is_owner: bool
    avatar: AvatarStream | None = None
    sink: MessageSink | None = None
    is_gap: bool = False
    owed: int | None = None

    @property
    def recent(self) -> FrameRing:
        """The last frames of the character, on the skeleton that the connection wants; the last is `taken` - 1."""
        return self.live.character.recent if self.avatar is None else self.avatar.recent

    def first_after(self, last: int) -> int:
        """Return the number of the first frame after another that is still known, or of the next frame.

        Args:
            last: number of a frame.
        """
        taken = self.live.character.taken
        return min(max(last + 1, taken - len(self.recent)), taken)

    def frame_message(self, frame: StreamFrame, time: int) -> bytes | str:
        """Return the message of a frame.

        Args:
            frame: the frame.
            time: when it is to be shown, microseconds of the server's clock.
        """
        wire = WireFrame(
            self.number, frame.seq, max(0, time), frame.contacts, frame.obeys, frame.root, frame.rotations, self.is_gap
        )  # fmt: skip
        if self.format is Format.JSON:
            return json.dumps(frame_to_json(wire), separators=(",", ":"))
        return encode_frame(wire, self.format)

    def event_message(self, name: str, seq: int, event: StreamEvent | None = None) -> str:
        """Return the message of an event.

        Args:
            name: name of the event.
            seq: number of the frame at which it happens.
            event: the scheduler's event, with the command that it is about; None for the server's own.
        """
        details = {} if event is None else {"number": event.number, "text": event.text}
        if event is not None and event.sample is not None:
            details |= {"sample": event.sample}
        message = {"type": "event", "character": self.number, "event": name, "seq": seq, **details}
        return json.dumps(message)
