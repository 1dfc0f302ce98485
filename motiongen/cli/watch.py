"""``motiongen watch [URL] PROMPT``: shows a character of a server in the terminal, and records it to files."""

import asyncio
import contextlib
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import tyro

from motiongen.cli import UsageError, arguments
from motiongen.cli.figure import NOBODY, CharacterOptions

if TYPE_CHECKING:
    from rich.console import RenderableType

    from motiongen.retargeting import Character
    from motiongen_bridge.client import Connection, RemoteCharacter
    from motiongen_bridge.stream_stats import StreamStats

RECORDED_SECONDS = 10.0
"""Default length of a recording."""
FRAME_TIMEOUT = 45.0
"""Seconds without a frame after which the stream counts as ended; a connection that drops may be back after 30."""
QUEUE_INTERVAL = 0.2
"""Seconds between two queued prompts: a server refuses a flood of them."""
ADDRESS = re.compile(r"(wss?|https?):\S*|(\[[0-9a-fA-F:.]+\]|[\w.-]+):\d+(/\S*)?")
"""A word that is a server's address, and not a prompt."""


@dataclass(frozen=True, kw_only=True)
class WatchConfig:
    """Open a character on a server, show its stream in the terminal, and record it to files.

    URL is the address of the server's page or websocket; default: motiongen serve on this machine. Ctrl-C ends it.
    """

    words: Annotated[
        tyro.conf.Positional[tuple[str, ...]],
        tyro.conf.arg(name="PROMPT", metavar="[URL] PROMPT", help_behavior_hint="(required)"),
    ]
    """First prompt, one sentence."""
    then: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="PROMPT")] = ()
    """Prompt that follows when the motion before it has ended; may be given several times."""
    seconds: Annotated[
        float | None,
        tyro.conf.arg(metavar="S", help_behavior_hint="(default: until Ctrl-C; 10 with -o)"),
    ] = None
    """Seconds to watch and record."""
    token: Annotated[
        str, tyro.conf.arg(help_behavior_hint="(default: MOTIONGEN_TOKEN of the environment)")
    ] = ""
    """The server's secret."""
    output: arguments.Outputs = ()
    """File to record to; may be given several times."""
    figure: CharacterOptions = NOBODY

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds <= 3600:
            raise UsageError(f"seconds: expected 0 < S <= 3600, got {self.seconds}; or leave it out")


def main(argv: Sequence[str]) -> None:
    """Watch, print a summary, write the recording.

    Args:
        argv: the words after the verb.
    """
    config = arguments.parse(WatchConfig, argv, "watch")
    url, prompts = split(config.words)
    all_prompts = arguments.read_prompts((*prompts, *config.then))
    if config.output:
        arguments.check_outputs(config.output, arguments.known_outputs(), config.figure.character)
    character = config.figure.load()
    from motiongen_bridge.client import URL, Connection
    from motiongen_bridge.stream_stats import StreamStats

    try:
        connection = Connection(url or URL, config.token or os.environ.get("MOTIONGEN_TOKEN"))
    except ValueError as error:
        raise UsageError(str(error)) from None
    seconds = config.seconds or (RECORDED_SECONDS if config.output else None)
    stats, failure = StreamStats(all_prompts), None
    try:
        asyncio.run(_watch(connection, stats, seconds, records=bool(config.output)))
    except KeyboardInterrupt:
        if not stats.frames:
            raise
    except ConnectionError as error:
        if not stats.frames:
            raise
        failure = error
    for name, value in stats.facts().items():
        print(f"{name:<16} {value}", flush=True)
    _write(stats, config, seconds, character)
    if failure is not None:
        raise failure


