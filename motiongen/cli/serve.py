"""``motiongen serve``: a streaming server, with a web page, a websocket, senders and MMCP."""

import asyncio
import contextlib
import dataclasses
import gc
import importlib.util
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from motiongen import heads
from motiongen.cli import UsageError, arguments
from motiongen.cli.serve_workers import serve_in_workers
from motiongen.heads.spec import HeadSpec

if TYPE_CHECKING:
    from motiongen.retargeting import Character
    from motiongen.streaming.scheduler_protocol import Scheduler
    from motiongen_bridge.mmcp_server import MmcpServer
    from motiongen_bridge.peers import Peers, Post
    from motiongen_bridge.senders import FrameSender
    from motiongen_bridge.server_config import ServerConfig

MMCP_PORT = 8000
"""Default TCP port of MMCP."""


def _streaming() -> dict[str, HeadSpec]:
    """Return name -> head that streams, those that obey sentences first."""
    return heads.heads_for("words", streams=True) | heads.heads_for("music", streams=True)


def _spaces() -> list[str]:
    return [space for spec in _streaming().values() for space in spec.spaces]


def _send_help() -> str:
    from motiongen_bridge.senders import SENDERS

    names = "; ".join(f"{name} ({spec.summary})" for name, spec in SENDERS.items())
    return f"Receiver of the first characters that come; may be given several times. Names: {names}"


@dataclass(frozen=True, kw_only=True)
class ServeConfig:
    """Stream characters to web pages, engines and terminals, as many at once as the machine can.

    Prints the address of a page that shows them. /ws is the stream (bridge/PROTOCOL.md), /healthz its health and
    /metrics its metrics for Prometheus. Ctrl-C ends it; after SIGUSR1 it takes no new clients, and /healthz says so.
    """

    host: str = "127.0.0.1"
    """Address to listen on; anything but this machine needs a token."""
    port: int = 8787
    """TCP port; 0 for any that is free."""
    token: Annotated[
        str, tyro.conf.arg(help_behavior_hint="(default: MOTIONGEN_TOKEN of the environment)")
    ] = ""
    """Secret that clients must know."""
    head: Annotated[
        str,
        tyro.conf.arg(
            metavar="|".join(_streaming()),
            help="The model that generates the stream. "
            + "; ".join(f"{name}: {spec.summary}" for name, spec in _streaming().items()),
        ),
    ] = next(iter(_streaming()))
    weights: arguments.Weights = "open"
    memory: arguments.Memory = None
    """open (free sources, may be used in products), full (non-commercial), or a folder of your own."""
    max_characters: Annotated[int, tyro.conf.arg(name="max-sessions", metavar="N")] = 256
    """Characters at once; more are refused."""
    device: arguments.Device = "auto"
    """Where to compute."""
    workers: Annotated[int, tyro.conf.arg(metavar="N")] = 1
    """Processes that share the port and the characters; one that dies is started again. Each loads the model."""
    threads: Annotated[
        int, tyro.conf.arg(metavar="N", help_behavior_hint="(default: 2 on a CPU that has them, else 1)")
    ] = 0
    """Threads of a process that share its characters."""
    place: Annotated[int, tyro.conf.arg(metavar="N")] = 0
    """Number of this server among those behind one proxy, 0 to 255: clients come back by it (bridge/deploy)."""
    allow_origin: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="URL")] = ()
    """Web origin that may connect, beside the server's own page; may be given several times."""
    send: Annotated[
        tuple[str, ...],
        tyro.conf.UseAppendAction,
        tyro.conf.arg(
            metavar="NAME://HOST:PORT",
            help=_send_help(),
        ),
    ] = ()
    vmc: Annotated[str, tyro.conf.arg(metavar="HOST:PORT", help_behavior_hint="(optional)")] = ""
    """Short for --send vmc://HOST:PORT."""
    character: Annotated[
        tuple[Path, ...],
        tyro.conf.UseAppendAction,
        tyro.conf.arg(metavar="AVATAR", help_behavior_hint="(optional)"),
    ] = ()
    """Character of your own, .glb, .vrm or a skeleton, that clients may have their frames on, by its file's name, and
    that the page shows; may be given several times."""
    character_mapping: Annotated[
        Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: by names and tree)")
    ] = None
    """JSON file of the joints that play SMPL's in the one character: {"left_hip": "thigh_l", …}; null takes one out."""
    mmcp: bool = False
    """Also answer whole clips by MMCP, the Motion Model Context Protocol, for its plug-ins (needs motiongen[mmcp])."""
    mmcp_port: Annotated[
        int | None, tyro.conf.arg(metavar="PORT", help_behavior_hint=f"(default: {MMCP_PORT})")
    ] = None
    """TCP port of MMCP; 0 for any that is free."""
    style: Annotated[str | None, tyro.conf.arg(metavar="STYLE", help_behavior_hint="(default: any)")] = None
    """With a head that dances: the first style of each character; motiongen models lists them."""
    space: Annotated[
        str | None,
        tyro.conf.arg(
            metavar="|".join(_spaces()), help_behavior_hint="(default: the first that the weights have)"
        ),
    ] = None
    """With a head that dances: the space that is denoised, the tokenizer's latents (faster) or the frames."""
    refine: bool = False
    """Let a head that edits rewrite frames that wait, in spare time; docs/results.md shows the gain."""
    quiet: bool = False
    """Log warnings and errors only, and not each connection; -q leaves errors alone."""

    def __post_init__(self) -> None:
        if not 1 <= self.max_characters <= 100_000:
            raise UsageError(f"max-sessions: expected 1 to 100000, got {self.max_characters}")
        if not 1 <= self.workers <= 64:
            raise UsageError(f"workers: expected 1 to 64, got {self.workers}; or leave it out")
        if not 0 <= self.threads <= 64:
            raise UsageError(f"threads: expected 1 to 64, got {self.threads}; or leave it out")
        if self.workers > 1 and (self.send or self.vmc):
            raise UsageError(
                f"send, vmc: expected none with --workers {self.workers}, where no process knows all characters; "
                "leave --workers out"
            )
        if self.workers > 1 and not hasattr(socket, "send_fds"):
            raise UsageError(
                f"workers: expected 1 on {sys.platform}, whose processes cannot share a port, got {self.workers}; "
                "leave it out"
            )
        if self.mmcp_port is not None and not self.mmcp:
            raise UsageError(f"mmcp-port: expected --mmcp with it, got {self.mmcp_port} alone; add --mmcp")
        if self.mmcp and self.clips_port == self.port != 0:
            raise UsageError(
                f"mmcp-port: expected another port than the page's, got {self.port}; try {self.port % 65535 + 1}"
            )
        if self.character_mapping is not None and len(self.character) != 1:
            raise UsageError(
                f"character-mapping: expected one --character with it, got {len(self.character)}"
            )
        names = [path.stem for path in self.character]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UsageError(
                f"character: expected files of different names, got {', '.join(twice)} twice; rename one"
            )
        if self.head not in _streaming():
            raise UsageError(f"head: expected one of {', '.join(_streaming())}, got {self.head!r}")
        if self.space is not None and self.space not in _spaces():
            raise UsageError(f"space: expected one of {', '.join(_spaces())}, got {self.space!r}")
        if self.spec.kind == "music" and (self.refine or self.threads > 1):
            raise UsageError(
                f"refine, threads: expected none with {self.head}, which has one thread; leave them out"
            )
        if self.spec.kind == "music" and self.memory is not None:
            raise UsageError(
                f"memory: expected none with {self.head}, which reads no sentences; leave it out"
            )
        if self.spec.kind == "words" and (self.style or self.space):
            dancing = " or ".join(name for name, spec in _streaming().items() if spec.kind == "music")
            raise UsageError(
                f"style, space: expected none with {self.head}; they are for heads that dance: --head {dancing}"
            )

    @property
    def clips_port(self) -> int:
        """TCP port of MMCP."""
        return MMCP_PORT if self.mmcp_port is None else self.mmcp_port

    @property
    def spec(self) -> HeadSpec:
        """The head."""
        return _streaming()[self.head]


