"""Two servers behind nginx and behind HAProxy, with the configurations that ship."""

import asyncio
import json
import re
import shutil
import socket
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from websockets.exceptions import InvalidStatus

from motiongen_bridge.client import Connection
from tests.bridge.client_helpers import take
from tests.bridge.raw_client import client, get
from tests.bridge.serving import make_server

DEPLOY = Path(__file__).parents[2] / "bridge" / "deploy"
pytestmark = pytest.mark.slow


def nginx(folder, port):
    """Return the command of a proxy that listens on a port, and its configuration with the changes for that."""
    text = (DEPLOY / "nginx.conf").read_text()
    own = [f"{name}_temp_path {folder};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]
    text = text.replace("http {", "http {\n" + "\n".join(own), 1).replace(
        "listen 80;", f"listen 127.0.0.1:{port};"
    )
    text = text.replace("/var/log/nginx/motiongen.log", str(folder / "access.log"))
    options = f"daemon off; pid {folder}/pid; error_log {folder}/error.log;"
    return ["nginx", "-c", str(folder / "config"), "-g", options], text


def haproxy(folder, port):
    text = (DEPLOY / "haproxy.cfg").read_text().replace("bind :80", f"bind 127.0.0.1:{port}")
    return ["haproxy", "-f", str(folder / "config")], text


@asynccontextmanager
async def proxy(kind, folder, servers):
    """Run a proxy before servers; yields what has its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command, text = kind(folder, port)
    for number, server in enumerate(servers):
        text = re.sub(rf"\b127\.0\.0\.1:{8787 + number}\b", f"127.0.0.1:{server.port}", text)
    (folder / "config").write_text(text)
    process = await asyncio.create_subprocess_exec(*command)
    try:
        while True:
            assert process.returncode is None, "the proxy does not start"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
        yield SimpleNamespace(port=port, url=f"http://127.0.0.1:{port}/")
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def place_of_new(front):
    """Return the server that a new client comes to; None where it is refused."""
    try:
        async with client(front) as one:
            return one.hello["session"][:2]
    except InvalidStatus:
        return None


async def until_all_go_to(front, place):
    while [await place_of_new(front) for _ in range(4)] != [place] * 4:
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("kind", [nginx, haproxy])
def test_clients_come_back_through_a_proxy_and_a_server_drains(kind, model, tmp_path):
    if shutil.which(kind.__name__) is None:
        pytest.skip(f"{kind.__name__} is not installed")

    async def scenario():
        async with AsyncExitStack() as second, AsyncExitStack() as first:
            servers = [
                await stack.enter_async_context(make_server(model, place=place))
                for place, stack in enumerate((first, second))
            ]
            async with proxy(kind, tmp_path, servers) as front:
                status, _, body = await get(front, "/healthz", Connection="close")
                assert status == 200 and json.loads(body)["status"] == "ok"
                assert (await get(front, "/metrics", Connection="close"))[0] == 404
                page = f"http://127.0.0.1:{front.port}"  # its origin is the proxy's
                async with client(front, origin=page) as one, client(front) as two:
                    sessions = sorted([one.hello["session"], two.hello["session"]])
                    assert [session[:2] for session in sessions] == ["00", "01"]  # each has one
                    for each in (one, two):
                        key = (await each.ask("open", prompt="walk"))["key"]
                        await each.watch(5)
                        assert (await get(front, f"/motion/{key}.bvh", Connection="close"))[0] == 200
                        async with client(front, f"?at={key[:4]}") as watcher:
                            assert (await watcher.ask("watch", key=key))["type"] == "ok"
                await comes_back(front, servers)
                old = one if one.hello["session"] == sessions[0] else two
                async with client(front, f"?at={sessions[0][:4]}") as again:
                    answer = await again.ask("resume", session=old.hello["session"], last={"1": 0})
                    assert list(answer["characters"]) == ["1"]
                    servers[0].drain()
                    await until_all_go_to(front, "01")
                    assert len(await again.watch(5)) == 5
                    async with client(front, f"?at={sessions[0][:4]}") as later:
                        moved = await later.ask("resume", session=again.hello["session"], last={"1": 0})
                        assert list(moved["characters"]) == ["1"]
                        session = later.hello["session"]
                await first.aclose()  # lost for good: the others say so
                async with asyncio.timeout(10):
                    while True:
                        try:
                            async with client(front, f"?at={session[:4]}") as lost:
                                gone = await lost.ask("resume", session=session, last={})
                                break
                        except InvalidStatus:
                            await asyncio.sleep(0.1)
                assert gone["code"] == "gone"

    asyncio.run(asyncio.wait_for(scenario(), 60))


async def comes_back(front, servers):
    """The Python client finds its characters again by itself, and misses no frame."""
    for _ in servers:
        async with Connection(front.url) as connection:
            walker = await connection.open("walk")
            frames = await take(walker, 10)
            connection.drop()
            frames += await take(walker, 20)
            assert [frame.seq for frame in frames] == list(range(30))
