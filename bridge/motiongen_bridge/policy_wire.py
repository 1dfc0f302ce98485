"""The wire format of a policy server: observations of robots in, chunks of actions out (PROTOCOL.md, "Policies")."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motiongen_bridge.frames import ProtocolError

POLICY_SUBPROTOCOL = "motiongen.policy.v1"
VERSION = 1
MAX_ROBOTS = 256
"""Robots of a connection."""


class PolicyKind(IntEnum):
    """Second byte of a binary message: its kind."""

    OBSERVATION = 1
    CHUNK = 2


HEADER = struct.Struct("<BBHIQ")
"""Version, kind, task, robot, number of the control step: the first 16 bytes of both kinds."""
ANSWER = struct.Struct("<IHH")
"""Of a chunk: microseconds that the server took, actions, numbers of an action."""


@dataclass(frozen=True)
class WireObservation:
    """The last observations of a robot.

    Attributes:
        robot: its number on the connection, which the client chooses: 0 … 255.
        number: control step of the newest observation; the chunk that answers it begins at this step.
        task: index in the tasks of `hello`.
        state: (To, D) float32, oldest first.
        image: (To, S, S, 3) uint8; None for a policy of states.
    """

    robot: int
    number: int
    task: int
    state: NDArray[np.float32]
    image: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class WireChunk:
    """The actions that answer an observation.

    Attributes:
        robot: as in the observation.
        number: as in the observation: the control step of the first action.
        task: as in the observation.
        seconds: that the server took, from the observation's arrival on.
        actions: (H', A) float32.
    """

    robot: int
    number: int
    task: int
    seconds: float
    actions: NDArray[np.float32]


def encode_observation(one: WireObservation) -> bytes:
    """Return the bytes of an observation."""
    header = HEADER.pack(VERSION, PolicyKind.OBSERVATION, one.task, one.robot, one.number)
    image = b"" if one.image is None else one.image.tobytes()
    return header + one.state.astype("<f4").tobytes() + image


def decode_observation(data: bytes, hello: dict[str, Any]) -> WireObservation:
    """Return the observation in a message.

    Args:
        data: the message.
        hello: the server's, which says how large observations are.

    Raises:
        ProtocolError: another version or kind, a task or robot that there is not, another size, a number that is not
            finite.
    """
    task, robot, number = _header(data, PolicyKind.OBSERVATION)
    if task >= len(hello["tasks"]):
        raise ProtocolError("bad_value", f"task: expected 0..{len(hello['tasks']) - 1}, got {task}")
    if robot >= MAX_ROBOTS:
        raise ProtocolError("bad_value", f"robot: expected 0..{MAX_ROBOTS - 1}, got {robot}")
    steps, side, width = hello["obs_steps"], hello["image_size"], hello["tasks"][task]["state"]
    numbers, pixels = 4 * steps * width, 3 * steps * side * side
    if len(data) != HEADER.size + numbers + pixels:
        expected = f"{HEADER.size} + {numbers} + {pixels} bytes of header, state and image"
        raise ProtocolError("bad_value", f"observation: expected {expected}, got {len(data)}")
    state = np.frombuffer(data, "<f4", steps * width, HEADER.size).reshape(steps, width)
    if not np.isfinite(state).all():
        raise ProtocolError("bad_value", "state: expected finite numbers, got NaN or infinity")
    image = None
    if side:
        image = np.frombuffer(data, np.uint8, pixels, HEADER.size + numbers).reshape(steps, side, side, 3)
    return WireObservation(robot, number, task, state.astype(np.float32), image)


def encode_chunk(one: WireChunk) -> bytes:
    """Return the bytes of a chunk."""
    header = HEADER.pack(VERSION, PolicyKind.CHUNK, one.task, one.robot, one.number)
    took = min(round(1e6 * one.seconds), 2**32 - 1)
    return header + ANSWER.pack(took, *one.actions.shape) + one.actions.astype("<f4").tobytes()


def decode_chunk(data: bytes) -> WireChunk:
    """Return the chunk in a message. Raises ProtocolError for another version, kind or length."""
    task, robot, number = _header(data, PolicyKind.CHUNK)
    start = HEADER.size + ANSWER.size
    if len(data) < start:
        raise ProtocolError("bad_message", f"chunk: expected {start} bytes or more, got {len(data)}")
    took, steps, width = ANSWER.unpack_from(data, HEADER.size)
    if len(data) != start + 4 * steps * width:
        raise ProtocolError(
            "bad_message", f"chunk: expected {steps} x {width} numbers, got {len(data)} bytes"
        )
    actions = np.frombuffer(data, "<f4", offset=start).reshape(steps, width)
    return WireChunk(robot, number, task, took / 1e6, actions.astype(np.float32))


def _header(data: bytes, kind: PolicyKind) -> tuple[int, int, int]:
    """Return task, robot and number of a message of a kind."""
    if len(data) < HEADER.size:
        raise ProtocolError("bad_message", f"message: expected {HEADER.size} bytes or more, got {len(data)}")
    version, found, task, robot, number = HEADER.unpack_from(data)
    if (version, found) != (VERSION, kind):
        raise ProtocolError(
            "bad_message", f"message: expected version {VERSION} and kind {kind}, got {version} and {found}"
        )
    return task, robot, number
