"""What clients' messages parse to, and what each kind of nonsense is answered with."""

import json
import re
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motiongen.streaming.verbs import DANCE_VERBS, VERBS
from motiongen_bridge.frames import Format, ProtocolError
from motiongen_bridge.limits import ServerLimits
from motiongen_bridge.messages import (
    AudioMessage,
    Close,
    Message,
    Open,
    Ping,
    Resume,
    VerbMessage,
    Watch,
    read_message,
)

KEY = "0123456789abcdef" * 2
POSE = {"rotations": [[0, 0, 0, 1]] * 22, "root": [0, 0.97, 0]}
PROTOCOL = (Path(__file__).parents[2] / "bridge/PROTOCOL.md").read_text(encoding="utf-8")
fuzz = settings(derandomize=True, max_examples=60, deadline=None, database=None)

CODES = {"bad_json", "bad_message", "bad_value", "too_long", "unknown_type"}
"""Those of reading; the others are the server's."""

VALID = [
    ({"type": "open"}, Open()),
    ({"type": "open", "prompt": "", "seed": None, "strength": None}, Open()),
    ({"type": "open", "id": 0, "prompt": "walk", "seed": 0, "strength": 2.5, "format": "i16"},
     Open(id=0, prompt="walk", seed=0, strength=2.5, format=Format.I16)),
    ({"type": "watch", "id": 2**53 - 1, "key": KEY}, Watch(id=2**53 - 1, key=KEY)),
    ({"type": "watch", "key": KEY, "format": "json"}, Watch(key=KEY, format=Format.JSON)),
    ({"type": "watch", "key": KEY, "avatar": "hero"}, Watch(key=KEY, avatar="hero")),
    ({"type": "open", "avatar": "élan"}, Open(avatar="élan")),
    ({"type": "open", "avatar": None}, Open()),
    ({"type": "close", "id": 5, "character": 65535}, Close(id=5, character=65535)),
    ({"type": "ping", "id": 1, "time": 12.5}, Ping(id=1, time=12.5)),
    ({"type": "ping", "time": -3}, Ping(time=-3)),
    ({"type": "resume", "session": KEY, "last": {}}, Resume(session=KEY)),
    ({"type": "resume", "session": KEY, "last": {"1": -1, "65535": 2**32 - 1}},
     Resume(session=KEY, last={1: -1, 65535: 2**32 - 1})),
    *(({"type": verb, "id": 9, "character": 1, **arguments},
       VerbMessage(id=9, character=1, verb=verb, arguments=arguments))
      for verb, arguments in [
          ("prompt", {"text": "walk"}), ("prompt", {"text": "walk", "at": 600}), ("then", {"text": "sit down"}),
          ("hold", {}), ("loop", {}), ("finish", {"seconds": 0}), ("pose", {}), ("pose", POSE),
          ("turn", {"angle": -12.5}), ("goto", {"x": -1e4, "z": 1e4}), ("seed", {"seed": 2**53 - 1}),
          ("goto", {"x": 1, "z": 2, "heading": -3, "seconds": 0.1}), ("steer", {"velocity": [0, 1.5]}),
          ("path", {"points": [[0, 1], [2, 3]], "speed": 2}), ("avoid", {"obstacles": []}),
          ("avoid", {"obstacles": [{"center": [0, 1], "radius": 2}, {"center": [4, 5], "size": [1, 2], "turn": 3}]}),
          ("strength", {"scale": 10}),
      ]),
]  # fmt: skip


VALID_OF_DANCERS = [
    ({"type": "open"}, Open()),
    ({"type": "open", "prompt": "", "seed": 3, "strength": 2, "style": "pop"}, Open(seed=3, strength=2, style="pop")),
    ({"type": "open", "prompt": None, "style": None}, Open()),
    *(({"type": verb, "id": 9, "character": 1, **arguments},
       VerbMessage(id=9, character=1, verb=verb, arguments=arguments))
      for verb, arguments in [
          ("music", {}), ("music", {"live": True}), ("music_end", {}), ("music_end", {"now": False}),
          ("style", {}), ("style", {"name": None}), ("style", {"name": "pop"}), ("seed", {"seed": 0}),
          ("strength", {"scale": 1}),
      ]),
]  # fmt: skip


