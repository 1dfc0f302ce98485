"""Server process for the other benchmarks; run as a script, it is that process."""

import argparse
import asyncio
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen


@dataclass(frozen=True)
class Served:
    """A running server."""

    url: str
    process: subprocess.Popen

    def lives(self) -> bool:
        """Return whether the server responds."""
        try:
            with urlopen(f"{self.url}healthz", timeout=5) as answer:
                return self.process.poll() is None and answer.status == 200
        except OSError:
            return False

    def cpu_seconds(self) -> float:
        """Return the CPU time of the process, seconds (Linux only)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def raise_open_files() -> int:
    """Raise the limit of open files of this process and its children, and return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


@contextmanager
def serving(
    *options: str, command: tuple[str, ...] = ("-m", "motiongen", "serve", "--quiet")
) -> Iterator[Served]:
    """Run `motiongen serve`, or another command that prints its address on the first line."""
    whole = [sys.executable, *command, "--port", "0", *options]
    with subprocess.Popen(whole, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url.startswith("http://"):
            raise SystemExit("server: expected it to start; see what it said above")
        try:
            yield Served(url, process)
        finally:
            process.terminate()


def main() -> None:
    """Serve at a speed other than real time, which `motiongen serve` does not offer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    import torch

    from motiongen import load
    from motiongen.streaming.scheduler import StreamScheduler
    from motiongen_bridge.server import Server, ServerConfig

    torch.set_num_threads(1)
    scheduler = StreamScheduler(load("mogo", args.weights, "cpu"))

    async def serve() -> None:
        async with Server(scheduler, ServerConfig(port=args.port, speed=args.speed)) as server:
            print(server.url, flush=True)
            await server.wait_closed()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