def split(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the address, empty where none is given, and the prompt.

    Args:
        words: positional arguments.

    Raises:
        UsageError: there is no prompt, or more than one.
    """
    url, prompts = ("", words) if not words or not ADDRESS.fullmatch(words[0]) else (words[0], words[1:])
    if not prompts:
        raise UsageError('prompt: expected a sentence, got none; say what happens, e.g. "a person waves"')
    if len(prompts) > 1:
        raise UsageError(
            f"prompt: expected one sentence, got {len(prompts)}; quote it, and give what follows with --then"
        )
    return url, tuple(prompts)


async def _watch(
    connection: "Connection", stats: "StreamStats", seconds: float | None, *, records: bool
) -> None:
    """Open a character, and record its statistics until the time is over or the task is cancelled.

    Raises:
        ConnectionError: there is no server, or the stream ended too soon.
        VerbRefused: the server refuses a prompt.
    """
    async with connection:
        if records:
            from motiongen_bridge.frame_recorder import FrameRecorder

            stats.recorder = FrameRecorder(connection.hello)
        stats.start(connection.hello)
        character = await connection.open(stats.prompts[0])
        queueing = [
            asyncio.create_task(_queue(character, n, text)) for n, text in enumerate(stats.prompts[1:])
        ]
        drawing = asyncio.create_task(_draw(connection, stats))
        try:
            await _read(connection, character, stats, seconds, queueing)
        finally:
            stats.not_started = sum(not task.done() for task in queueing)
            for task in (*queueing, drawing):
                task.cancel()
            await asyncio.gather(*queueing, drawing, return_exceptions=True)


async def _read(
    connection: "Connection",
    character: "RemoteCharacter",
    stats: "StreamStats",
    seconds: float | None,
    queueing: Sequence["asyncio.Task[None]"],
) -> None:
    from motiongen_bridge.handshake import redacted_url

    count = math.inf if seconds is None else max(1, round(seconds * stats.fps))
    try:
        async with asyncio.timeout(FRAME_TIMEOUT) as deadline:
            async for frame in character:
                deadline.reschedule(asyncio.get_running_loop().time() + FRAME_TIMEOUT)
                late = connection.clock.now() - frame.time / 1e6 if connection.clock.round_trip else None
                stats.add(frame, character.events, late)
                for task in queueing:
                    if task.done():
                        task.result()  # raises what it was refused with
                if stats.frames + stats.dropped >= count:
                    return
    except TimeoutError:
        raise ConnectionError(
            f"{redacted_url(connection.url)}: no frame came for {FRAME_TIMEOUT:.0f} s"
        ) from None
    raise ConnectionError(f"{redacted_url(connection.url)}: the server ended the stream")


async def _queue(character: "RemoteCharacter", position: int, text: str) -> None:
    await asyncio.sleep(QUEUE_INTERVAL * position)
    with contextlib.suppress(ConnectionError):  # if it is lost for good, the frames end too
        await character.then(text)


def _write(
    stats: "StreamStats", config: WatchConfig, seconds: float | None, character: "Character | None"
) -> None:
    """Write the recording, if there is one."""
    if stats.recorder is None:
        return
    count = None if seconds is None else max(1, round(seconds * stats.fps))
    motion = stats.recorder.motion()[:count]
    captions = [caption for caption in stats.captions() if caption[0] < motion.seconds]
    motion = config.figure.moved(motion, character)
    for path in config.output:
        arguments.write(motion, path, captions, None, None, character=character)
    arguments.report(config.output)


async def _draw(connection: "Connection", stats: "StreamStats") -> None:
    """Show the statistics on stderr while that is a terminal."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    if not console.is_terminal:
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(_panel(connection, stats), refresh=True)
            await asyncio.sleep(0.1)


def _panel(connection: "Connection", stats: "StreamStats") -> "RenderableType":
    from rich.panel import Panel
    from rich.text import Text

    from motiongen_bridge.handshake import redacted_url
    from motiongen_bridge.top_view import top_view

    state = stats.changes[-1][1] if stats.changes else "waiting for the first frame"
    late = [1e3 * seconds for seconds in list(stats.late)[-30:]]
    numbers = [
        f"{stats.rate:.0f} frames/s",
        f"first obeying frame {stats.latency}",
        f"late {sum(late) / len(late):.0f} ms" if late else "late ?",
        f"left out {stats.dropped}",
    ]
    lines = [
        state if connection.is_live else "the connection is lost, and made again …",
        " · ".join(numbers),
        f"walked {stats.walked:.2f} m · at x {stats.root[0]:+.2f} z {stats.root[2]:+.2f}",
        *top_view(stats.path),
    ]
    return Panel(Text("\n".join(lines), no_wrap=True), title=Text(redacted_url(connection.url)), width=96)