def refused(message, **limits):
    """Return the error that a message is answered with."""
    with pytest.raises(ProtocolError) as caught:
        read_message(message if isinstance(message, str | bytes) else json.dumps(message), **limits)
    return caught.value


@pytest.mark.parametrize(("message", "read"), VALID, ids=lambda value: str(value)[:60])
def test_a_message_parses_to_what_it_says(message, read):
    assert read_message(json.dumps(message)) == read


@pytest.mark.parametrize(("message", "read"), VALID_OF_DANCERS, ids=lambda value: str(value)[:60])
def test_a_message_to_dancers_parses_to_what_it_says(message, read):
    assert read_message(json.dumps(message), verbs=DANCE_VERBS) == read


@pytest.mark.parametrize(
    ("message", "code", "said"),
    [
        ({"type": "prompt", "character": 1, "text": "walk"}, "unknown_type", "music, music_end, style, seed"),
        ({"type": "open", "prompt": "walk"}, "bad_value", "open: expected no 'prompt'; leave it out"),
        ({"type": "open", "style": 3}, "bad_value", "style: expected a style, or none for any, got 'int'"),
        ({"type": "style", "character": 1, "name": "x" * 61}, "bad_value", "name: expected a style"),
        ({"type": "music", "character": 1, "live": 1}, "bad_value", "live: expected true or false, got 1"),
        ({"type": "music_end", "character": 1, "now": None}, "bad_value", "now: expected true or false"),
        ({"type": "music", "character": 1, "rate": 8000}, "bad_value", "music: expected live, got 'rate'"),
        (b"", "bad_message", "audio: expected 16 bytes and two for each sample, got 0 in all"),
        (b"\x02\x01" + bytes(17), "bad_message", "got 19 in all"),
        (b"\x01\x01" + bytes(16), "bad_message", "audio: expected kind 2 and format 1, got 1 and 1"),
        (b"\x02\x01" + bytes(16384), "too_long", "message: expected at most 16384 bytes, got 16386"),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_what_makes_no_sense_to_dancers_is_refused(message, code, said):
    error = refused(message, verbs=DANCE_VERBS)
    assert error.code == code and said in str(error)


def test_sound_is_heard_where_characters_dance_and_nowhere_else():
    sound = bytes.fromhex("020103002256000007000000000000000000e803feff")
    heard = read_message(sound, verbs=DANCE_VERBS)
    assert isinstance(heard, AudioMessage) and heard.audio.samples.tolist() == [0, 1000, -2]
    assert refused(sound).code == "bad_message"


@pytest.mark.parametrize("message", [{"type": "style", "character": 1}, {"type": "open", "style": "pop"}])
def test_what_only_dancers_know_is_refused_elsewhere(message):
    assert refused(message).code in ("unknown_type", "bad_value")


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", "bad_json", "message: expected JSON: Expecting value"),
        ("{", "bad_json", "message: expected JSON"),
        ('{"type":"open"} x', "bad_json", "Extra data"),
        ("\ufeff{}", "bad_json", "BOM"),
        ('{"type":"ping","time":NaN}', "bad_json", "NaN is no JSON number"),
        ('{"type":"ping","time":-Infinity}', "bad_json", "-Infinity is no JSON number"),
        ("[" * 7 + "]" * 7, "bad_json", "at most 6 brackets in one another"),
        ('{"a":' * 3000, "bad_json", "at most 6 brackets in one another"),
        ("[]", "bad_message", "expected an object, got list"),
        ("null", "bad_message", "expected an object, got NoneType"),
        (b"{}", "bad_message", "expected text; binary messages come from the server only"),
        ("{}", "unknown_type", "type: expected one of open, watch, close, ping, resume, prompt"),
        ('{"type":"fly"}', "unknown_type", "strength, got 'fly'"),
        ('{"type":["open"]}', "unknown_type", "strength, got"),
        ('{"type":"\\ud800"}', "unknown_type", r"got '\ud800'"),
    ],
)
def test_what_is_no_message_is_refused(text, code, said):
    error = refused(text)
    assert error.code == code and said in str(error) and error.id is None


