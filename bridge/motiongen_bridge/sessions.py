"""What each connection owns and watches, and how it is kept for a while when the connection drops."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from motiongen_bridge.frames import Format, ProtocolError
from motiongen_bridge.line import Line
from motiongen_bridge.stage import Actor, Seat, Stage

RESUME_SECONDS = 30.0
"""Time for which a lost connection's characters are kept."""
MOST_NUMBERS = 65535


@dataclass(eq=False)
class Session:
    """What a connection owns and watches; outlives it for a while.

    Attributes:
        line: its connection; none while it is lost.
        token: what a later connection resumes with.
        seats: its characters, by number.
        count: number of the last one.
        expiry: when it ends, while its connection is lost.
    """

    line: Line | None
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    seats: dict[int, Seat] = field(default_factory=dict)
    count: int = 0
    expiry: asyncio.TimerHandle | None = None

    def take_seat(self, actor: Actor, format: Format, *, is_owner: bool) -> Seat:
        """Return a new seat, under a number that is free."""
        self.count = self.count % MOST_NUMBERS + 1
        while self.count in self.seats:
            self.count = self.count % MOST_NUMBERS + 1
        seat = Seat(self.count, actor, format, is_owner)
        self.seats[seat.number] = seat
        return seat


class Sessions:
    """All sessions, by token."""

    def __init__(self, stage: Stage, kept_seconds: float, changed: Callable[[int], None]) -> None:
        """Take where their characters are, how long lost ones are kept, and who wants to know how many there are."""
        self._stage, self._kept_seconds, self._changed = stage, kept_seconds, changed
        self._living: dict[str, Session] = {}

    def begin(self, line: Line) -> Session:
        """Return a new session."""
        session = Session(line)
        self._living[session.token] = session
        self._changed(len(self._living))
        return session

    def sweep(self, session: Session) -> None:
        """Forget characters that their owners closed: they take no room from those who watched them."""
        gone = [number for number, seat in session.seats.items() if seat.actor.key not in self._stage.actors]
        for number in gone:
            del session.seats[number]

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
        if session.seats:
            raise ProtocolError("not_now", "resume: say it before anything else", id)
        del self._living[old.token]
        if old.expiry is not None:
            old.expiry.cancel()
        self.sweep(old)
        session.seats, session.count, old.seats = old.seats, old.count, {}
        for seat in session.seats.values():
            seat.line = None
        self._changed(len(self._living))
        return old

    def lose(self, session: Session) -> None:
        """Keep what a lost connection owned for a while, in case it comes back."""
        session.line = None
        for seat in session.seats.values():
            seat.line = None
        if session.seats and self.is_living(session):
            loop = asyncio.get_running_loop()
            session.expiry = loop.call_later(self._kept_seconds, self.end, session)
        else:
            self.end(session)

    def leave(self, session: Session, seat: Seat) -> None:
        """Let a character go."""
        session.seats.pop(seat.number, None)
        if seat in seat.actor.seats:
            seat.actor.seats.remove(seat)
        if seat.is_owner:
            self._stage.remove(seat.actor)

    def end(self, session: Session) -> None:
        """Let all of its characters go."""
        self._living.pop(session.token, None)
        for seat in list(session.seats.values()):
            self.leave(session, seat)
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
            if session.line is not None and not session.seats:
                return session
        return None
