"""PolicyServer: answers observations of robots with chunks of actions, over websockets (PROTOCOL.md, "Policies")."""

import asyncio
import json
import logging
import socket
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from http import HTTPStatus
from typing import Any, Self

from numpy.typing import NDArray
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

import motiongen
from motiongen.inference.chunk_predictor import ChunkPredictor, ChunkRequest
from motiongen_bridge.background_tasks import BackgroundTasks
from motiongen_bridge.downloads import Downloads
from motiongen_bridge.frames import ProtocolError
from motiongen_bridge.handshake_policy import HandshakePolicy
from motiongen_bridge.listening import bind_sockets, in_url, port_of
from motiongen_bridge.pages import Pages
from motiongen_bridge.policy_batcher import PolicyBatcher, PolicyMetrics
from motiongen_bridge.policy_wire import (
    HEADER,
    MAX_ROBOTS,
    POLICY_SUBPROTOCOL,
    WireChunk,
    WireObservation,
    decode_observation,
    encode_chunk,
)
from motiongen_bridge.server_config import ServerConfig

__all__ = ["PolicyServer"]

log = logging.getLogger(__name__)

HOME = b"motiongen serves a policy here, at /ws; see PROTOCOL.md.\n"
MAX_CONNECTIONS = 256
MAX_UNSENT_BYTES = 2**20
"""Unsent bytes of a connection from which its chunks are left out: its robots have moved on."""


