"""HTTP of the server: which requests become websockets, health, metrics, and the viewer's files."""

import asyncio
import json
import time

import pytest
from websockets.exceptions import InvalidStatus

from motiongen_bridge import handshake_policy, pages
from motiongen_bridge.http_method import HTTPMethod, first_method
from motiongen_bridge.server import ServerConfig
from tests.bridge.raw_client import client, get
from tests.bridge.serving import play

TOKEN = "a long secret"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:{port}", 101),
        ("https://friend.example", 101),
        ("https://evil.example", 403),
        ("http://127.0.0.1:1", 403),
        ("http://127.0.0.1:{port}.evil.example", 403),
        ("null", 403),
        ("http://[", 403),
        ("HTTP://127.0.0.1:{port}", 101),
        ("https://127.0.0.1:{port}", 101),
        ("ftp://127.0.0.1:{port}", 403),
        ("//127.0.0.1:{port}", 403),
        ("chrome-extension://127.0.0.1:{port}", 403),
        ("http://127.0.0.1:{port}/page", 403),
        ("http://127.0.0.1:{port}?page", 403),
        ("http://user@127.0.0.1:{port}", 403),
        ("", 403),
    ],
)
def test_only_the_servers_page_and_allowed_origins_connect(model, origin, status):
    async def scenario(server):
        got = 101
        try:
            async with client(server, origin=origin.format(port=server.port)):
                pass
        except InvalidStatus as error:
            got = error.response.status_code
        assert got == status

    play(scenario, model, origins=("https://friend.example",))


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:{port}", 200), ("[::1]:{port}", 200), ("127.0.0.1", 200), ("evil.example", 403),
        ("127.0.0.1.evil.example:{port}", 403), ("", 403), ("[", 400), ("192.168.0.2", 403),
        ("evil.example@localhost", 400), ("user:word@127.0.0.1:{port}", 400), ("localhost/evil.example", 400),
        ("localhost?evil.example", 400), ("localhost#evil.example", 400), ("localhost:port", 400),
        ("localhost:123456", 400), ("127.0.0.1, evil.example", 400), ("LOCALHOST:{port}", 200), ("localhost.", 403),
    ],
)  # fmt: skip
def test_a_name_that_was_pointed_here_is_not_served_without_a_token(model, host, status):
    async def scenario(server):
        assert (await get(server, "/healthz", Host=host.format(port=server.port)))[0] == status
        forwarded = {"X-Forwarded-Host": "localhost", "X-Forwarded-For": "127.0.0.1"}
        assert (await get(server, "/healthz", Host=host.format(port=server.port), **forwarded))[0] == status

    play(scenario, model)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.2", "example.org", ""])
def test_any_address_but_this_machine_needs_a_token(host):
    with pytest.raises(ValueError, match="token: expected one"):
        ServerConfig(host=host)
    with pytest.raises(ValueError, match="token: expected 8 characters or more"):
        ServerConfig(host=host, token="short")
    assert ServerConfig(host=host, token=TOKEN).token == TOKEN


