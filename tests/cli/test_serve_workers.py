"""`motiongen serve --workers 2`: real processes on one port, which end together and are started again alone."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from urllib.request import urlopen

import pytest

from tests.bridge.raw_client import client
from tests.core.inference.tiny import save_tiny

pytestmark = pytest.mark.slow


@contextmanager
def running(weights, *options):
    """Run the command; yields its process, with its port."""
    words = [sys.executable, "-m", "motiongen", "serve", "--quiet", "--port", "0", "--weights", str(weights)]
    with subprocess.Popen(
        [*words, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            url = process.stdout.readline().strip()
            assert url.startswith("http://"), process.stderr.read()
            yield SimpleNamespace(process=process, url=url, port=int(url.rsplit(":", 1)[1].strip("/")))
        finally:
            process.kill()


def children(pid):
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(word) for word in found.stdout.split()]


def health(server):
    with urlopen(f"{server.url}healthz") as answer:
        return json.loads(answer.read())


def metric(server, name):
    with urlopen(f"{server.url}metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split()[0] == name)


def wait_for(claim):
    for _ in range(600):
        if claim():
            return
        time.sleep(0.1)
    raise AssertionError("it never came to be")


def test_one_that_dies_is_started_again_and_the_others_clients_notice_nothing(tmp_path):
    async def scenario(server):
        async with client(server, "?at=0000") as one, client(server, "?at=0001") as two:
            for each in (one, two):
                assert (await each.ask("open", prompt="walk"))["type"] == "ok"
                await each.watch(5)
            assert metric(server, "motiongen_characters") == 2
            sent = metric(server, "motiongen_frames_sent_total")
            assert sent >= 10 and health(server)["characters"] == 2
            os.kill(children(server.process.pid)[1], signal.SIGKILL)
            assert await two.closed() == (1006, "")
            frames = await one.watch(30)
            assert [frame[6] for frame in frames] == list(range(frames[0][6], frames[0][6] + 30))
            async with client(server) as again:  # until then the others serve alone
                gone = await again.ask("resume", session=two.hello["session"], last={})
                assert gone["code"] == "gone"
            await asyncio.to_thread(
                wait_for, lambda: [one["status"] for one in health(server)["workers"]] == ["ok", "ok"]
            )
            assert metric(server, "motiongen_characters") == 1
            assert metric(server, "motiongen_frames_sent_total") > sent  # nothing that was counted is lost
            async with client(server, "?at=0001") as again:
                assert again.hello["session"][:4] == "0001"

    with running(save_tiny(tmp_path), "--workers", "2") as server:
        asyncio.run(scenario(server))
        workers = children(server.process.pid)
        assert len(workers) == 2
        assert "libtorch" not in Path(f"/proc/{server.process.pid}/maps").read_text()  # it serves nobody
        server.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: b"503" in head(server))
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(20) == 0
        log = server.process.stderr.read().splitlines()
        assert [line for line in log if "restarting" in line] == ["event=restarting worker=1 code=-9"]
        assert not any(is_there(pid) for pid in workers)


def test_all_end_with_the_one_that_started_them_and_leave_nothing(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    with running(save_tiny(tmp_path), "--workers", "2") as server:
        workers = children(server.process.pid)
        assert list(folder.glob("motiongen-*"))
        server.process.kill()
        server.process.wait(20)
        wait_for(lambda: not any(is_there(pid) for pid in workers))
        assert not list(folder.glob("motiongen-*"))


def test_what_is_wrong_with_the_weights_is_said_once(tmp_path):
    weights = save_tiny(tmp_path)
    (weights / "mogo" / "model.safetensors").write_bytes(b"")
    words = [
        sys.executable,
        "-m",
        "motiongen",
        "serve",
        "--port",
        "0",
        "--weights",
        str(weights),
        "--workers",
        "2",
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("model.safetensors") == 1 and len(done.stderr.splitlines()) == 1


def head(server):
    """The first line of /healthz's answer."""
    with socket.create_connection(("127.0.0.1", server.port)) as one:
        one.sendall(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        return one.recv(100).split(b"\r\n")[0]


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:  # one that nobody has waited for is not there
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"
