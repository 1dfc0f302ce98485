"""The messages of clients, parsed and checked before anything acts on them (PROTOCOL.md, "Messages")."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from motiongen.streaming.verbs import VERBS, Verb, VerbError, parse
from motiongen_bridge.audio import WireAudio, decode_audio
from motiongen_bridge.frames import FORMATS, Format, ProtocolError

MAX_ID = 2**53 - 1
KEY = re.compile(r"[0-9a-f]{32}")
SURROGATE = re.compile(r"[\ud800-\udfff]")
MAX_DEPTH = 6
"""Depth of nested brackets of a message: a pose has three."""
MARKS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""Strings and brackets. A string that never ends is one too: else each of its quotes would begin another to scan."""
MAX_DIGITS = 20
"""Digits of a whole number: ids and seeds have 16."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message of a client.

    Attributes:
        id: returned in the answer; None where no answer is wanted.
    """

    id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Open(Message):
    """Opens a character; its fields are checked by the verbs of the same name.

    Attributes:
        prompt: its first prompt; empty for none.
        seed: its seed; random when None.
        strength: its guidance scale; the model's own when None.
        style: its style; any when None.
        format: format of its frames.
        avatar: name of the avatar that they are put on; None for the skeleton of hello.
    """

    prompt: str = ""
    seed: int | None = None
    strength: float | None = None
    style: str | None = None
    format: Format = Format.F32
    avatar: str | None = None

    @property
    def open_arguments(self) -> dict[str, Any]:
        """Keywords for a scheduler's `open`: those that the client set."""
        given = {
            "prompt": self.prompt or None,
            "seed": self.seed,
            "guidance_scale": self.strength,
            "style": self.style,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Watch(Message):
    """Subscribes to a character of another connection.

    Attributes:
        key: the character's key.
        format: format of its frames.
        avatar: name of the avatar that they are put on; None for the skeleton of hello.
    """

    key: str
    format: Format = Format.F32
    avatar: str | None = None


@dataclass(frozen=True, kw_only=True)
class Close(Message):
    """Closes a character, or ends a subscription.

    Attributes:
        character: its number on the connection.
    """

    character: int


@dataclass(frozen=True, kw_only=True)
class VerbMessage(Message):
    """Sends a verb to a character.

    Attributes:
        character: its number on the connection.
        verb: name of the verb.
        arguments: checked arguments.
    """

    character: int
    verb: str
    arguments: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class AudioMessage(Message):
    """Sends sound to a character that dances.

    Attributes:
        audio: the sound, and the character's number.
    """

    audio: WireAudio


@dataclass(frozen=True, kw_only=True)
class Ping(Message):
    """Asks for the server's clock.

    Attributes:
        time: the client's clock, which is returned.
    """

    time: float


@dataclass(frozen=True, kw_only=True)
class Resume(Message):
    """Resumes the session of a lost connection.

    Attributes:
        session: token of the session.
        last: number of a character -> number of the last frame that came; -1 for none.
    """

    session: str
    last: dict[int, int] = field(default_factory=dict)


def read_object(text: str | bytes, limit: int) -> dict[str, Any]:
    """Return the JSON object in a text message.

    Args:
        text: a websocket message.
        limit: bytes at most, in UTF-8.

    Raises:
        ProtocolError: "too_long", "bad_json" or "bad_message".
    """
    if isinstance(text, bytes | bytearray | memoryview):
        raise ProtocolError(
            "bad_message", "message: expected text; binary messages come from the server only"
        )
    _check_size(_size(text), limit)
    if _depth(text) > MAX_DEPTH:
        raise ProtocolError("bad_json", f"message: expected at most {MAX_DEPTH} brackets in one another")
    try:
        message = json.loads(text, parse_constant=_refuse_constant, parse_int=_read_int)
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise ProtocolError("bad_json", f"message: expected JSON: {reason}") from None
    if not isinstance(message, dict):
        raise ProtocolError("bad_message", f"message: expected an object, got {type(message).__name__}")
    return message


def read_message(
    text: str | bytes,
    limit: int = 16384,
    longest_text: int = 500,
    verbs: Mapping[str, type[Verb]] = VERBS,
) -> Message:
    """Return a checked message.

    Args:
        text: a websocket message.
        limit: bytes of a message, in UTF-8.
        longest_text: characters of a prompt.
        verbs: verbs of this server, by name; audio messages are accepted where `music` is one of them.

    Raises:
        ProtocolError: the message is malformed, unknown or invalid.
    """
    if isinstance(text, bytes | bytearray | memoryview) and "music" in verbs:
        _check_size(len(text), limit)
        return AudioMessage(audio=decode_audio(text))
    message = read_object(text, limit)
    id = message.pop("id", None)
    if id is not None and not _is_int(id, MAX_ID):
        raise ProtocolError("bad_message", f"id: expected a whole number 0..2**53 - 1, got {_excerpt(id)}")
    kind = message.pop("type", None)
    try:
        return _read(kind, message, id, longest_text, verbs)
    except VerbError as error:
        raise ProtocolError(error.code, _encodable(str(error)), id) from None
    except ProtocolError as error:
        raise ProtocolError(error.code, _encodable(str(error)), id) from None


def id_of(text: str | bytes, limit: int = 16384) -> int | None:
    """Return the id of a message that is refused unread, or None where it has no valid one.

    Args:
        text: a websocket message.
        limit: bytes at most, in UTF-8.
    """
    try:
        id = read_object(text, limit).get("id")
    except ProtocolError:
        return None
    return id if _is_int(id, MAX_ID) else None


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise ProtocolError("too_long", f"message: expected at most {limit} bytes, got {size}")


def _read(
    kind: object, message: dict[str, Any], id: int | None, longest_text: int, verbs: Mapping[str, type[Verb]]
) -> Message:
    for name in ("text", "prompt"):
        text = message.get(name)
        if isinstance(text, str) and len(text) > longest_text:
            raise ProtocolError("too_long", f"{name}: expected at most {longest_text} characters")
        if isinstance(text, str) and SURROGATE.search(text):
            raise ProtocolError("bad_value", f"{name}: expected text, got half of a character")
    match kind:
        case "open":
            return _open(message, id, verbs)
        case "watch":
            key = _take(message, "key")
            if not isinstance(key, str) or not KEY.fullmatch(key):
                raise ProtocolError("bad_value", "key: expected 32 hexadecimal digits")
            read: Message = Watch(id=id, key=key, format=_format(message), avatar=_avatar(message))
        case "close":
            read = Close(id=id, character=_character(message))
        case "ping":
            time = _take(message, "time")
            if isinstance(time, bool) or not isinstance(time, int | float) or not math.isfinite(time):
                raise ProtocolError("bad_value", f"time: expected a number, got {_excerpt(time)}")
            read = Ping(id=id, time=time)
        case "resume":
            read = _resume(message, id)
        case str() if kind in verbs:
            character = _character(message)
            parse(kind, message, verbs)  # raises where it makes no sense
            return VerbMessage(id=id, character=character, verb=kind, arguments=message)
        case _:
            known = ", ".join(["open", "watch", "close", "ping", "resume", *verbs])
            raise ProtocolError("unknown_type", f"type: expected one of {known}, got {_excerpt(kind)}")
    if message:
        raise ProtocolError("bad_value", f"{kind}: expected no {_excerpt(next(iter(message)))}; leave it out")
    return read


def _open(message: dict[str, Any], id: int | None, verbs: Mapping[str, type[Verb]]) -> Open:
    wanted: dict[str, Any] = {"format": _format(message), "avatar": _avatar(message)}
    for name, argument in (("prompt", "text"), ("seed", "seed"), ("strength", "scale"), ("style", "name")):
        if message.get(name, "") is None or (name == "prompt" and message.get(name) == ""):
            del message[name]
        if name not in message or name not in verbs:
            continue
        value = message.pop(name)
        try:
            parse(name, {argument: value}, verbs)
        except VerbError as error:  # by the name that the client knows
            raise VerbError(error.code, f"{name}:{str(error).partition(':')[2]}") from None
        wanted[name] = value
    if message:
        raise ProtocolError("bad_value", f"open: expected no {_excerpt(next(iter(message)))}; leave it out")
    return Open(id=id, **wanted)


def _resume(message: dict[str, Any], id: int | None) -> Resume:
    session, last = _take(message, "session"), _take(message, "last")
    if not isinstance(session, str) or not KEY.fullmatch(session):
        raise ProtocolError("bad_value", "session: expected the 32 digits that hello said")
    if not isinstance(last, dict) or len(last) > 256:
        raise ProtocolError("bad_value", "last: expected an object of a seq a character")
    seen = {}
    for number, seq in last.items():
        if (
            not number.isascii()
            or not number.isdigit()
            or len(number) > 5
            or not _is_int(seq, 2**32 - 1, low=-1)
        ):
            raise ProtocolError("bad_value", "last: expected whole numbers, -1 where no frame came")
        seen[int(number)] = seq
    return Resume(id=id, session=session, last=seen)


def _take(message: dict[str, Any], name: str) -> Any:
    if name not in message:
        raise ProtocolError("bad_message", f"{name}: expected a value, got none")
    return message.pop(name)


def _character(message: dict[str, Any]) -> int:
    number = _take(message, "character")
    if not _is_int(number, 65535):
        raise ProtocolError("bad_value", f"character: expected a number 0..65535, got {_excerpt(number)}")
    return int(number)


def _format(message: dict[str, Any]) -> Format:
    name = message.pop("format", "f32")
    if not isinstance(name, str) or name not in FORMATS:
        raise ProtocolError(
            "bad_value", f"format: expected one of {', '.join(FORMATS)}, got {_excerpt(name)}"
        )
    return FORMATS[name]


def _avatar(message: dict[str, Any]) -> str | None:
    name = message.pop("avatar", None)
    if name is not None and not isinstance(name, str):
        raise ProtocolError("bad_value", f"avatar: expected a name of hello.avatars, got {_excerpt(name)}")
    return name


def _is_int(value: object, high: int, low: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _excerpt(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return repr(text[:40])


def _encodable(text: str) -> str:
    """Return text that can be sent: lone surrogates, which JSON can name, have no UTF-8."""
    return text.encode("utf-8", "replace").decode()[:300]


def _size(text: str) -> int:
    """Return the bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _depth(text: str) -> int:
    """Return the depth of nested brackets outside strings: cheaper than parsing a message that must be refused."""
    depth = deepest = 0
    for mark in MARKS.findall(text):
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest


def _read_int(digits: str) -> int | float:
    """Return a whole number as other JSON parsers do: a double where it is long, infinite where it is too long."""
    return int(digits) if len(digits) <= MAX_DIGITS else float(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
