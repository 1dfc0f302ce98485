"""Sound as bytes, against the fixtures that every client reads."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motiongen_bridge.audio import WireAudio, decode_audio, encode_audio, to_s16
from motiongen_bridge.frames import ProtocolError

BRIDGE = Path(__file__).parents[2] / "bridge"
FIXTURES = json.loads((BRIDGE / "fixtures/audio.json").read_text(encoding="utf-8"))
fuzz = settings(derandomize=True, max_examples=60, deadline=None, database=None)


def audio_of(fields):
    return WireAudio(**fields | {"samples": np.array(fields["samples"], np.int16)})


def assert_same(read, audio):
    assert (read.character, read.sample_rate, read.first) == (audio.character, audio.sample_rate, audio.first)
    np.testing.assert_array_equal(read.samples, audio.samples)


@pytest.mark.parametrize("case", FIXTURES["audio"], ids=lambda case: case["name"])
def test_the_fixtures_bytes_are_the_sound_they_say(case):
    assert_same(decode_audio(bytes.fromhex(case["hex"])), audio_of(case["audio"]))
    assert encode_audio(audio_of(case["audio"])).hex() == case["hex"]


@pytest.mark.parametrize("case", FIXTURES["refused"], ids=lambda case: case["name"])
def test_the_fixtures_that_are_no_sound_are_refused(case):
    with pytest.raises(ProtocolError, match="audio: expected"):
        decode_audio(bytes.fromhex(case["hex"]))


def test_the_protocols_example_is_the_first_fixture():
    protocol = " ".join((BRIDGE / "PROTOCOL.md").read_text(encoding="utf-8").split())
    assert bytes.fromhex(FIXTURES["audio"][0]["hex"]).hex(" ") in protocol


@fuzz
@given(
    st.integers(0, 65535), st.integers(0, 2**32 - 1), st.integers(0, 2**53 - 1),
    st.lists(st.integers(-32768, 32767), min_size=1, max_size=40),
)  # fmt: skip
def test_sound_comes_back_as_it_was(character, rate, first, samples):
    audio = WireAudio(character, rate, first, np.array(samples, np.int16))
    assert_same(decode_audio(encode_audio(audio)), audio)


@fuzz
@given(st.binary(max_size=64) | st.binary(max_size=40).map(lambda rest: b"\x02\x01" + rest))
def test_no_bytes_raise_anything_but_protocol_error(data):
    try:
        assert len(decode_audio(data).samples) == (len(data) - 16) / 2
    except ProtocolError as error:
        code = error.code
    else:
        return
    assert code in ("bad_message", "bad_value")


def test_floats_become_integers_and_what_is_too_loud_is_clipped():
    np.testing.assert_array_equal(to_s16(np.float32([0, 0.5, -1, 7])), np.int16([0, 16384, -32767, 32767]))
    whole = np.int16([1, -32768])
    assert to_s16(whole) is whole
