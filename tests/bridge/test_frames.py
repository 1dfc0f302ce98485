"""Frames as bytes and as JSON, against the fixtures that every client reads."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motiongen_bridge.frames import (
    FORMATS,
    INT16,
    MAX_JOINTS,
    Format,
    ProtocolError,
    WireFrame,
    decode_frame,
    encode_frame,
    frame_from_json,
    frame_to_json,
)

BRIDGE = Path(__file__).parents[2] / "bridge"
FIXTURES = json.loads((BRIDGE / "fixtures/frames.json").read_text(encoding="utf-8"))
BINARY = [case for case in FIXTURES["frames"] if case["format"] != "json"]
fuzz = settings(derandomize=True, max_examples=60, deadline=None, database=None)


def by_name(name):
    return next(case for case in FIXTURES["frames"] if case["name"] == name)


def frame_of(fields):
    """Return the frame that a fixture's fields say."""
    fields = dict(fields)
    root, rotations = (np.array(fields.pop(key), dtype=np.float32) for key in ("root", "rotations"))
    return WireFrame(is_gap=fields.pop("gap"), root=root, rotations=rotations, **fields)


def assert_same(read, frame):
    for field in ("character", "seq", "time", "contacts", "obeys", "is_gap"):
        assert getattr(read, field) == getattr(frame, field), field
    np.testing.assert_array_equal(read.root, frame.root)
    np.testing.assert_array_equal(read.rotations, frame.rotations)


def frame(joints=22, **fields):
    rotations = np.random.default_rng(joints).normal(size=(joints, 4))
    rotations /= np.linalg.norm(rotations, axis=1, keepdims=True)
    root = np.float32([1.5, 0.97, -2.25])
    return replace(WireFrame(3, 7, 1_500_000, 0b1010, 2, root, rotations.astype(np.float32)), **fields)


@pytest.mark.parametrize("case", BINARY, ids=lambda case: case["name"])
def test_the_fixtures_bytes_are_the_frames_they_say(case):
    assert_same(decode_frame(bytes.fromhex(case["hex"])), frame_of(case["frame"]))


@pytest.mark.parametrize("case", BINARY, ids=lambda case: case["name"])
def test_a_frame_has_exactly_the_fixtures_bytes(case):
    assert encode_frame(frame_of(case["frame"]), FORMATS[case["format"]]).hex() == case["hex"]


def test_a_json_frame_has_exactly_the_fixtures_text():
    case = by_name("one joint, JSON")
    assert json.dumps(frame_to_json(frame_of(case["frame"])), separators=(",", ":")) == case["text"]
    assert_same(frame_from_json(json.loads(case["text"])), frame_of(case["frame"]))


def test_the_protocols_examples_are_the_fixtures():
    protocol = " ".join((BRIDGE / "PROTOCOL.md").read_text(encoding="utf-8").split())
    assert bytes.fromhex(by_name("one joint, floats")["hex"]).hex(" ") in protocol
    assert json.dumps(json.loads(by_name("one joint, JSON")["text"])) in protocol


@pytest.mark.parametrize("case", FIXTURES["refused"], ids=lambda case: case["name"])
def test_the_fixtures_that_are_no_frames_are_refused(case):
    with pytest.raises(ProtocolError, match="frame: expected") as caught:
        decode_frame(bytes.fromhex(case["hex"]))
    assert caught.value.code == "bad_message"


def test_the_header_is_where_the_protocol_says():
    numbers = {"character": 0x0102, "seq": 0x03040506, "obeys": 0x0708090A, "time": 0x0B0C0D0E0F101112}
    header = encode_frame(frame(**numbers, is_gap=True))[:24]
    assert header.hex(" ") == "01 01 01 0a 02 01 16 00 06 05 04 03 0a 09 08 07 12 11 10 0f 0e 0d 0c 0b"


def test_floats_come_back_as_they_were():
    assert len(encode_frame(frame())) == 24 + 12 + 22 * 16
    assert_same(decode_frame(encode_frame(frame())), frame())


def test_integers_come_back_to_half_a_32767th():
    data = encode_frame(frame(), Format.I16)
    assert len(data) == 24 + 12 + 22 * 8
    np.testing.assert_allclose(decode_frame(data).rotations, frame().rotations, rtol=0, atol=0.501 / INT16)
    np.testing.assert_array_equal(decode_frame(data).root, frame().root)


def test_json_comes_back_to_its_decimals():
    read = frame_from_json(json.loads(json.dumps(frame_to_json(frame()))))
    np.testing.assert_allclose(read.rotations, frame().rotations, rtol=0, atol=0.51e-6)
    np.testing.assert_allclose(read.root, frame().root, rtol=0, atol=0.51e-5)
    assert_same(replace(read, root=frame().root, rotations=frame().rotations), frame())


def test_the_gap_flag_is_bit_0_and_the_other_bits_are_ignored():
    data = bytearray(encode_frame(frame(is_gap=True)))
    assert data[2] == 1 and encode_frame(frame())[2] == 0
    data[2] = 0b1111_1110
    assert_same(decode_frame(bytes(data)), frame())


