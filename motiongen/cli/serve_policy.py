"""``motiongen serve-policy NAME|DIR``: a robot policy behind a websocket, for many robots at once."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import tyro

from motiongen.cli import UsageError, arguments

if TYPE_CHECKING:
    import socket

    from motiongen.inference.chunk_predictor import ChunkPredictor
    from motiongen_bridge.server_config import ServerConfig


@dataclass(frozen=True, kw_only=True)
class ServePolicyConfig:
    """Answer observations of robots with chunks of actions, over websockets (bridge/PROTOCOL.md, "Policies").

    Prints the address. Observations that come while a chunk is computed are answered together, in one pass. /healthz is
    its health, and /metrics its metrics for Prometheus. Ctrl-C ends it.
    """

    policy: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME|DIR")]
    """Policy: one of those of motiongen models, or a folder of your own."""
    host: str = "127.0.0.1"
    """Address to listen on; anything but this machine needs a token."""
    port: int = 8788
    """TCP port; 0 for any that is free."""
    token: Annotated[
        str, tyro.conf.arg(help_behavior_hint="(default: MOTIONGEN_TOKEN of the environment)")
    ] = ""
    """Secret that clients must know."""
    temperature: Annotated[
        float | None, tyro.conf.arg(metavar="T", help_behavior_hint="(default: the policy's own)")
    ] = None
    """Temperature of sampling the policy's codes; 0 takes the likeliest."""
    device: arguments.Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        if self.temperature is not None and not 0 <= self.temperature < float("inf"):
            raise UsageError(f"temperature: expected 0 or more, got {self.temperature}")


def main(argv: Sequence[str]) -> None:
    """Load the policy, then serve until Ctrl-C."""
    config = arguments.parse(ServePolicyConfig, argv, "serve-policy")
    from motiongen_bridge.listening import bind_sockets
    from motiongen_bridge.server_config import ServerConfig

    token = config.token or os.environ.get("MOTIONGEN_TOKEN", "")
    try:
        listen = ServerConfig(host=config.host, port=config.port, token=token)
    except ValueError as error:
        raise UsageError(str(error)) from None
    with contextlib.ExitStack() as bound:
        # A port that is taken is known before torch is imported and the policy loaded.
        sockets = [bound.enter_context(one) for one in bind_sockets(listen.host, listen.port)]
        predictor, name = _load(config)
        asyncio.run(_serve(predictor, name, listen, sockets))


def _load(config: ServePolicyConfig) -> "tuple[ChunkPredictor, str]":
    device = arguments.resolve_device(config.device)
    import torch

    from motiongen.inference.chunk_predictor import ChunkPredictor
    from motiongen.inference.load import load_policy

    torch.set_num_threads(1)  # more would keep the sockets from their core
    loaded = load_policy(config.policy, device)
    if config.temperature is not None and not hasattr(loaded.head.config, "temperature"):
        raise UsageError(
            f"temperature: expected none for a policy without codes, got {config.temperature}; leave it out"
        )
    return ChunkPredictor(loaded.head, config.temperature), str(loaded.about["name"])


async def _serve(
    predictor: "ChunkPredictor", name: str, listen: "ServerConfig", sockets: "list[socket.socket]"
) -> None:
    from motiongen_bridge.policy_server import PolicyServer

    stop = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    async with PolicyServer(predictor, name, listen, sockets) as server:
        print(server.url, flush=True)
        await stop.wait()