@pytest.mark.parametrize(
    ("message", "code", "said"),
    [
        ({"type": "watch"}, "bad_message", "key: expected a value, got none"),
        ({"type": "watch", "key": KEY[1:]}, "bad_value", "key: expected 32 hexadecimal digits"),
        ({"type": "watch", "key": KEY.upper()}, "bad_value", "key: expected 32 hexadecimal digits"),
        ({"type": "watch", "key": KEY + "\n"}, "bad_value", "key: expected 32 hexadecimal digits"),
        ({"type": "open", "format": "f64"}, "bad_value", "format: expected one of f32, i16, json, got 'f64'"),
        ({"type": "open", "format": None}, "bad_value", "format: expected one of f32, i16, json, got 'null'"),
        ({"type": "open", "prompt": 5}, "bad_value", "prompt: expected a sentence, got int"),
        ({"type": "open", "prompt": " . "}, "bad_value", "prompt: expected words, got ' . '"),
        ({"type": "open", "seed": ""}, "bad_value", "seed: expected a whole number 0..2**53 - 1, got ''"),
        ({"type": "open", "seed": False}, "bad_value", "seed: expected a whole number"),
        ({"type": "open", "strength": 11}, "bad_value", "strength: expected a number 1..10, got 11"),
        ({"type": "open", "colour": 1}, "bad_value", "open: expected no 'colour'; leave it out"),
        ({"type": "close"}, "bad_message", "character: expected a value, got none"),
        ({"type": "close", "character": 65536}, "bad_value", "character: expected a number 0..65535"),
        ({"type": "close", "character": "1"}, "bad_value", "character: expected a number 0..65535, got '1'"),
        ({"type": "close", "character": 1, "x": 2}, "bad_value", "close: expected no 'x'; leave it out"),
        ({"type": "ping"}, "bad_message", "time: expected a value, got none"),
        ({"type": "ping", "time": "now"}, "bad_value", "time: expected a number, got 'now'"),
        ({"type": "ping", "time": True}, "bad_value", "time: expected a number, got 'true'"),
        ({"type": "resume", "session": KEY}, "bad_message", "last: expected a value, got none"),
        ({"type": "resume", "session": "", "last": {}}, "bad_value", "session: expected the 32 digits"),
        ({"type": "resume", "session": KEY, "last": []}, "bad_value", "last: expected an object"),
        ({"type": "resume", "session": KEY, "last": {"1": -2}}, "bad_value", "last: expected whole numbers"),
        ({"type": "resume", "session": KEY, "last": {"١": 1}}, "bad_value", "last: expected whole numbers"),
        ({"type": "resume", "session": KEY, "last": {"1": 1.0}}, "bad_value", "last: expected whole numbers"),
        ({"type": "resume", "session": KEY, "last": dict.fromkeys(map(str, range(257)), 0)}, "bad_value", "last"),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_a_message_with_a_wrong_field_is_refused_and_keeps_its_id(message, code, said):
    error = refused({"id": 12, **message})
    assert (error.code, error.id) == (code, 12) and said in str(error)


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("prompt", {}, "prompt: expected text, at, got none"),
        ("prompt", {"text": 7}, "text: expected a sentence, got int"),
        ("prompt", {"text": "..."}, "prompt: expected words, got '...'"),
        ("prompt", {"text": "a " * 61}, "prompt: expected at most 60 words, got 61"),
        ("prompt", {"text": "walk", "at": -0.1}, "at: expected a number 0..600, got -0.1"),
        ("prompt", {"text": "walk", "at": None}, "at: expected a number 0..600, got None"),
        ("then", {"text": "walk", "at": 1}, "then: expected text, got 'at'; leave it out"),
        ("hold", {"verb": 1}, "hold: expected no argument, got 'verb'; leave it out"),
        ("finish", {"seconds": "5"}, "seconds: expected a number 0..600, got '5'"),
        ("pose", {"root": [0, 1]}, "root: expected 3 finite numbers"),
        ("pose", {"root": [0, 2e5, 0]}, "root: expected metres within 100 km"),
        ("pose", {"rotations": [[0, 0, 0, 2]] * 22}, "rotations: expected unit quaternions xyzw"),
        ("pose", {"rotations": [[0, 0, 0, 1]] * 21}, "rotations: expected 22 x 4 finite numbers"),
        ("turn", {"angle": 12.6}, "angle: expected a number -12.5664..12.5664, got 12.6"),
        ("goto", {"x": 1}, "goto: expected x, z, heading, seconds, got x"),
        ("seed", {"seed": 2**53}, "seed: expected a whole number 0..2**53 - 1"),
        ("strength", {"scale": 0.9}, "scale: expected a number 1..10, got 0.9"),
    ],
)
def test_a_verb_that_makes_no_sense_is_refused_and_keeps_its_id(verb, arguments, said):
    error = refused({"type": verb, "id": 12, "character": 1, **arguments})
    assert (error.code, error.id) == ("bad_value", 12) and said in str(error)