@pytest.mark.parametrize("count", [2**32, 2**32 + 5, 3 * 2**32 - 1])
def test_seq_and_obeys_wrap_at_2_to_the_32(count):
    long_after = frame(seq=count, obeys=count)
    for read in (decode_frame(encode_frame(long_after)), frame_from_json(frame_to_json(long_after))):
        assert (read.seq, read.obeys) == (count % 2**32, count % 2**32)


@pytest.mark.parametrize("format", [Format.F32, Format.I16])
def test_only_the_right_length_is_a_frame(format):
    data = encode_frame(frame(joints=2), format)
    for length in range(2 * len(data)):
        if length != len(data):
            with pytest.raises(ProtocolError, match=rf"got {length}$"):
                decode_frame((data + data)[:length])


@pytest.mark.parametrize(("kind", "format"), [(0, 1), (2, 1), (255, 1), (1, 0), (1, 3), (1, 255)])
def test_another_kind_or_format_is_refused(kind, format):
    with pytest.raises(ProtocolError, match=f"kind 1 and format 1 or 2, got {kind} and {format}"):
        decode_frame(bytes([kind, format]) + encode_frame(frame())[2:])


@pytest.mark.parametrize("joints", [0, MAX_JOINTS + 1])
def test_a_count_of_joints_out_of_range_is_refused_at_the_right_length_too(joints):
    many = replace(frame(), rotations=np.zeros((joints, 4), dtype=np.float32))
    with pytest.raises(ProtocolError, match=f"expected 1 to 1024 joints, got {joints}"):
        decode_frame(encode_frame(many))
    with pytest.raises(ProtocolError, match="rotations of 4 a joint"):
        frame_from_json(frame_to_json(many))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("character", 65536), ("character", "3"), ("seq", -1), ("seq", 2**32), ("seq", 7.0), ("seq", True),
        ("seq", None), ("obeys", float("nan")), ("time", 2**64), ("time", 10**400), ("contacts", "abcd"),
        ("contacts", [1, 0, 1, 0]), ("contacts", [True] * 9), ("contacts", None), ("root", [1, 2]),
        ("root", [1, 2, None]), ("root", ["1", "2", "3"]), ("root", [1e300, 0, 0]), ("root", [10**400, 0, 0]),
        ("root", [float("nan"), 0, 0]), ("rotations", []), ("rotations", [[]]), ("rotations", [0, 0, 0, 1]),
        ("rotations", [[0, 0, 1], [0, 0, 0, 1]]), ("rotations", [[[0, 0, 0, 1]]]), ("rotations", {"a": 1}),
    ],
)  # fmt: skip
def test_a_json_frame_with_a_wrong_field_is_refused(field, value):
    with pytest.raises(ProtocolError, match="frame: expected") as caught:
        frame_from_json(frame_to_json(frame()) | {field: value})
    assert caught.value.code == "bad_message"


@pytest.mark.parametrize("field", ["character", "seq", "obeys", "time", "contacts", "root", "rotations"])
def test_a_json_frame_that_lacks_a_field_is_refused(field):
    message = frame_to_json(frame())
    del message[field]
    with pytest.raises(ProtocolError, match="frame: expected"):
        frame_from_json(message)


@fuzz
@given(st.binary(max_size=120) | st.binary(max_size=120).map(lambda tail: b"\x01\x01\x00\x00" + tail))
def test_no_bytes_raise_anything_but_protocol_error(data):
    try:
        read = decode_frame(data)
    except ProtocolError:
        return
    assert read.root.shape == (3,) and read.rotations.shape[1] == 4


@fuzz
@given(st.sampled_from(BINARY), st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255)), max_size=5))
def test_no_changed_bytes_raise_anything_but_protocol_error(case, changes):
    data = bytearray.fromhex(case["hex"])
    for at, value in changes:
        data[at % len(data)] = value
    try:
        read = decode_frame(bytes(data))
    except ProtocolError:
        return
    data[2] &= 1
    assert encode_frame(read, Format(data[1])) == data


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**4000) | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)  # fmt: skip


@fuzz
@given(anything | st.fixed_dictionaries({}, optional=dict.fromkeys(frame_to_json(frame()), anything)))
def test_no_json_raises_anything_but_protocol_error(message):
    with pytest.raises(ProtocolError):
        frame_from_json(message)


@fuzz
@given(st.sampled_from(list(frame_to_json(frame()))), anything)
def test_no_changed_json_frame_raises_anything_but_protocol_error(field, value):
    try:
        read = frame_from_json(frame_to_json(frame()) | {field: value})
    except ProtocolError:
        return
    encode_frame(read)


@pytest.mark.parametrize("depth", [50, 100, 5000])
def test_deep_nesting_is_refused(depth):
    nested = 1
    for _ in range(depth):
        nested = [nested]
    with pytest.raises(ProtocolError):
        frame_from_json(frame_to_json(frame()) | {"rotations": nested})
