"""The Python client of a policy server: robots that ask for chunks of actions while they go on moving."""

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection as WebSocket
from websockets.exceptions import ConnectionClosed

from motiongen_bridge.chunk_queue import ChunkQueue
from motiongen_bridge.frames import ProtocolError
from motiongen_bridge.handshake import error_line, handshake, redacted_url, socket_url
from motiongen_bridge.policy_wire import (
    POLICY_SUBPROTOCOL,
    WireChunk,
    WireObservation,
    decode_chunk,
    encode_observation,
)

log = logging.getLogger(__name__)

URL = "ws://127.0.0.1:8788/ws"
ANSWER_SECONDS = 5.0
"""Time in which a chunk must come that is waited for."""

Observation = NDArray[Any] | Mapping[str, NDArray[Any]]
"""A state (D,), or `state` (D,) and `image` (S, S, 3) uint8."""


class PolicyRefused(ValueError):
    """The server refused an observation, or could not answer it.

    Attributes:
        code: one of PROTOCOL.md's error codes.
    """

    def __init__(self, code: str, message: str) -> None:
        """Make an error of the server's code and words."""
        super().__init__(message)
        self.code = code


class PolicyConnection:
    """A connection to a policy server: `async with PolicyConnection(url) as server: robot = server.robot()`.

    It is not made again when it drops: a robot that lost its policy should come to rest, and then connect anew.

    Attributes:
        hello: the server's first message: its policy, the tasks, and the sizes of observations and chunks.
    """

    def __init__(self, url: str = URL, token: str | None = None) -> None:
        """Make a connection that is not open yet.

        Args:
            url: address of the server.
            token: the server's secret, if it has one.
        """
        self._url, self._token = socket_url(url), token
        self.hello: dict[str, Any] = {}
        self._robots: dict[int, RemotePolicy] = {}
        self._lost: str | None = None

    async def __aenter__(self) -> Self:
        self._socket: WebSocket
        self._socket, self.hello = await handshake(self._url, self._token, POLICY_SUBPROTOCOL)
        if "tasks" not in self.hello:
            await self._socket.close()
            shown = redacted_url(self._url)
            raise ConnectionError(
                f"{shown}: expected a policy server, got one of characters; run serve-policy"
            )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._socket.close()
        await self._reader

    def robot(self, task: str | None = None, *, blend: int = 4, blocking: bool = False) -> "RemotePolicy":
        """Return a new robot of this connection.

        Args:
            task: instruction of one of the server's tasks; None for the only one.
            blend: steps over which a late chunk takes over, see ChunkQueue.
            blocking: wait for each chunk that is asked for, as `motiongen_sim.Policy` does: for simulators, which can
                wait. A robot that cannot goes on with the actions in hand.

        Raises:
            ValueError: there is no such task, or there are more robots than the server allows.
        """
        known = [one["instruction"] for one in self.hello["tasks"]]
        if task is None and len(known) == 1:
            task = known[0]
        if task not in known:
            raise ValueError(f"task: expected one of {', '.join(map(repr, known))}, got {task!r}")
        number, most = len(self._robots), self.hello["limits"]["robots"]
        if number >= most:
            raise ValueError(f"robots: expected {most} at most, got one more; open another connection")
        self._robots[number] = RemotePolicy(self, number, known.index(task), blend, blocking)
        return self._robots[number]

    async def send(self, observation: WireObservation) -> None:
        """Send an observation. Raises ConnectionError where the connection is lost."""
        self.check()
        with contextlib.suppress(ConnectionClosed):  # the reader says so
            await self._socket.send(encode_observation(observation))

    def check(self) -> None:
        """Raise ConnectionError where the connection is lost."""
        if self._lost is not None:
            raise ConnectionError(
                f"{redacted_url(self._url)}: the connection was lost ({self._lost}); connect again"
            )

    async def _read(self) -> None:
        reason = "the server closed it"
        try:
            async for data in self._socket:
                self._take(data)
        except ConnectionClosed:
            pass
        except (ProtocolError, ValueError, KeyError, TypeError) as error:
            reason = f"another message than PROTOCOL.md's: {error_line(error)}"
            self._socket.transport.abort()
        self._lost = reason
        for robot in self._robots.values():
            robot.wake()

    def _take(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            chunk = decode_chunk(data)
            self._robots[chunk.robot].take(chunk)
            return
        message = json.loads(data)
        if message.get("type") == "error":
            refusal = PolicyRefused(str(message["code"]), str(message["message"]))
            robot = self._robots.get(message.get("robot", -1))
            if robot is None:
                log.warning("event=refused code=%s message=%s", refusal.code, refusal)
            else:
                robot.refuse(refusal)


class RemotePolicy:
    """A robot whose actions come from a server; made by `PolicyConnection.robot`.

    Attributes:
        actions: those in hand, with counts of how late chunks come.
        seconds: that the server took for the newest chunk.
        first_number: on the wire, of the episode's first step.
    """

    def __init__(
        self, connection: PolicyConnection, robot: int, task: int, blend: int, blocking: bool
    ) -> None:
        hello = connection.hello
        self.actions, self.seconds = ChunkQueue(0 if blocking else blend), 0.0
        self._blend = 0 if blocking else blend
        self._connection, self._robot, self._task, self._blocking = connection, robot, task, blocking
        self._side, self._width = hello["image_size"], hello["tasks"][task]["state"]
        self._every = hello["action_steps"]
        self._states: deque[NDArray[np.float32]] = deque(maxlen=hello["obs_steps"])
        self._images: deque[NDArray[np.uint8]] = deque(maxlen=hello["obs_steps"])
        self._asked_at: int | None = None
        self._refusal: PolicyRefused | None = None
        self._begin(0)

    def reset(self) -> None:
        """Begin an episode: forget all observations and actions; chunks of before that still come are left out."""
        self._states.clear()
        self._images.clear()
        self._begin(self.first_number + self.actions.step)

    async def act(self, observation: Observation) -> NDArray[np.float32]:
        """Return the action (A,) of this control step, in the robot's units.

        It waits for the server at the first step of an episode only, or at each chunk if `blocking`.

        Args:
            observation: a state (D,), or a dict of `state` (D,) and `image` (S, S, 3) uint8, S as `hello` says.

        Raises:
            ValueError: the observation has another shape, or a number that is not finite.
            PolicyRefused: the server refused it, or its policy failed.
            TimeoutError: no chunk came in time.
            ConnectionError: the connection is lost.
        """
        self._add(observation)
        step = self.actions.step
        is_due = self._asked_at is None or step - self._asked_at >= self._every or not self.actions.left
        if is_due and self._arrived.is_set():
            self._asked_at = step
            self._arrived.clear()
            await self._connection.send(self._observation(step))
        await asyncio.sleep(0)  # what has come is taken
        if self._blocking or not self._has_begun:
            await self._wait()
        self._connection.check()
        if self._refusal is not None:
            refusal, self._refusal = self._refusal, None
            raise refusal
        return self.actions.pop()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._arrived.wait()
        except TimeoutError:
            raise TimeoutError(
                f"chunk: expected one within {ANSWER_SECONDS:g} s, got none; the server has too much to do"
            ) from None

    def take(self, chunk: WireChunk) -> None:
        """Take a chunk of the server; called by the connection."""
        if chunk.number < self.first_number:
            return  # of an episode before
        self.seconds = chunk.seconds
        self.actions.add(chunk.actions, chunk.number - self.first_number)
        self._has_begun = True
        self._arrived.set()

    def refuse(self, refusal: PolicyRefused) -> None:
        """Take an error of the server; called by the connection."""
        self._refusal = refusal
        self._arrived.set()

    def wake(self) -> None:
        """End the wait for a chunk, since the connection is lost; called by the connection."""
        self._arrived.set()

    def _begin(self, first: int) -> None:
        """Begin an episode whose step 0 has a number on the wire."""
        self.first_number = first
        self.actions = ChunkQueue(self._blend)
        self._arrived, self._has_begun = asyncio.Event(), False
        self._arrived.set()  # nothing is waited for
        self._asked_at, self._refusal = None, None

    def _add(self, observation: Observation) -> None:
        """Check an observation and remember it; the first one of an episode stands for those before it, too."""
        parts = observation if isinstance(observation, Mapping) else {"state": observation}
        state = np.asarray(parts["state"], np.float32)
        if state.shape != (self._width,) or not np.isfinite(state).all():
            raise ValueError(f"state: expected {self._width} finite numbers, got {state}")
        times = 1 if self._states else self._states.maxlen or 1
        self._states.extend([state.copy()] * times)
        if not self._side:
            return
        image = np.asarray(parts.get("image"))
        shape = (self._side, self._side, 3)
        if image.shape != shape or image.dtype != np.uint8:
            raise ValueError(
                f"image: expected {shape}, uint8, got {image.shape}, {image.dtype}; average it by area to this size"
            )
        self._images.extend([image.copy()] * times)

    def _observation(self, step: int) -> WireObservation:
        image = np.stack(self._images) if self._images else None
        return WireObservation(
            self._robot, self.first_number + step, self._task, np.stack(self._states), image
        )