@pytest.mark.parametrize("id", [-1, 2**53, 10**30, 1.0, True, "1", [], "\ud800"])
def test_an_id_that_is_none_is_refused(id):
    error = refused({"type": "ping", "time": 1, "id": id})
    assert (error.code, error.id) == ("bad_message", None)
    assert "id: expected a whole number 0..2**53 - 1" in str(error)


@pytest.mark.parametrize("text", ["\ud800", "walk \udfff on", "a" * 400 + "\ud83d"])
def test_half_a_character_is_refused_wherever_it_is(text):
    # Behind the first few hundred letters it reached the text encoder, whose error costs a worker its tick.
    for message in ({"type": "prompt", "character": 1, "text": text}, {"type": "open", "prompt": text}):
        error = refused(message)
        assert error.code == "bad_value" and "expected text, got half of a character" in str(error)


def test_whole_characters_beyond_the_first_plane_are_text():
    assert read_message('{"type":"open","prompt":"walk \\ud83d\\ude00"}') == Open(prompt="walk 😀")


@pytest.mark.parametrize("digits", [30, 400, 5000])
@pytest.mark.parametrize(
    "message",
    [
        '{"type":"turn","id":3,"character":1,"angle":%s}',
        '{"type":"goto","id":3,"character":1,"x":0,"z":-%s}',
        '{"type":"pose","id":3,"character":1,"root":[%s,0,0]}',
        '{"type":"seed","id":3,"character":1,"seed":%s}',
        '{"type":"close","id":3,"character":%s}',
        '{"type":"resume","id":3,"session":"' + KEY + '","last":{"1":%s}}',
    ],
)
def test_a_number_of_many_digits_is_only_a_wrong_value(message, digits):
    error = refused(message % ("9" * digits))
    assert (error.code, error.id) == ("bad_value", 3)


def test_a_ping_may_have_any_time_that_a_double_has():
    assert read_message('{"type":"ping","time":100000000000000000000000000000}') == Ping(time=1e29)
    assert "time: expected a number" in str(refused('{"type":"ping","time":%s}' % ("9" * 400)))
    assert "time: expected a number" in str(refused('{"type":"ping","time":1e999}'))


@pytest.mark.parametrize("mark", ["a", "é", "走"])
def test_a_message_may_be_as_long_as_the_limit_in_bytes(mark):
    text = json.dumps({"type": "watch", "key": mark * 40}, ensure_ascii=False)
    size = len(text.encode())
    assert refused(text, limit=size).code == "bad_value"
    assert str(refused(text, limit=size - 1)) == f"message: expected at most {size - 1} bytes, got {size}"


def test_a_prompt_may_have_as_many_characters_as_the_limit():
    message = {"type": "then", "id": 4, "character": 1, "text": "é" * 20}
    assert read_message(json.dumps(message), longest_text=20).arguments == {"text": "é" * 20}
    error = refused(message, longest_text=19)
    assert (error.code, error.id, str(error)) == ("too_long", 4, "text: expected at most 19 characters")
    assert refused({"type": "open", "prompt": "é" * 20}, longest_text=19).code == "too_long"