class PolicyServer:
    """Serves a policy for as long as it is entered: `async with PolicyServer(predictor, "carp-panda") as server: …`.

    Attributes:
        hello: the first message to every client.
        metrics: its metrics.
    """

    def __init__(
        self,
        predictor: ChunkPredictor,
        name: str,
        config: ServerConfig | None = None,
        sockets: Sequence[socket.socket] = (),
    ) -> None:
        """Make a server that does not listen yet.

        Args:
            predictor: the policy.
            name: of the policy, for clients.
            config: address, token and allowed origins; the defaults when left out.
            sockets: those of `bind_sockets`, where they were bound before; the server closes them.
        """
        self.config, self.metrics = config or ServerConfig(), PolicyMetrics()
        self.hello = policy_hello(predictor, name)
        self._batcher = PolicyBatcher(predictor, self.metrics)
        self._tasks = BackgroundTasks()
        self._connections: set[ServerConnection] = set()
        self._sockets = list(sockets)
        self._policy = HandshakePolicy(
            self.config,
            Pages(self._health, self.metrics.text, home=HOME),
            Downloads({}, "", {}),
            self.metrics.wrong_tokens.inc,
        )
        self._cleanup = AsyncExitStack()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return port_of(self._sockets)

    @property
    def url(self) -> str:
        """Address of the websocket."""
        return f"ws://{in_url(self.config.host, self.port)}/ws"

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._sockets = self._sockets or bind_sockets(self.config.host, self.config.port)
            for one in self._sockets:
                stack.callback(one.close)
            stack.push_async_callback(self._tasks.cancel)
            self._tasks.spawn(self._batcher.run())
            for one in self._sockets:
                server = await serve(
                    self._serve,
                    sock=one,
                    subprotocols=[Subprotocol(POLICY_SUBPROTOCOL)],
                    select_subprotocol=_select_subprotocol,
                    process_request=self._process_request,
                    compression=None,
                    max_size=self.hello["limits"]["message_bytes"],
                    max_queue=16,
                    close_timeout=2,
                    server_header="motiongen",
                )
                stack.push_async_callback(_stop, server)
            self._cleanup = stack.pop_all()
        log.info("event=listening url=%s", self.url)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections (1001) and stop."""
        await self._cleanup.aclose()
        log.info("event=stopped")

    async def _process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        return await self._policy.answer(request, lambda: len(self._connections) < MAX_CONNECTIONS)

    def _health(self) -> tuple[HTTPStatus, dict[str, object]]:
        is_degraded = self._batcher.is_degraded
        status = HTTPStatus.SERVICE_UNAVAILABLE if is_degraded else HTTPStatus.OK
        health = {"status": "degraded" if is_degraded else "ok", "version": motiongen.__version__}
        return status, {**health, "policy": self.hello["policy"], "connections": len(self._connections)}

    async def _serve(self, connection: ServerConnection) -> None:
        self._connections.add(connection)
        log.info("event=connected peer=%s", connection.remote_address)
        try:
            await connection.send(json.dumps(self.hello))
            async for data in connection:
                self._take(connection, data)
                if connection.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
                    await asyncio.sleep(0.02)  # who does not read is not read either
        except ConnectionClosed:
            pass
        finally:
            self._connections.discard(connection)
            log.info("event=disconnected peer=%s code=%s", connection.remote_address, connection.close_code)

    def _take(self, connection: ServerConnection, data: str | bytes) -> None:
        """Check a message, and have it answered."""
        arrived = time.monotonic()
        try:
            if isinstance(data, str):
                raise ProtocolError("bad_message", "message: expected bytes of an observation, got text")
            one = decode_observation(data, self.hello)
        except ProtocolError as error:
            self.metrics.refused.inc()
            about = _about(data)
            self._send(connection, _refusal(error.code, str(error), **about))
            return
        answer = partial(self._answer, connection, one, arrived)
        self._batcher.submit((connection, one.robot), ChunkRequest(one.state, one.task, one.image), answer)

    def _answer(
        self,
        connection: ServerConnection,
        one: WireObservation,
        arrived: float,
        chunk: NDArray[Any] | Exception,
    ) -> None:
        if isinstance(chunk, Exception):
            text = "the policy failed; see the server's log"
            self._send(connection, _refusal("internal", text, robot=one.robot, number=one.number))
            return
        took = time.monotonic() - arrived
        self._send(connection, encode_chunk(WireChunk(one.robot, one.number, one.task, took, chunk)))

    def _send(self, connection: ServerConnection, message: str | bytes) -> None:
        if connection.transport.get_write_buffer_size() <= MAX_UNSENT_BYTES:
            self._tasks.spawn(_send(connection, message))


def policy_hello(predictor: ChunkPredictor, name: str) -> dict[str, Any]:
    """Return the first message of a server: what observations and chunks are.

    Args:
        predictor: the policy.
        name: of the policy.
    """
    config = predictor.config
    tasks = [
        {"instruction": task, "state": config.state_dim_of(index), "action": config.action_dim_of(index)}
        for index, task in enumerate(config.tasks)
    ]
    most = max(config.state_dim_of(index) for index in range(len(config.tasks)))
    observation = HEADER.size + config.obs_steps * (4 * most + 3 * config.image_size**2)
    return {
        "type": "hello",
        "version": 1,
        "server": f"motiongen {motiongen.__version__}",
        "policy": name,
        "tasks": tasks,
        "obs_steps": config.obs_steps,
        "image_size": config.image_size,
        "chunk_steps": config.chunk_steps,
        "action_steps": config.action_steps,
        "limits": {"message_bytes": max(observation, 1024), "robots": MAX_ROBOTS},
    }


def _refusal(code: str, message: str, **about: int) -> str:
    return json.dumps({"type": "error", "code": code, "message": message, **about})


def _about(data: str | bytes) -> dict[str, int]:
    """Return robot and number of a message that was refused, where they can be read."""
    if isinstance(data, str) or len(data) < HEADER.size:
        return {}
    *_, robot, number = HEADER.unpack_from(data)
    return {"robot": robot, "number": number}


def _select_subprotocol(connection: ServerConnection, offered: Any) -> Subprotocol | None:
    return Subprotocol(POLICY_SUBPROTOCOL) if POLICY_SUBPROTOCOL in offered else None


async def _send(connection: ServerConnection, message: str | bytes) -> None:
    with suppress(ConnectionClosed):
        await connection.send(message)


async def _stop(server: Any) -> None:
    server.close(close_connections=True)
    await server.wait_closed()