def main(argv: Sequence[str]) -> None:
    """Load the model, then serve until Ctrl-C.

    Args:
        argv: the words after the verb.
    """
    config = arguments.parse(ServeConfig, argv, "serve")
    arguments.check_style(config.style, config.weights)
    arguments.check_inputs(*config.character, config.character_mapping)
    from motiongen_bridge.listening import bind_sockets
    from motiongen_bridge.peers import Post
    from motiongen_bridge.server_config import ServerConfig

    if config.mmcp:
        _check_mmcp()
    token = config.token or os.environ.get("MOTIONGEN_TOKEN", "")
    try:
        listen = ServerConfig(
            host=config.host, port=config.port, token=token, origins=config.allow_origin, place=config.place
        )
        clips = dataclasses.replace(listen, port=config.clips_port)
        senders = _senders(config)
    except ValueError as error:
        raise UsageError(str(error)) from None
    post = Post.from_environment()
    if post is not None:
        _serve_as_worker(config, listen, clips, post)
        return
    with contextlib.ExitStack() as bound:
        # A port that is taken is known before torch is imported and the model loaded.
        sockets = [bound.enter_context(one) for one in bind_sockets(listen.host, listen.port)]
        mmcp = bind_sockets(clips.host, clips.port) if config.mmcp else []
        for one in mmcp:
            bound.enter_context(one)
        if config.workers > 1:
            asyncio.run(serve_in_workers(config.workers, argv, token, sockets, mmcp))
            return
        avatars = _avatars(config)
        scheduler = _make_scheduler(config)
        more = []
        if config.mmcp:
            more = [f"{bound.enter_context(_mmcp_server(config, clips, mmcp)).url} (MMCP)"]
        asyncio.run(_serve(scheduler, listen, senders, sockets, avatars, more))


