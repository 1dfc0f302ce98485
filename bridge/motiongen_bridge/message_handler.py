"""Handles the messages of clients: opens characters, passes verbs to them, and answers (PROTOCOL.md, "Messages")."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from motiongen.streaming.scheduler_protocol import Scheduler
from motiongen.streaming.verbs import Answer, VerbError, internal_error
from motiongen_bridge.avatars import Avatar
from motiongen_bridge.background_tasks import BackgroundTasks
from motiongen_bridge.client_connection import ClientConnection
from motiongen_bridge.frame_broadcaster import FrameBroadcaster
from motiongen_bridge.frames import ProtocolError
from motiongen_bridge.limits import HEAVY, ServerLimits
from motiongen_bridge.messages import (
    AudioMessage,
    Close,
    Message,
    Open,
    Ping,
    Resume,
    VerbMessage,
    Watch,
)
from motiongen_bridge.metrics import Metrics
from motiongen_bridge.sessions import ClientSession, SessionStore
from motiongen_bridge.subscription import LiveCharacter, Subscription

log = logging.getLogger(__name__)


class MessageHandler:
    """Handles checked messages of all connections."""

    def __init__(
        self,
        scheduler: Scheduler,
        broadcaster: FrameBroadcaster,
        sessions: SessionStore,
        limits: ServerLimits,
        metrics: Metrics,
        tasks: BackgroundTasks,
        avatars: Mapping[str, Avatar],
        elsewhere: Callable[[], int] = lambda: 0,
    ) -> None:
        """Make a handler.

        Args:
            scheduler: makes characters.
            broadcaster: sends their frames.
            sessions: the clients' characters.
            limits: characters and watchers at most.
            metrics: counts refusals.
            tasks: runs the tasks that wait for answers.
            avatars: name -> avatar that clients may ask for.
            elsewhere: returns the count of characters in other processes of the server.
        """
        self._elsewhere = elsewhere
        self._scheduler, self._broadcaster, self._sessions = scheduler, broadcaster, sessions
        self._limits, self._metrics, self._tasks, self._avatars = limits, metrics, tasks, avatars

    def handle(self, connection: ClientConnection, session: ClientSession, message: Message) -> None:
        """Execute a message, and answer it, now or later.

        Args:
            connection: the client's connection.
            session: its session.
            message: a checked message.

        Raises:
            ProtocolError: the message is refused, or met a bug, which is logged.
        """
        try:
            self._handle(connection, session, message)
        except ProtocolError:
            raise
        except Exception as error:
            raise self._internal(_name(message), message.id, error) from None

    def _handle(self, connection: ClientConnection, session: ClientSession, message: Message) -> None:
        match message:
            case Ping():
                pong = {"type": "pong", "time": message.time, "server_time": self._broadcaster.now()}
                connection.write_json(pong | ({} if message.id is None else {"id": message.id}))
            case Open():
                self._open(connection, session, message)
            case Watch():
                self._watch(connection, session, message)
            case Close():
                subscription = self._subscription(session, message.character, message.id)
                self._sessions.unsubscribe(session, subscription)
                _answer(connection, message.id)
            case Resume():
                self._resume(connection, session, message)
            case VerbMessage():
                self._submit(connection, session, message)
            case AudioMessage():
                self._play(session, message)

    def refuse(self, connection: ClientConnection, error: ProtocolError) -> None:
        """Answer a message with an error.

        Args:
            connection: the client's connection.
            error: code and reason.
        """
        self._metrics.refused.labels(error.code).inc()
        message = {"type": "error", "code": error.code, "message": str(error)}
        connection.write_json(message if error.id is None else message | {"id": error.id})

    def _open(self, connection: ClientConnection, session: ClientSession, message: Open) -> None:
        self._check_room(session, message.id)
        avatar = self._avatar(message)
        most = self._scheduler.max_characters
        if len(self._broadcaster.characters) + self._elsewhere() >= most:
            raise ProtocolError("full", f"expected at most {most} characters; try again later", message.id)
        try:
            character = self._scheduler.open(**message.open_arguments)
        except VerbError as error:
            raise ProtocolError(error.code, str(error), message.id) from None
        live = self._broadcaster.add(character)
        subscription = session.subscribe(live, message.format, avatar, is_owner=True)
        _answer(connection, message.id, character=subscription.number, key=live.key, **_about(avatar))
        self._broadcaster.attach(subscription, connection)

    def _watch(self, connection: ClientConnection, session: ClientSession, message: Watch) -> None:
        self._check_room(session, message.id)
        avatar = self._avatar(message)
        live = self._broadcaster.characters.get(message.key)
        if live is None:
            raise ProtocolError("unknown_character", "key: expected that of a living character", message.id)
        if len(live.subscriptions) >= self._limits.watchers_per_character:
            raise ProtocolError("full", "watch: this character has too many watchers already", message.id)
        subscription = session.subscribe(live, message.format, avatar, is_owner=False)
        _answer(connection, message.id, character=subscription.number, **_about(avatar))
        self._broadcaster.attach(subscription, connection)

    def _play(self, session: ClientSession, message: AudioMessage) -> None:
        audio = message.audio
        subscription = self._owned_subscription(session, audio.character, message.id, "audio")
        try:
            subscription.live.character.play(audio.samples, audio.sample_rate, audio.first)
        except VerbError as error:
            raise ProtocolError(error.code, str(error)) from None

    def _submit(self, connection: ClientConnection, session: ClientSession, message: VerbMessage) -> None:
        live = self._owned_subscription(session, message.character, message.id, message.verb).live
        try:
            future = live.character.submit(message.verb, **message.arguments)
        except VerbError as error:
            raise ProtocolError(error.code, str(error), message.id) from None
        if message.verb == "prompt" and not message.arguments.get("at"):  # the others may take their time
            live.prompt_times[live.character.submitted] = time.monotonic()
        self._tasks.spawn(self._answer_later(connection, live, message, asyncio.wrap_future(future)))

    async def _answer_later(
        self,
        connection: ClientConnection,
        live: LiveCharacter,
        message: VerbMessage,
        future: "asyncio.Future[Answer]",
    ) -> None:
        try:
            answer = await future
        except VerbError as error:
            if error.code == "internal":
                self._metrics.internal_errors.inc()
            self.refuse(connection, ProtocolError(error.code, str(error), message.id))
            return
        except Exception as error:
            self.refuse(connection, self._internal(message.verb, message.id, error))
            return
        note = {"note": answer.note} if answer.note else {}
        _answer(connection, message.id, number=answer.number, seq=answer.seq, **note)
        self._broadcaster.show_now(live)

    def _internal(self, verb: str, id: int | None, error: Exception) -> ProtocolError:
        """Log a bug, and return the error for the client."""
        log.error("event=failed verb=%s", verb, exc_info=error)
        self._metrics.internal_errors.inc()
        return ProtocolError("internal", str(internal_error(error)), id)

    def _resume(self, connection: ClientConnection, session: ClientSession, message: Resume) -> None:
        old = self._sessions.take_over(session, message.session, message.id)
        if old.connection is not None:  # half open: the client knew before the server did
            old.connection.close_soon(1000, "resumed elsewhere")
        last = {number: message.last.get(number, -1) for number in session.subscriptions}
        starts = {
            str(number): {"from": subscription.first_after(last[number])}
            for number, subscription in session.subscriptions.items()
        }
        _answer(connection, message.id, characters=starts)
        for number, subscription in session.subscriptions.items():
            self._broadcaster.resume(subscription, connection, last[number])
        log.info("event=resumed session=%s was=%s", session.token[:8], old.token[:8])

    def _avatar(self, message: Open | Watch) -> Avatar | None:
        """Return the avatar that a client wants, or None where it wants none."""
        if message.avatar is None or message.avatar in self._avatars:
            return None if message.avatar is None else self._avatars[message.avatar]
        names = ", ".join(self._avatars)
        known = f"one of {names}" if names else "none, since this server has no avatars"
        raise ProtocolError(
            "bad_value", f"avatar: expected {known}, got {message.avatar[:40]!r}; or leave it out", message.id
        )

    def _check_room(self, session: ClientSession, id: int | None) -> None:
        self._sessions.remove_closed(session)
        limit = self._limits.characters_per_connection
        if len(session.subscriptions) >= limit:
            raise ProtocolError("full", f"expected at most {limit} characters a connection; close one", id)

    def _subscription(self, session: ClientSession, number: int, id: int | None) -> Subscription:
        subscription = session.subscriptions.get(number)
        if subscription is None or subscription.live.key not in self._broadcaster.characters:
            raise ProtocolError("unknown_character", f"character: expected one of yours, got {number}", id)
        return subscription

    def _owned_subscription(
        self, session: ClientSession, number: int, id: int | None, verb: str
    ) -> Subscription:
        subscription = self._subscription(session, number, id)
        if not subscription.is_owner:
            raise ProtocolError("read_only", f"{verb}: this character is only watched", id)
        return subscription


def _about(avatar: Avatar | None) -> dict[str, Any]:
    return {} if avatar is None else {"avatar": avatar.about}


def _name(message: Message) -> str:
    """Return the name of a message, for logs."""
    return message.verb if isinstance(message, VerbMessage) else type(message).__name__.lower()


def is_heavy(message: Message) -> bool:
    """Return whether a message costs the model time.

    Args:
        message: a checked message.
    """
    if isinstance(message, Open):
        return message.prompt != ""
    return isinstance(message, VerbMessage) and message.verb in HEAVY


def _answer(connection: ClientConnection, id: int | None, **content: Any) -> None:
    if id is not None:
        connection.write_json({"type": "ok", "id": id, **content})
