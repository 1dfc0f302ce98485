"""What a server of one process and of several does for its characters: frames, lateness, and processor time a frame.

python benchmarks/workers.py [--weights full] [--workers 1 2] [--sessions 32 64] [--seconds 10] [--nginx]

Processor time is that of all processes of the server. With --nginx clients come through nginx with
bridge/deploy/nginx.conf, whose time is told too.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import numpy as np
from serving import serving

from motiongen_bridge.load_test import SETTLE, run_load_test

CONFIG = Path(__file__).parents[1] / "bridge" / "deploy" / "nginx.conf"
FPS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="full")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--sessions", type=int, nargs="+", default=[32, 64])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--nginx", action="store_true")
    args = parser.parse_args()
    print(
        "| processes | characters | frames/s each | late p50, ms | p99 | server, ms a frame | characters a core |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for sessions in args.sessions:
        for workers in args.workers:
            options = ("--weights", args.weights, "--workers", str(workers), "--max-sessions", str(sessions))
            with serving(*options) as served, contextlib.ExitStack() as stack:
                proxy = stack.enter_context(nginx(served.url)) if args.nginx else None
                asyncio.run(measure(served, workers, sessions, args.seconds, proxy))


async def measure(served, workers: int, sessions: int, seconds: float, proxy: tuple[str, int] | None) -> None:
    """Load a server, and print a row; and a line on the proxy."""
    url = served.url if proxy is None else proxy[0]
    load = asyncio.create_task(run_load_test(url, sessions, seconds))
    await asyncio.sleep(SETTLE + 0.02 * sessions)
    # Its clients are in this process: what it asks the server meanwhile would keep them.
    first = await asyncio.to_thread(snapshot, served, proxy)
    await asyncio.sleep(seconds - 1)
    last = await asyncio.to_thread(snapshot, served, proxy)
    result = await load
    server, proxied, frames = (after - before for before, after in zip(first, last, strict=True))
    late = np.quantile(np.array(result.late) * 1e3, [0.5, 0.99])
    rate = len(result.late) / seconds / sessions
    print(
        f"| {workers} | {sessions} | {rate:.1f} | {late[0]:.0f} | {late[1]:.0f} | {1e3 * server / frames:.3f} "
        f"| {frames / server / FPS:.0f} |",
        flush=True,
    )
    if proxy is not None:
        print(
            f"nginx: {1e6 * proxied / frames:.1f} µs a frame, {frames / proxied / FPS:.0f} characters a core",
            flush=True,
        )


def snapshot(served, proxy: tuple[str, int] | None) -> tuple[float, float, float]:
    """Return the CPU seconds of a server and of its proxy so far, and its frames."""
    with urlopen(f"{served.url}metrics") as answer:
        lines = answer.read().decode().splitlines()
    frames = next(float(line.split()[1]) for line in lines if line.startswith("motiongen_frames_sent_total"))
    return cpu_seconds(served.process.pid), 0.0 if proxy is None else cpu_seconds(proxy[1]), frames


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and those that it has started (Linux only)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(int(child)) for child in children)


@contextlib.contextmanager
def nginx(url: str) -> Iterator[tuple[str, int]]:
    """Run nginx before a server; yields its address and its process."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        text = CONFIG.read_text().replace("listen 80;", f"listen 127.0.0.1:{port};")
        text = text.replace("127.0.0.1:8787", url.removeprefix("http://").strip("/"))
        text = text.replace("127.0.0.1:8788", "127.0.0.1:9").replace(
            "/var/log/nginx/motiongen.log", f"{folder}/log"
        )
        (Path(folder) / "config").write_text(text)
        Path(folder).chmod(0o755)
        options = f"daemon off; pid {folder}/pid; error_log {folder}/errors;"
        process = subprocess.Popen(["nginx", "-c", f"{folder}/config", "-g", options])
        time.sleep(1)
        try:
            yield f"http://127.0.0.1:{port}/", process.pid
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