def _serve_as_worker(
    config: ServeConfig, listen: "ServerConfig", clips: "ServerConfig", post: "Post"
) -> None:
    """Serve as one of several processes, until the one that started it wants its end, or is gone."""
    from motiongen_bridge.peers import Peers

    starter, peers = os.getppid(), Peers(post, listen.place)
    sockets = [socket.socket(fileno=one) for one in post.sockets]
    avatars, scheduler = _avatars(config), _make_scheduler(config)
    with contextlib.ExitStack() as stack:
        more = []
        if post.mmcp:
            mmcp = [socket.socket(fileno=one) for one in post.mmcp]
            more = [f"{stack.enter_context(_mmcp_server(config, clips, mmcp)).url} (MMCP)"]
        asyncio.run(_serve(scheduler, listen, [], sockets, avatars, more, peers))
    if os.getppid() != starter:  # it was killed, and nobody else will clean up
        shutil.rmtree(post.folder, ignore_errors=True)


def _make_scheduler(config: ServeConfig) -> "Scheduler":
    """Prepare the process, and load the model."""
    device = arguments.resolve_device(config.device)
    import torch

    _raise_open_files()
    torch.set_num_threads(1)  # more would wait for each other in a spin, and keep the sockets from their core
    logging.getLogger("websockets").setLevel(logging.WARNING)
    if not config.quiet:
        _log_events()
    make = _dance_scheduler if config.spec.kind == "music" else _text_scheduler
    return make(config, device)


def _avatars(config: ServeConfig) -> "dict[str, Character]":
    """Return name -> character that clients may ask for."""
    if not config.character:
        return {}
    from motiongen.retargeting import Character

    return {path.stem: Character.load(path, mapping=config.character_mapping) for path in config.character}


def _check_mmcp() -> None:
    if importlib.util.find_spec("motionmcp") is None or importlib.util.find_spec("uvicorn") is None:
        raise UsageError("mmcp: motionmcp-sdk[server] is not installed; run pip install 'motiongen[mmcp]'")


def _mmcp_server(config: ServeConfig, listen: "ServerConfig", sockets: list[socket.socket]) -> "MmcpServer":
    """Load the model that writes clips, and return a server of them."""
    from motiongen.inference.load import load_words
    from motiongen_bridge.mmcp_server import MmcpServer

    head = next(iter(heads.heads_for("words", edits=True)))  # the one that looks both ways
    device = arguments.resolve_device(config.device)
    return MmcpServer(load_words(head, config.weights, device, memory=config.memory), listen, sockets)


def _text_scheduler(config: ServeConfig, device: str) -> "Scheduler":
    """Return a scheduler of characters that obey sentences."""
    from motiongen.inference.load import load_words
    from motiongen.streaming.refiner import Refiner
    from motiongen.streaming.scheduler import StreamScheduler

    reviser = next(iter(heads.heads_for("words", edits=True)))
    return StreamScheduler(
        load_words(config.head, config.weights, device, memory=config.memory, streams=True),
        max_characters=config.max_characters,
        workers=config.threads or _default_threads(config, device),
        lead_tokens=10 if config.refine else 3,
        refiner=Refiner(load_words(reviser, config.weights, device, memory=config.memory))
        if config.refine
        else None,
    )


def _default_threads(config: ServeConfig, device: str) -> int:
    return max(1, min(2, (os.cpu_count() or 1) // config.workers)) if device == "cpu" else 1


def _dance_scheduler(config: ServeConfig, device: str) -> "Scheduler":
    """Return a scheduler of characters that dance to music."""
    from motiongen.inference.load import load_dance
    from motiongen.streaming.dance_scheduler import DanceScheduler

    model = load_dance(config.space, config.weights, device, head=config.head)
    # A GPU takes as long for one as for dozens; on a CPU a large batch would keep the others waiting.
    batch = 8 if device == "cpu" else 64
    return DanceScheduler(model, max_characters=config.max_characters, style=config.style, max_batch=batch)


def _log_events() -> None:
    """Log each connection and disconnection, a line an event, with its time."""
    events = logging.getLogger("motiongen_bridge")
    if events.level == logging.WARNING:  # neither -q nor -v was said
        events.setLevel(logging.INFO)
    for handler in events.handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))


def _raise_open_files() -> None:
    """Raise the limit of open files, and so of connections, to what the machine allows."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _senders(config: ServeConfig) -> "list[FrameSender]":
    from motiongen_bridge.senders import make_sender

    urls = [*config.send, *([f"vmc://{config.vmc}"] if config.vmc else [])]
    return [make_sender(url) for url in urls]


async def _serve(
    scheduler: "Scheduler",
    listen: "ServerConfig",
    senders: "list[FrameSender]",
    sockets: list[socket.socket],
    avatars: "dict[str, Character]",
    more: list[str],
    peers: "Peers | None" = None,
) -> None:
    """Serve until Ctrl-C, or where it has peers, until stdin ends; print the page's address, then `more`."""
    from motiongen_bridge.server import Server

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    if peers is not None:
        loop.add_reader(sys.stdin, stop.set)
    async with Server(scheduler, listen, senders, sockets, avatars, peers) as server:
        if hasattr(signal, "SIGUSR1"):
            loop.add_signal_handler(signal.SIGUSR1, server.drain)
        print(server.url, *more, sep="\n", flush=True)
        gc.collect()
        gc.freeze()  # what was loaded stays; the collector need not look at it while frames wait
        await stop.wait()
