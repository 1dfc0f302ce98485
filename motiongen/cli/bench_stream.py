"""``motiongen bench-stream --sessions 128``: a load test of a streaming server."""

import asyncio
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import tyro

from motiongen.cli import UsageError, arguments, itself


@dataclass(frozen=True, kw_only=True)
class BenchConfig:
    """Load a server with characters that get a new prompt every few seconds, and print latencies and frame rates.

    Without a URL a server is started in a process of its own, and ended again.
    """

    url: Annotated[
        tyro.conf.Positional[str],
        tyro.conf.arg(name="URL", metavar="[URL]", help_behavior_hint="(default: one that is started)"),
    ] = ""
    """Server to load."""
    sessions: tuple[int, ...] = (1, 16, 64, 128)
    """Characters at once, one measurement each."""
    seconds: float = 20.0
    """Time of each measurement."""
    every: float = 4.0
    """Seconds between the prompts of one character, about."""
    token: Annotated[
        str, tyro.conf.arg(help_behavior_hint="(default: MOTIONGEN_TOKEN of the environment)")
    ] = ""
    """The server's secret."""
    weights: arguments.Weights = "open"
    """Weights of the server that is started."""
    device: arguments.Device = "auto"
    """Device of the server that is started."""
    workers: int = 1
    """Processes of the server that is started."""
    threads: int = 0
    """Threads of each; 0 lets it choose."""

    def __post_init__(self) -> None:
        if not self.sessions or min(self.sessions) < 1:
            raise UsageError(f"sessions: expected numbers from 1 on, got {self.sessions}")
        if not (self.seconds > 0 and self.every > 0):
            raise UsageError(f"seconds, every: expected more than 0, got {self.seconds} and {self.every}")


def main(argv: Sequence[str]) -> None:
    """Measure, and print a table.

    Args:
        argv: the words after the verb.
    """
    config = arguments.parse(BenchConfig, argv, "bench-stream")
    from motiongen_bridge import load_test

    print(load_test.HEADING)
    if config.url:
        _measure(config, config.url)
        return
    for sessions in config.sessions:  # a fresh server each, so that one crowd does not inherit another's
        with _server(config, sessions) as url:
            _measure(config, url, (sessions,))


def _measure(config: BenchConfig, url: str, sessions: Sequence[int] = ()) -> None:
    from motiongen_bridge.load_test import run_load_test

    token = config.token or os.environ.get("MOTIONGEN_TOKEN", "")
    for count in sessions or config.sessions:
        result = asyncio.run(run_load_test(url, count, config.seconds, token=token, every=config.every))
        print(result.row(count), flush=True)


@contextmanager
def _server(config: BenchConfig, sessions: int) -> Iterator[str]:
    """Run `motiongen serve` in a process of its own; its address comes on its first line."""
    options = [
        "--quiet",
        "--port",
        "0",
        "--max-sessions",
        str(sessions),
        "--weights",
        config.weights,
        "--device",
        config.device,
    ]
    options += ["--workers", str(config.workers)] if config.workers > 1 else []
    options += ["--threads", str(config.threads)] if config.threads else []
    command = [*itself.command(), "serve", *options]
    # A command line can be read by every user of the machine, an environment cannot.
    environment = os.environ | ({"MOTIONGEN_TOKEN": config.token} if config.token else {})
    # Warnings go to this command's own stderr.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not re.match(r"http://", url):
            raise ValueError("server: expected it to start; see what it said above")
        try:
            yield url
        finally:
            process.terminate()
