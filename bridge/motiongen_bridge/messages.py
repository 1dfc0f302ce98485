"""What a client may say, read and checked before anything acts on it (PROTOCOL.md, "Messages")."""

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
"""Brackets within brackets of a message: a pose has three."""
MARKS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""Strings and brackets. A string that never ends is one too: else each of its quotes would begin another to look at."""
MAX_DIGITS = 20
"""Of a whole number: those that are meant as such, ids and seeds, have 16."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message with its id, if it wants an answer."""

    id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Open(Message):
    """Make a character; what it begins with is checked already."""

    prompt: str = ""
    seed: int | None = None
    strength: float | None = None
    style: str | None = None
    format: Format = Format.F32

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
    """See the character with a key, which another connection may own."""

    key: str
    format: Format = Format.F32


@dataclass(frozen=True, kw_only=True)
class Close(Message):
    """Let a character go."""

    character: int


@dataclass(frozen=True, kw_only=True)
class VerbMessage(Message):
    """Tell a character something, which is checked already."""

    character: int
    verb: str
    arguments: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class AudioMessage(Message):
    """Let a dancer hear sound."""

    audio: WireAudio


@dataclass(frozen=True, kw_only=True)
class Ping(Message):
    """Ask for the server's clock; `time` is the client's, and comes back."""

    time: float


@dataclass(frozen=True, kw_only=True)
class Resume(Message):
    """Go on after a dropped connection: its session, and the last frame that came of each character."""

    session: str
    last: dict[int, int] = field(default_factory=dict)


def read_object(text: str | bytes, limit: int) -> dict[str, Any]:
    """Return the JSON object in a text message.

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
    """Return what a client says.

    Args:
        text: a websocket message.
        limit: bytes of a message, in UTF-8.
        longest_text: characters of a prompt.
        verbs: that this server knows; sound is heard where `music` is one.

    Raises:
        ProtocolError: what it says is not of this protocol, or makes no sense.
    """
    if isinstance(text, bytes | bytearray | memoryview) and "music" in verbs:
        _check_size(len(text), limit)
        return AudioMessage(audio=decode_audio(text))
    message = read_object(text, limit)
    id = message.pop("id", None)
    if id is not None and not _is_whole(id, MAX_ID):
        raise ProtocolError("bad_message", f"id: expected a whole number 0..2**53 - 1, got {_shown(id)}")
    kind = message.pop("type", None)
    try:
        return _read(kind, message, id, longest_text, verbs)
    except VerbError as error:
        raise ProtocolError(error.code, _plain(str(error)), id) from None
    except ProtocolError as error:
        raise ProtocolError(error.code, _plain(str(error)), id) from None


def id_of(text: str | bytes, limit: int = 16384) -> int | None:
    """Return the id in a message that is refused unread, or None where it has none that could be answered."""
    try:
        id = read_object(text, limit).get("id")
    except ProtocolError:
        return None
    return id if _is_whole(id, MAX_ID) else None


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
            read: Message = Watch(id=id, key=key, format=_format(message))
        case "close":
            read = Close(id=id, character=_character(message))
        case "ping":
            time = _take(message, "time")
            if isinstance(time, bool) or not isinstance(time, int | float) or not math.isfinite(time):
                raise ProtocolError("bad_value", f"time: expected a number, got {_shown(time)}")
            read = Ping(id=id, time=time)
        case "resume":
            read = _resume(message, id)
        case str() if kind in verbs:
            character = _character(message)
            parse(kind, message, verbs)  # raises where it makes no sense
            return VerbMessage(id=id, character=character, verb=kind, arguments=message)
        case _:
            known = ", ".join(["open", "watch", "close", "ping", "resume", *verbs])
            raise ProtocolError("unknown_type", f"type: expected one of {known}, got {_shown(kind)}")
    if message:
        raise ProtocolError("bad_value", f"{kind}: expected no {_shown(next(iter(message)))}; leave it out")
    return read


def _open(message: dict[str, Any], id: int | None, verbs: Mapping[str, type[Verb]]) -> Open:
    wanted: dict[str, Any] = {"format": _format(message)}
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
        raise ProtocolError("bad_value", f"open: expected no {_shown(next(iter(message)))}; leave it out")
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
            or not _is_whole(seq, 2**32 - 1, low=-1)
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
    if not _is_whole(number, 65535):
        raise ProtocolError("bad_value", f"character: expected a number 0..65535, got {_shown(number)}")
    return int(number)


def _format(message: dict[str, Any]) -> Format:
    name = message.pop("format", "f32")
    if not isinstance(name, str) or name not in FORMATS:
        raise ProtocolError("bad_value", f"format: expected one of {', '.join(FORMATS)}, got {_shown(name)}")
    return FORMATS[name]


def _is_whole(value: object, high: int, low: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return repr(text[:40])


def _plain(text: str) -> str:
    """Text that can be sent: lone surrogates, which JSON can name, have no UTF-8."""
    return text.encode("utf-8", "replace").decode()[:300]


def _size(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _depth(text: str) -> int:
    """The deepest brackets within brackets, strings left out: cheaper than parsing what must be refused."""
    depth = deepest = 0
    for mark in MARKS.findall(text):
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest


def _read_int(digits: str) -> int | float:
    """A whole number as JSON's other readers have it: a double where it is long, infinite where it is too long."""
    return int(digits) if len(digits) <= MAX_DIGITS else float(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