def test_the_token_is_asked_for_at_the_stream_and_the_metrics(model, monkeypatch):
    monkeypatch.setattr(handshake_policy, "WRONG_TOKEN_SECONDS", 0.0)

    async def scenario(server):
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        for path in ("/ws", "/metrics", "/ws?token=", "/ws?token=another+secret", "/metrics?token=a+long"):
            assert (await get(server, path, **upgrade))[0] == 401, path
        for given in ("Bearer another", "Bearer ", "Basic a long secret", "Bearer \xff"):
            assert (await get(server, "/metrics", Authorization=given))[0] == 401, given
        assert (await get(server, "/metrics", Authorization=f"Bearer {TOKEN}"))[0] == 200
        assert (await get(server, "/metrics?token=a+long+secret"))[0] == 200
        assert (await get(server, "/healthz", Host="motion.example"))[0] == 200
        async with client(server, query="?token=a%20long%20secret") as one:
            assert one.hello["type"] == "hello"
        async with client(server, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as one:
            assert one.hello["type"] == "hello"

    play(scenario, model, token=TOKEN)


def test_a_wrong_token_waits_and_is_counted_and_others_do_not_wait(model, monkeypatch):
    monkeypatch.setattr(handshake_policy, "WRONG_TOKEN_SECONDS", 0.5)

    async def scenario(server):
        wrong = asyncio.create_task(get(server, "/metrics?token=a+wrong+secret"))
        began = time.monotonic()
        assert (await get(server, "/metrics"))[0] == 401  # none is not a guess
        _, _, text = await get(server, f"/metrics?token={TOKEN.replace(' ', '+')}")
        assert time.monotonic() - began < 0.4 and not wrong.done()
        assert (await wrong)[0] == 401 and time.monotonic() - began >= 0.5
        assert b"motiongen_wrong_tokens_total 1.0" in text

    play(scenario, model, token=TOKEN)


def test_head_answers_as_get_without_the_content(model):
    async def scenario(server):
        for path in ("/", "/healthz", "/nothing", "/metrics"):
            status, head, body = await get(server, path)
            got = await get(server, path, "HEAD")
            assert got[0] == status and got[2] == b""
            if path != "/metrics":  # whose numbers change
                assert got[1] == head and f"Content-Length: {len(body)}" in head

    play(scenario, model)


def test_other_methods_are_not_allowed(model):
    async def scenario(server):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"):
            for path in ("/", "/ws", "/healthz"):
                status, head, body = await get(server, path, method, **{"Content-Length": "5"})
                assert (status, body) == (405, b"Expected GET or HEAD.\n") and "Allow: GET, HEAD" in head
        assert (await get(server, "/ws", "HEAD"))[0] == 405

    play(scenario, model)


def test_a_method_may_come_in_parts():
    request = b"HEAD / HTTP/1.1\r\n"
    assert [first_method(request[:n])[0] for n in range(5)] == [None] * 5
    assert first_method(request) == (HTTPMethod.HEAD, b"GET / HTTP/1.1\r\n")
    assert first_method(b"GET / HTTP/1.1\r\n") == (HTTPMethod.GET, b"GET / HTTP/1.1\r\n")
    assert first_method(b"POST ") == (HTTPMethod.OTHER, b"")
    noise = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00\x00\x00"  # a TLS client
    assert first_method(noise) == (HTTPMethod.GET, noise)


def test_health_and_metrics_tell_what_goes_on(model):
    async def scenario(server):
        async with client(server) as one:
            await one.ask("open", prompt="walk")
            await one.ask("prompt", character=1, text="bow")
            await one.watch(20)
            await one.send("{")
            status, _, body = await get(server, "/healthz")
            assert status == 200 and json.loads(body)["characters"] == 1
            _, head, text = await get(server, "/metrics")
        numbers = dict(line.rsplit(" ", 1) for line in text.decode().splitlines() if line[0] != "#")
        value = {name.removeprefix("motiongen_"): float(number) for name, number in numbers.items()}
        assert value["sessions"] == value["characters"] == value["connections"] == 1
        assert value["frames_sent_total"] >= 20 and value["frames_dropped_total"] == 0
        assert value["sent_bytes_total"] >= 20 * (24 + 12 + 22 * 16)
        assert value["step_seconds_count"] == value["batch_size_count"] > 0 < value["step_seconds_sum"]
        assert value["first_frame_seconds_count"] == 1 and value['refused_total{code="bad_json"}'] == 1
        assert "text/plain; version=0.0.4" in head

    play(scenario, model)


PATHS = [
    "/../../../../etc/passwd", "/..%2f..%2f..%2fetc/passwd", "/%2e%2e/server.py", "/assets/../../server.py",
    "/..\\server.py", "//etc/passwd", "/./../pages.py", "/assets/%00", "/index.html/", "/%ff%fe", "/ws/", "/nothing",
]  # fmt: skip


def test_no_path_leads_out_of_the_viewers_folder(model):
    async def scenario(server):
        for path in PATHS:
            status, _, body = await get(server, path)
            assert (status, body) == (404, b"There is nothing here.\n"), path
        assert (await get(server, "//["))[0] == 400

    play(scenario, model)


def test_pages_may_not_be_framed_or_load_from_elsewhere(model):
    async def scenario(server):
        _, head, _ = await get(server, "/")
        assert "frame-ancestors 'none'" in head and "default-src 'self'" in head and "nosniff" in head

    play(scenario, model)


def test_without_a_viewer_the_page_says_how_to_get_one(model, tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "VIEWER", tmp_path / "not built")

    async def scenario(server):
        status, head, body = await get(server, "/")
        assert status == 200 and "text/html" in head and b"npm run build" in body

    play(scenario, model)