@pytest.mark.parametrize(("head", "piece"), [('"', '\\"'), ("", '"'), ("", "{"), ("", '{"a')])
def test_nonsense_is_refused_in_a_time_that_grows_with_its_length_only(head, piece):
    def effort(pieces):
        """The processor's seconds for a text of so many pieces, the least of five: others' work does not count."""
        text, spent = head + piece * (2 * pieces + 1), []
        for _ in range(5):
            began = time.thread_time()
            assert refused(text, limit=10**6).code == "bad_json"
            spent.append(time.thread_time() - began)
        return min(spent)

    assert effort(8_000) < 20 * effort(1_000)  # 8 times as long: a quadratic reader needs 64 times as much


def test_brackets_within_strings_do_not_count_as_depth():
    assert read_message(json.dumps({"type": "open", "prompt": 'walk "[[[[[[[[{{{{{{{{" \\'})).prompt


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**4000) | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)  # fmt: skip
fields = sorted({field for message, _ in VALID for field in message})
types = [message["type"] for message, _ in VALID]


def read_or_refuse(text, verbs=VERBS):
    """Return a message or its refusal, either of which can be sent."""
    try:
        read = read_message(text, verbs=verbs)
    except ProtocolError as refusal:
        error = refusal
    else:
        assert isinstance(read, Message)
        return read
    assert error.code in CODES and 0 < len(str(error).encode()) <= 1200
    assert error.id is None or 0 <= error.id < 2**53
    return error


def test_the_protocol_names_every_code_verb_and_limit():
    sent = {
        "not_now",
        "full",
        "busy",
        "closed",
        "gone",
        "read_only",
        "too_fast",
        "unknown_character",
        "internal",
    }
    for name in [*CODES, *sent, *VERBS, *DANCE_VERBS, *asdict(ServerLimits())]:
        assert re.search(rf"^\| (`\w+`, )*`{name}`", PROTOCOL, re.MULTILINE), name


@fuzz
@given(
    st.text(st.characters(exclude_categories=()))
    | st.text('{}[]",:\\0123456789.eE+-truefalsn ')
    | st.binary()
)
def test_no_text_or_bytes_raise_anything_but_protocol_error(text):
    assert isinstance(read_or_refuse(text), ProtocolError)


@fuzz
@given(st.binary() | st.binary(min_size=16).map(lambda rest: b"\x02\x01" + rest))
def test_no_bytes_to_dancers_raise_anything_but_protocol_error(data):
    read_or_refuse(data, DANCE_VERBS)


@fuzz
@given(
    st.sampled_from(VALID_OF_DANCERS),
    st.sampled_from(["live", "now", "name", "style", "character"]),
    anything,
)
def test_no_changed_field_of_dancers_raises_anything_but_protocol_error(valid, field, value):
    read_or_refuse(json.dumps({**valid[0], field: value}), DANCE_VERBS)


@fuzz
@given(anything)
def test_no_json_raises_anything_but_protocol_error(value):
    read_or_refuse(json.dumps(value))


@fuzz
@given(st.sampled_from(types), st.dictionaries(st.sampled_from(fields) | st.text(), anything, max_size=5))
def test_no_fields_raise_anything_but_protocol_error(kind, message):
    read_or_refuse(json.dumps({**message, "type": kind}))


@fuzz
@given(st.sampled_from(VALID), st.sampled_from(fields), anything)
def test_no_changed_field_raises_anything_but_protocol_error(valid, field, value):
    read_or_refuse(json.dumps({**valid[0], field: value}))


@fuzz
@given(
    st.sampled_from(VALID),
    st.integers(0, 10**4),
    st.integers(0, 8),
    st.text('{}[]",:\\019.eE+-é\ud800', max_size=4),
)
def test_no_changed_text_raises_anything_but_protocol_error(valid, at, cut, put):
    text = json.dumps(valid[0])
    at %= len(text)
    read_or_refuse(text[:at] + put + text[at + cut :])


@fuzz
@given(st.sampled_from(VALID), anything)
def test_an_answer_to_a_valid_message_with_a_superfluous_field_keeps_its_id(valid, value):
    error = read_or_refuse(json.dumps({"id": 77, **valid[0], "superfluous": value}))
    if error.code != "bad_json":  # too deep to be read
        assert (error.code, error.id) == ("bad_value", valid[0].get("id", 77))
