"""Client sessions: the characters that a connection owns or watches, kept for a while when the connection drops."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from motiongen_bridge.avatars import Avatar
from motiongen_bridge.client_connection import ClientConnection
from motiongen_bridge.frame_broadcaster import FrameBroadcaster
from motiongen_bridge.frames import Format, ProtocolError
from motiongen_bridge.subscription import LiveCharacter, Subscription

RESUME_SECONDS = 30.0
"""Time for which a lost connection's characters are kept."""
MAX_NUMBER = 65535
"""Highest number of a character on a connection."""


@dataclass(eq=False)
class ClientSession:
    """State of a client, which outlives its connection for a while.

    Attributes:
        connection: its connection; None while that is lost.
        token: secret with which a later connection resumes the session.
        subscriptions: its characters, by number.
        last_number: number that was given last.
        expiry: ends the session while its connection is lost.
    """

    connection: ClientConnection | None
    token: str
    subscriptions: dict[int, Subscription] = field(default_factory=dict)
    last_number: int = 0
    expiry: asyncio.TimerHandle | None = None

    def subscribe(
        self, live: LiveCharacter, format: Format, avatar: Avatar | None, *, is_owner: bool
    ) -> Subscription:
        """Return a new subscription under a free number.

        Args:
            live: the character.
            format: format of its frames.
            avatar: that its frames are put on; None for the scheduler's own skeleton.
            is_owner: whether the client may send it verbs.
        """
        self.last_number = self.last_number % MAX_NUMBER + 1
        while self.last_number in self.subscriptions:
            self.last_number = self.last_number % MAX_NUMBER + 1
        stream = None if avatar is None else live.on(avatar)
        subscription = Subscription(self.last_number, live, format, is_owner, stream)
        self.subscriptions[subscription.number] = subscription
        return subscription


class SessionStore:
    """All sessions, by token."""

    def __init__(
        self,
        broadcaster: FrameBroadcaster,
        kept_seconds: float,
        on_change: Callable[[int], None],
        on_end: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Make an empty store.

        Args:
            broadcaster: has the sessions' characters.
            kept_seconds: time for which lost sessions are kept.
            on_change: called with the count of sessions.
            on_end: called with the key of a session that is over.
        """
        self._on_end = on_end
        self._broadcaster, self._kept_seconds, self._on_change = broadcaster, kept_seconds, on_change
        self._sessions: dict[str, ClientSession] = {}

    def begin(self, connection: ClientConnection, token: str) -> ClientSession:
        """Return a new session.

        Args:
            connection: its connection.
            token: its key.
        """
        session = ClientSession(connection, token)
        self._sessions[session.token] = session
        self._on_change(len(self._sessions))
        return session

    def remove_closed(self, session: ClientSession) -> None:
        """Remove subscriptions to characters that their owners closed: they count no more.

        Args:
            session: the session.
        """
        living = self._broadcaster.characters
        closed = [n for n, one in session.subscriptions.items() if one.live.key not in living]
        for number in closed:
            del session.subscriptions[number]

    def has(self, token: str) -> bool:
        """Return whether a session is here.

        Args:
            token: its key.
        """
        return token in self._sessions

    def is_active(self, session: ClientSession) -> bool:
        """Return whether a session was neither ended nor taken over.

        Args:
            session: the session.
        """
        return session.token in self._sessions

    def take_over(self, session: ClientSession, token: str, id: int | None) -> ClientSession:
        """Move everything of an older session into a new one, and return the older one.

        Args:
            session: the new session.
            token: token of the older one.
            id: id of the message that asks for it.

        Raises:
            ProtocolError: the older session is over, or the new one has characters already.
        """
        old = self._sessions.get(token)
        if old is None or old is session:
            raise ProtocolError("gone", "session: it is over; open your characters anew", id)
        if session.subscriptions:
            raise ProtocolError("not_now", "resume: say it before anything else", id)
        del self._sessions[old.token]
        self._on_end(old.token)
        if old.expiry is not None:
            old.expiry.cancel()
        self.remove_closed(old)
        session.subscriptions, session.last_number, old.subscriptions = (
            old.subscriptions,
            old.last_number,
            {},
        )
        for subscription in session.subscriptions.values():
            subscription.sink = None
        self._on_change(len(self._sessions))
        return old

    def keep(self, session: ClientSession) -> None:
        """Keep a session whose connection was lost for a while; end it where it has no characters.

        Args:
            session: the session.
        """
        session.connection = None
        for subscription in session.subscriptions.values():
            subscription.sink = None
        if session.subscriptions and self.is_active(session):
            loop = asyncio.get_running_loop()
            session.expiry = loop.call_later(self._kept_seconds, self.end, session)
        else:
            self.end(session)

    def unsubscribe(self, session: ClientSession, subscription: Subscription) -> None:
        """End a subscription; its owner's ends the character too.

        Args:
            session: the session.
            subscription: one of its subscriptions.
        """
        session.subscriptions.pop(subscription.number, None)
        subscription.live.unsubscribe(subscription)
        if subscription.is_owner:
            self._broadcaster.remove(subscription.live)

    def end(self, session: ClientSession) -> None:
        """End a session and all its subscriptions.

        Args:
            session: the session.
        """
        if self._sessions.pop(session.token, None) is not None:
            self._on_end(session.token)
        for subscription in list(session.subscriptions.values()):
            self.unsubscribe(session, subscription)
        self._on_change(len(self._sessions))

    def end_all(self) -> None:
        """End all sessions."""
        for session in list(self._sessions.values()):
            if session.expiry is not None:
                session.expiry.cancel()
            self.end(session)

    def oldest_idle(self) -> ClientSession | None:
        """Return the oldest connected session without characters, which may give way to another; or None."""
        for session in self._sessions.values():
            if session.connection is not None and not session.subscriptions:
                return session
        return None
