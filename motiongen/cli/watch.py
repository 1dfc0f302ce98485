"""``motiongen watch [URL] PROMPT``: one character of a server in the terminal, and in files."""

import asyncio
import contextlib
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from motiongen.cli import UsageError, arguments

if TYPE_CHECKING:
    from rich.console import RenderableType

    from motiongen_bridge.client import Connection, RemoteCharacter
    from motiongen_bridge.stream_stats import StreamStats

RECORDED = 10.0
"""Seconds of a recording, unless told otherwise."""
SILENCE = 45.0
"""Seconds without a frame after which none is waited for; a connection that drops may be back after 30."""
PAUSE = 0.2
"""Seconds between two sentences that are queued: a server refuses a flood of them."""
ADDRESS = re.compile(r"(wss?|https?):\S*|(\[[0-9a-fA-F:.]+\]|[\w.-]+):\d+(/\S*)?")
"""What is taken for a server's address, and not for a prompt."""


@dataclass(frozen=True, kw_only=True)
class WatchConfig:
    """Let a character of a server obey a sentence, show how its stream comes, and record it if files are asked for.

    URL is that of the page or of the socket; without one it is motiongen serve on this machine. Ctrl-C ends it.
    """

    words: Annotated[
        tyro.conf.Positional[tuple[str, ...]],
        tyro.conf.arg(name="PROMPT", metavar="[URL] PROMPT", help_behavior_hint="(required)"),
    ]
    """What happens, one sentence."""
    then: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="PROMPT")] = ()
    """What happens when that has ended; may be given several times."""
    seconds: Annotated[
        float | None,
        tyro.conf.arg(metavar="S", help_behavior_hint="(default: until Ctrl-C; 10 with -o)"),
    ] = None
    """Length of what is watched and recorded."""
    token: Annotated[
        str, tyro.conf.arg(help_behavior_hint="(default: MOTIONGEN_TOKEN of the environment)")
    ] = ""
    """Secret that the server wants."""
    output: arguments.Outputs = ()
    """File to record to; may be given several times."""

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds <= 3600:
            raise UsageError(f"seconds: expected 0 < S <= 3600, got {self.seconds}; or leave it out")


def main(argv: Sequence[str]) -> None:
    """Watch, print a summary, write what was recorded."""
    config = arguments.parse(WatchConfig, argv, "watch")
    url, prompts = split(config.words)
    said = (*prompts, *config.then)
    arguments.check_prompts(said)
    if config.output:
        arguments.check_outputs(config.output, arguments.known_outputs())
    from motiongen_bridge.client import URL, Connection
    from motiongen_bridge.stream_stats import StreamStats

    try:
        connection = Connection(url or URL, config.token or os.environ.get("MOTIONGEN_TOKEN"))
    except ValueError as error:
        raise UsageError(str(error)) from None
    seconds = config.seconds or (RECORDED if config.output else None)
    stats, failure = StreamStats(said), None
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
    _write(stats, config.output, seconds)
    if failure is not None:
        raise failure


def split(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the address, empty where none is given, and the prompt.

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
    """Read frames for so many seconds of motion, or until cancelled.

    Raises:
        ConnectionError: there is no server, or the stream ended too soon.
        VerbRefused: the server does not want to do what was said.
    """
    async with connection:
        if records:
            from motiongen_bridge.frame_recorder import FrameRecorder

            stats.recorder = FrameRecorder(connection.hello)
        stats.start(connection.hello)
        character = await connection.open(stats.said[0])
        speaking = [asyncio.create_task(_queue(character, n, text)) for n, text in enumerate(stats.said[1:])]
        drawing = asyncio.create_task(_draw(connection, stats))
        try:
            await _read(connection, character, stats, seconds, speaking)
        finally:
            stats.unbegun = sum(not task.done() for task in speaking)
            for task in (*speaking, drawing):
                task.cancel()
            await asyncio.gather(*speaking, drawing, return_exceptions=True)


async def _read(
    connection: "Connection",
    character: "RemoteCharacter",
    stats: "StreamStats",
    seconds: float | None,
    speaking: Sequence["asyncio.Task[None]"],
) -> None:
    from motiongen_bridge.handshake import redacted_url

    count = math.inf if seconds is None else max(1, round(seconds * stats.fps))
    try:
        async with asyncio.timeout(SILENCE) as silence:
            async for frame in character:
                silence.reschedule(asyncio.get_running_loop().time() + SILENCE)
                late = connection.clock.now() - frame.time / 1e6 if connection.clock.round_trip else None
                stats.add(frame, character.events, late)
                for task in speaking:
                    if task.done():
                        task.result()  # raises what it was refused with
                if stats.frames + stats.dropped >= count:
                    return
    except TimeoutError:
        raise ConnectionError(f"{redacted_url(connection.url)}: no frame came for {SILENCE:.0f} s") from None
    raise ConnectionError(f"{redacted_url(connection.url)}: the server ended the stream")


async def _queue(character: "RemoteCharacter", place: int, text: str) -> None:
    await asyncio.sleep(PAUSE * place)
    with contextlib.suppress(ConnectionError):  # if it is lost for good, the frames end too
        await character.then(text)


def _write(stats: "StreamStats", outputs: Sequence[Path], seconds: float | None) -> None:
    """Write what was recorded, if anything was to be."""
    if stats.recorder is None:
        return
    count = None if seconds is None else max(1, round(seconds * stats.fps))
    motion = stats.recorder.motion()[:count]
    captions = [caption for caption in stats.captions() if caption[0] < motion.seconds]
    for path in outputs:
        arguments.write(motion, path, captions, None, None)
    arguments.report(outputs)


async def _draw(connection: "Connection", stats: "StreamStats") -> None:
    """Show on stderr what comes, while it is a terminal."""
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
    from motiongen_bridge.stream_stats import top_view

    state = stats.changes[-1][1] if stats.changes else "waiting for the first frame"
    late = [1e3 * seconds for seconds in list(stats.late)[-30:]]
    numbers = [
        f"{stats.rate:.0f} frames/s",
        f"first obeying frame {stats.answer}",
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
