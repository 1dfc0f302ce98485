"""What each connection owns and watches, and how it is kept for a while when the connection drops."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from motiongen_bridge.client_connection import ClientConnection
from motiongen_bridge.frame_broadcaster import FrameBroadcaster, LiveCharacter, Subscription
from motiongen_bridge.frames import Format, ProtocolError

RESUME_SECONDS = 30.0
"""Time for which a lost connection's characters are kept."""
MOST_NUMBERS = 65535


@dataclass(eq=False)
class Session:
    """What a connection owns and watches; outlives it for a while.

    Attributes:
        connection: its connection; none while it is lost.
        token: what a later connection resumes with.
        subscriptions: its characters, by number.
        count: number of the last one.
        expiry: when it ends, while its connection is lost.
    """

    connection: ClientConnection | None
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    subscriptions: dict[int, Subscription] = field(default_factory=dict)
    count: int = 0
    expiry: asyncio.TimerHandle | None = None

    def subscribe(self, live: LiveCharacter, format: Format, *, is_owner: bool) -> Subscription:
        """Return a new subscription, under a number that is free."""
        self.count = self.count % MOST_NUMBERS + 1
        while self.count in self.subscriptions:
            self.count = self.count % MOST_NUMBERS + 1
        subscription = Subscription(self.count, live, format, is_owner)
        self.subscriptions[subscription.number] = subscription
        return subscription


class Sessions:
    """All sessions, by token."""

    def __init__(
        self, broadcaster: FrameBroadcaster, kept_seconds: float, changed: Callable[[int], None]
    ) -> None:
        """Take where their characters are, how long lost ones are kept, and who wants to know how many there are."""
        self._broadcaster, self._kept_seconds, self._changed = broadcaster, kept_seconds, changed
        self._living: dict[str, Session] = {}

    def begin(self, connection: ClientConnection) -> Session:
        """Return a new session."""
        session = Session(connection)
        self._living[session.token] = session
        self._changed(len(self._living))
        return session

    def sweep(self, session: Session) -> None:
        """Forget characters that their owners closed: they take no room from those who watched them."""
        gone = [
            number
            for number, subscription in session.subscriptions.items()
            if subscription.live.key not in self._broadcaster.characters
        ]
        for number in gone:
            del session.subscriptions[number]

    def is_living(self, session: Session) -> bool:
        """Whether it was not ended or taken over."""
        return session.token in self._living

    def take_over(self, session: Session, token: str, id: int | None) -> Session:
        """Move everything of a lost session to a new one, and return the old one.

        Raises:
            ProtocolError: the old one is over, or the new one has begun something already.
        """
        old = self._living.get(token)
        if old is None or old is session:
            raise ProtocolError("gone", "session: it is over; open your characters anew", id)
        if session.subscriptions:
            raise ProtocolError("not_now", "resume: say it before anything else", id)
        del self._living[old.token]
        if old.expiry is not None:
            old.expiry.cancel()
        self.sweep(old)
        session.subscriptions, session.count, old.subscriptions = old.subscriptions, old.count, {}
        for subscription in session.subscriptions.values():
            subscription.sink = None
        self._changed(len(self._living))
        return old

    def lose(self, session: Session) -> None:
        """Keep what a lost connection owned for a while, in case it comes back."""
        session.connection = None
        for subscription in session.subscriptions.values():
            subscription.sink = None
        if session.subscriptions and self.is_living(session):
            loop = asyncio.get_running_loop()
            session.expiry = loop.call_later(self._kept_seconds, self.end, session)
        else:
            self.end(session)

    def leave(self, session: Session, subscription: Subscription) -> None:
        """Let a character go."""
        session.subscriptions.pop(subscription.number, None)
        if subscription in subscription.live.subscriptions:
            subscription.live.subscriptions.remove(subscription)
        if subscription.is_owner:
            self._broadcaster.remove(subscription.live)

    def end(self, session: Session) -> None:
        """Let all of its characters go."""
        self._living.pop(session.token, None)
        for subscription in list(session.subscriptions.values()):
            self.leave(session, subscription)
        self._changed(len(self._living))

    def end_all(self) -> None:
        """Let everything go."""
        for session in list(self._living.values()):
            if session.expiry is not None:
                session.expiry.cancel()
            self.end(session)

    def idlest(self) -> Session | None:
        """Return the oldest session whose connection has no character: the one that may give way to another."""
        for session in self._living.values():
            if session.connection is not None and not session.subscriptions:
                return session
        return None
