"""``motiongen serve``: a page and a websocket on which characters obey sentences, or dance to music, at once."""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from motiongen.cli import UsageError, arguments

if TYPE_CHECKING:
    from motiongen.streaming.scheduler_protocol import Scheduler
    from motiongen_bridge.server import ServerConfig
    from motiongen_bridge.vmc import VMCSender


@dataclass(frozen=True, kw_only=True)
class ServeConfig:
    """Stream characters to web pages, engines and terminals, as many at once as the machine can.

    The page at the address that is printed shows them; /ws is the stream (bridge/PROTOCOL.md), /healthz and /metrics
    are for those who keep it running. Ctrl-C ends it.
    """

    host: str = "127.0.0.1"
    """Address to listen on; anything but this machine needs a token."""
    port: int = 8787
    """TCP port; 0 for any that is free."""
    token: Annotated[
        str, tyro.conf.arg(help_behavior_hint="(default: MOTIONGEN_TOKEN of the environment)")
    ] = ""
    """Secret that clients must know."""
    head: Literal["mogo", "badm"] = "mogo"
    """The model that makes the stream: mogo obeys sentences, badm dances to music that clients send."""
    weights: arguments.Weights = "full"
    """full (non-commercial), open (free sources, may be used in products), or a folder of your own."""
    max_sessions: Annotated[int, tyro.conf.arg(metavar="N")] = 256
    """Characters at once; those beyond are refused."""
    device: arguments.Device = "auto"
    """Where to compute."""
    workers: Annotated[
        int, tyro.conf.arg(metavar="N", help_behavior_hint="(default: 2 on a CPU, else 1)")
    ] = 0
    """Threads that share the characters."""
    allow_origin: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="URL")] = ()
    """Web page that may connect, beside the server's own; may be given several times."""
    vmc: Annotated[str, tyro.conf.arg(metavar="HOST:PORT", help_behavior_hint="(optional)")] = ""
    """VMC receiver that sees the character that has been there longest (VSeeFace, Unity and Unreal plugins)."""
    style: Annotated[str | None, tyro.conf.arg(metavar="STYLE", help_behavior_hint="(default: any)")] = None
    """With badm: the style in which dancers begin; motiongen models lists them."""
    space: Annotated[
        Literal["latent", "motion"] | None, tyro.conf.arg(help_behavior_hint="(default: latent)")
    ] = None
    """With badm: what is denoised, the tokenizer's latents (faster) or the frames themselves."""
    refine: bool = False
    """Let BAMM rewrite what waits, in the time that is left; docs/results.md says what it brings."""
    quiet: bool = False
    """Log what goes wrong only, and not who comes and goes."""

    def __post_init__(self) -> None:
        if not 1 <= self.max_sessions <= 100_000:
            raise UsageError(f"max-sessions: expected 1 to 100000, got {self.max_sessions}")
        if not 0 <= self.workers <= 64:
            raise UsageError(f"workers: expected 1 to 64, got {self.workers}; or leave it out")
        if self.head == "badm" and (self.refine or self.workers > 1):
            raise UsageError("refine, workers: expected none with badm, which has one thread; leave them out")
        if self.head == "mogo" and (self.style or self.space):
            raise UsageError("style, space: expected none with mogo; they are badm's: --head badm")


def main(argv: Sequence[str]) -> None:
    """Load the model, then serve until Ctrl-C."""
    config = arguments.parse(ServeConfig, argv, "serve")
    device = arguments.resolve_device(config.device)
    from motiongen_bridge.server import ServerConfig

    token = config.token or os.environ.get("MOTIONGEN_TOKEN", "")
    try:
        listen = ServerConfig(host=config.host, port=config.port, token=token, origins=config.allow_origin)
        receiver = _receiver(config.vmc)
    except ValueError as error:
        raise UsageError(str(error)) from None
    import torch

    _raise_open_files()
    torch.set_num_threads(1)  # more would wait for each other in a spin, and keep the sockets from their core
    logging.getLogger("websockets").setLevel(logging.WARNING)
    if not config.quiet:
        _log_events()
    scheduler = _dancers(config, device) if config.head == "badm" else _characters(config, device)
    asyncio.run(_serve(scheduler, listen, receiver))


def _characters(config: ServeConfig, device: str) -> "Scheduler":
    """Characters that obey sentences."""
    from motiongen.inference.model import load
    from motiongen.streaming.refiner import Refiner
    from motiongen.streaming.scheduler import StreamScheduler

    return StreamScheduler(
        load(config.head, config.weights, device),
        max_characters=config.max_sessions,
        workers=config.workers or (min(2, os.cpu_count() or 1) if device == "cpu" else 1),
        lead_tokens=10 if config.refine else 3,
        refiner=Refiner(load("bamm", config.weights, device)) if config.refine else None,
    )


def _dancers(config: ServeConfig, device: str) -> "Scheduler":
    """Characters that dance to music."""
    from motiongen.inference.dance import load_dance
    from motiongen.streaming.dance_scheduler import DanceScheduler

    model = load_dance(config.space, config.weights, device)
    # A GPU takes as long for one as for dozens; on a CPU a large batch would keep the others waiting.
    batch = 8 if device == "cpu" else 64
    return DanceScheduler(model, max_characters=config.max_sessions, style=config.style, max_batch=batch)


def _log_events() -> None:
    """Show who comes and goes, a line an event, with its time."""
    events = logging.getLogger("motiongen_bridge")
    events.setLevel(logging.INFO)
    for handler in events.handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))


def _raise_open_files() -> None:
    """Let this process have as many connections as the machine allows: the usual limit is for programs with few."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _receiver(address: str) -> "VMCSender | None":
    if not address:
        return None
    from motiongen_bridge.vmc import VMCSender, parse_address

    return VMCSender(*parse_address(address))


async def _serve(scheduler: "Scheduler", listen: "ServerConfig", receiver: "VMCSender | None") -> None:
    from motiongen_bridge.server import Server

    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with Server(scheduler, listen) as server:
        print(server.url, flush=True)
        gc.collect()
        gc.freeze()  # what was loaded stays; the collector need not look at it while frames wait
        if receiver is not None:
            server.broadcaster.show(receiver.send)
        await stop.wait()
    if receiver is not None:
        receiver.close()
