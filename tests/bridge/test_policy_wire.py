"""The bytes of observations and chunks, and what is refused."""

import struct

import numpy as np
import pytest

from motiongen_bridge.frames import ProtocolError
from motiongen_bridge.policy_wire import (
    WireChunk,
    WireObservation,
    decode_chunk,
    decode_observation,
    encode_chunk,
    encode_observation,
)

HELLO = {
    "tasks": [
        {"instruction": "push", "state": 3, "action": 2},
        {"instruction": "lift", "state": 2, "action": 2},
    ],
    "obs_steps": 1,
    "image_size": 0,
}
STATE = np.array([[1.0, -2.0, 0.5]], np.float32)


def test_an_observation_is_its_header_and_little_endian_floats():
    data = encode_observation(WireObservation(robot=7, number=300, task=0, state=STATE))
    assert data.hex() == "01010000" + "07000000" + "2c01000000000000" + "0000803f" + "000000c0" + "0000003f"
    one = decode_observation(data, HELLO)
    assert (one.robot, one.number, one.task, one.image) == (7, 300, 0, None)
    np.testing.assert_array_equal(one.state, STATE)


def test_images_follow_the_states():
    image = np.arange(2 * 2 * 2 * 3, dtype=np.uint8).reshape(2, 2, 2, 3)
    states = np.concatenate([STATE, STATE + 1])
    data = encode_observation(WireObservation(1, 2, 0, states, image))
    one = decode_observation(data, HELLO | {"obs_steps": 2, "image_size": 2})
    np.testing.assert_array_equal(one.image, image)
    np.testing.assert_array_equal(one.state, states)
    assert data.endswith(image.tobytes())


def test_a_chunk_says_how_long_it_took_and_how_large_it_is():
    actions = np.array([[1.0, 0.0], [0.5, -1.0]], np.float32)
    data = encode_chunk(WireChunk(robot=7, number=300, task=1, seconds=0.0035, actions=actions))
    assert data[:24].hex() == "01020100" + "07000000" + "2c01000000000000" + "ac0d0000" + "0200" + "0200"
    chunk = decode_chunk(data)
    assert (chunk.robot, chunk.number, chunk.task, chunk.seconds) == (7, 300, 1, 0.0035)
    np.testing.assert_array_equal(chunk.actions, actions)


def header(version=1, kind=1, task=0, robot=0):
    return struct.pack("<BBHIQ", version, kind, task, robot, 0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x01", "message: expected 16 bytes or more, got 1"),
        (header(version=2), "expected version 1 and kind 1, got 2 and 1"),
        (header(kind=2), "expected version 1 and kind 1, got 1 and 2"),
        (header(task=2), "task: expected 0..1, got 2"),
        (header(robot=256), "robot: expected 0..255, got 256"),
        (header() + STATE.tobytes()[:-4], r"expected 16 \+ 12 \+ 0 bytes of header, state and image, got 24"),
        (header(task=1) + STATE.tobytes(), r"expected 16 \+ 8 \+ 0 bytes"),
        (header() + (STATE * np.nan).tobytes(), "state: expected finite numbers"),
    ],
)
def test_what_is_no_observation_is_refused(data, message):
    with pytest.raises(ProtocolError, match=message):
        decode_observation(data, HELLO)


@pytest.mark.parametrize("cut", [1, 4, 20])
def test_a_chunk_that_is_cut_is_refused(cut):
    data = encode_chunk(WireChunk(0, 0, 0, 0.0, np.zeros((3, 1), np.float32)))
    with pytest.raises(ProtocolError, match="chunk: expected"):
        decode_chunk(data[:-cut])
