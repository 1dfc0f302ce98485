"""The server over loopback sockets, as clients see it that speak raw websockets and raw HTTP."""

import asyncio
import json
import socket
import struct
import time
from contextlib import asynccontextmanager, suppress
from itertools import count

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from motiongen import load
from motiongen.streaming.scheduler import StreamScheduler
from motiongen_bridge import pages
from motiongen_bridge.frames import GAP, HEADER
from motiongen_bridge.limits import ServerLimits
from motiongen_bridge.server import Server, ServerConfig
from tests.bridge.serving import make_server, play
from tests.core.inference.tiny import save_tiny

TOKEN = "a long secret"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load("mogo", save_tiny(tmp_path_factory.mktemp("weights")), "cpu")


class Client:
    """A raw websocket; frames that come while an answer is waited for are kept."""

    def __init__(self, socket):
        self.socket, self.frames, self.events, self._ids = socket, [], [], count(1)

    async def hear(self):
        """Take in one message; return it where it is an answer."""
        data = await self.socket.recv()
        if isinstance(data, bytes):
            self.frames.append((*HEADER.unpack_from(data), data[HEADER.size :]))
            return None
        message = json.loads(data)
        if message["type"] == "event":
            self.events.append(message)
            return None
        return message

    async def send(self, data):
        """Send anything, and return the answer that comes next."""
        await self.socket.send(data)
        while (answer := await self.hear()) is None:
            pass
        return answer

    async def ask(self, kind, **content):
        """Send a message with an id, and return its answer."""
        return await self.send(json.dumps({"type": kind, "id": next(self._ids), **content}))

    async def watch(self, frames):
        """Return so many frames more: (kind, format, flags, contacts, character, joints, seq, obeys, time, body)."""
        before = len(self.frames)
        while len(self.frames) < before + frames:
            await self.hear()
        return self.frames[before:]

    async def closed(self):
        """Read on until the end; return its code and reason."""
        with suppress(ConnectionClosed):
            while True:
                await self.hear()
        return self.socket.close_code, self.socket.close_reason


@asynccontextmanager
async def client(server, query="", **options):
    url = f"ws://127.0.0.1:{server.port}/ws{query}"
    async with connect(url, compression=None, close_timeout=0.2, **options) as socket:
        one = Client(socket)
        one.hello = await one.hear()
        yield one


async def get(server, path, **headers):
    """Return the status, head and body of a raw GET, whatever the path."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    lines = {"Host": f"127.0.0.1:{server.port}"} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1"))
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1]), head.decode("latin-1"), body


def seqs(frames):
    return [frame[6] for frame in frames]


async def eventually(claim):
    while not claim():
        await asyncio.sleep(0.01)


def test_hello_says_what_a_client_needs_to_know(model):
    async def scenario(server):
        async with client(server, subprotocols=["motiongen.v1"]) as one:
            hello = one.hello
            assert one.socket.subprotocol == "motiongen.v1"
        assert (hello["type"], hello["version"], hello["fps"]) == ("hello", 1, 30.0)
        skeleton = hello["skeleton"]
        assert len(skeleton["names"]) == len(skeleton["parents"]) == len(skeleton["offsets"]) == 22
        assert skeleton["parents"][0] == -1 and skeleton["root"] == skeleton["names"][0]
        assert len(hello["session"]) == 32 and len(hello["contacts"]) == 4 and hello["resume_seconds"] == 30
        assert "prompt" in hello["verbs"] and hello["formats"] == ["f32", "i16", "json"]
        assert hello["limits"]["text_length"] == 500 and hello["time"] >= 0

    play(scenario, model)


def test_a_character_is_opened_seen_and_closed(model):
    async def scenario(server):
        async with client(server) as one:
            opened = await one.ask("open", prompt="walk", seed=3)
            assert opened["type"] == "ok" and opened["character"] == 1 and len(opened["key"]) == 32
            assert seqs(await one.watch(5)) == [0, 1, 2, 3, 4]
            assert (await one.ask("close", character=1)) == {"type": "ok", "id": 2}
            assert not server.broadcaster.characters
            assert (await one.ask("prompt", character=1, text="bow"))["code"] == "unknown_character"

    play(scenario, model)


def test_watchers_see_the_owners_frames_and_its_end(model):
    async def scenario(server):
        async with client(server) as owner, client(server) as watcher:
            key = (await owner.ask("open", prompt="walk"))["key"]
            assert (await watcher.ask("watch", key=key))["character"] == 1
            seen, shown = await watcher.watch(5), {frame[6]: frame[9] for frame in await owner.watch(30)}
            assert all(shown[frame[6]] == frame[9] for frame in seen)
            assert (await watcher.ask("prompt", character=1, text="bow"))["code"] == "read_only"
            await owner.ask("close", character=1)
            await eventually(lambda: not server.broadcaster.characters)
            while not watcher.events:
                await watcher.hear()
            assert watcher.events[-1]["event"] == "closed"

    play(scenario, model)


def test_closed_characters_take_no_room_from_those_who_watched_them(model):
    async def scenario(server):
        async with client(server) as owner, client(server) as watcher:
            for _ in range(2):
                opened = await owner.ask("open")
                assert (await watcher.ask("watch", key=opened["key"]))["type"] == "ok"
                await owner.ask("close", character=opened["character"])

    play(scenario, model, limits=ServerLimits(characters_per_connection=1))


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\x01\x02", "bad_message"),
        ("{", "bad_json"),
        ("[1]", "bad_message"),
        ('{"type": "fly"}', "unknown_type"),
        ('{"type": "open", "seed": -1}', "bad_value"),
        ('{"type": "watch", "key": "00000000000000000000000000000000"}', "unknown_character"),
        ('{"type": "watch", "key": "../../etc/passwd"}', "bad_value"),
        ('{"type": "hold", "character": 9}', "unknown_character"),
        ('{"type": "resume", "session": "00000000000000000000000000000000", "last": {}}', "gone"),
        (json.dumps({"type": "open", "prompt": "x" * 501}), "too_long"),
        (json.dumps({"type": "open", "prompt": "x" * 20000}), "too_long"),
    ],
)
def test_nonsense_is_answered_and_the_connection_goes_on(model, message, code):
    async def scenario(server):
        async with client(server) as one:
            answer = await one.send(message)
            assert (answer["type"], answer["code"]) == ("error", code) and "Traceback" not in answer[
                "message"
            ]
            assert (await one.ask("ping", time=1.5))["time"] == 1.5

    play(scenario, model)


def test_a_message_of_megabytes_ends_the_connection(model):
    async def scenario(server):
        async with client(server) as one, client(server) as other:
            await one.socket.send("x" * 2**21)
            assert (await one.closed())[0] == 1009
            assert (await other.ask("ping", time=0))["type"] == "pong"

    play(scenario, model)


def test_characters_are_limited_by_connection_and_in_all(model):
    async def scenario(server):
        async with client(server) as one, client(server) as two:
            for _ in range(2):
                assert (await one.ask("open"))["type"] == "ok"
            assert (await one.ask("open"))["message"].startswith("expected at most 2 characters a connection")
            assert (await two.ask("open"))["type"] == "ok"
            assert (await two.ask("open"))["code"] == "full"

    play(scenario, model, max_characters=3, limits=ServerLimits(characters_per_connection=2))


def test_more_messages_than_allowed_are_refused_for_haste(model):
    async def scenario(server):
        async with client(server) as one:
            codes = [(await one.ask("ping", time=n)).get("code") for n in range(6)]
            assert codes[:4] == [None] * 4 and "too_fast" in codes[4:]
            await asyncio.sleep(0.2)
            assert (await one.ask("ping", time=0))["type"] == "pong"

    play(scenario, model, limits=ServerLimits(messages_per_second=10, message_burst=4))


def test_a_prompt_counts_as_several_messages(model):
    async def scenario(server):
        async with client(server) as one:
            await one.ask("open")
            said = [await one.ask("prompt", character=1, text=f"walk {n}") for n in range(4)]
            assert [answer.get("code") for answer in said[:2]] == [None, None]
            assert "too_fast" in [answer.get("code") for answer in said]
            assert all("id" in answer for answer in said)

    limits = ServerLimits(messages_per_second=0.5, message_burst=17, model_messages=5)
    play(scenario, model, limits=limits)


def test_who_floods_on_is_hung_up_on(model):
    async def scenario(server):
        async with client(server) as one:
            await one.ask("open")
            with suppress(ConnectionClosed):
                while True:
                    await one.ask("ping", time=0)
            assert (one.socket.close_code, one.socket.close_reason) == (1008, "too fast")
            while server.broadcaster.characters:  # the character of one who was expelled is not kept
                await asyncio.sleep(0.01)

    play(scenario, model, limits=ServerLimits(messages_per_second=20, message_burst=10, flood_seconds=0.3))


@pytest.mark.slow
@pytest.mark.parametrize(
    "flood", [b"\x89\x80abcd" * 5000, b"\x01\x80abcd" + b"\x00\x80abcd" * 5000], ids=["pings", "fragments"]
)
def test_tiny_frames_are_cut_off_soon(model, flood):
    async def scenario(server):
        async with client(server) as one, client(server) as other:
            one.socket.transport.write(flood)
            began = time.monotonic()
            assert (await other.ask("ping", time=0))["type"] == "pong"
            assert time.monotonic() - began < 0.5
            assert await one.closed() == (1008, "too fast")

    play(scenario, model)


def test_a_dropped_connection_gets_the_frames_that_it_missed(model):
    async def scenario(server):
        async with client(server) as one, client(server) as twin:
            await one.ask("open", prompt="walk", seed=5)
            await twin.ask("open", prompt="walk", seed=5)
            seen, session = await one.watch(10), one.hello["session"]
            one.socket.transport.abort()
            async with client(server) as again:
                last = seen[6][6]  # frames 7.. were sent, and got lost
                answer = await again.ask("resume", session=session, last={"1": last})
                assert answer["characters"] == {"1": {"from": last + 1}}
                seen = seen[:7] + await again.watch(30)
            whole = await twin.watch(37)
        assert seqs(seen) == seqs(whole) == list(range(37))
        assert [frame[9] for frame in seen] == [frame[9] for frame in whole]
        assert not any(frame[2] & GAP for frame in seen)

    play(scenario, model, speed=4.0)


def test_a_long_past_is_resumed_in_order_while_others_watch(model):
    async def scenario(server):
        async with client(server) as one, client(server) as watcher:
            key = (await one.ask("open", prompt="walk", format="json"))["key"]
            await watcher.ask("watch", key=key)
            await watcher.watch(200)
            one.socket.transport.abort()
            reads = asyncio.create_task(watcher.closed())  # the character goes on meanwhile
            async with client(server) as again:
                await again.socket.send(
                    json.dumps({"type": "resume", "session": one.hello["session"], "last": {}})
                )
                frames = [json.loads(await again.socket.recv()) for _ in range(300)]
            reads.cancel()
        assert [frame["seq"] for frame in frames] == list(range(300))
        times = [frame["time"] for frame in frames]
        assert times == sorted(times)

    play(scenario, model, speed=8.0)


def test_a_resume_takes_over_a_connection_that_is_only_half_lost(model):
    async def scenario(server):
        async with client(server) as old, client(server) as new:
            await old.ask("open")
            answer = await new.ask("resume", session=old.hello["session"], last={"1": -1})
            assert answer["type"] == "ok" and seqs(await new.watch(3)) == [0, 1, 2]
            assert await old.closed() == (1000, "resumed elsewhere")
            again = await new.ask("resume", session=new.hello["session"], last={})
            assert again["code"] == "gone"

    play(scenario, model)


def test_what_is_said_after_a_take_over_opens_nothing(model):
    async def scenario(server):
        async with client(server) as old, client(server) as new:
            await old.ask("open")
            for _ in range(5):  # what was read before the resume and is looked at after it
                await old.socket.send(json.dumps({"type": "open"}))
            await new.ask("resume", session=old.hello["session"], last={})
            await old.closed()
        await eventually(lambda: not server._connections)
        assert server.metrics.sessions._value.get() == 1

    play(scenario, model)


def test_a_lost_connections_characters_are_kept_and_then_gone(model):
    async def scenario(server):
        async with client(server) as one:
            await one.ask("open")
            one.socket.transport.abort()
        await eventually(lambda: not server._connections)
        assert len(server.broadcaster.characters) == 1
        await eventually(lambda: not server.broadcaster.characters)  # 30 s at that speed
        async with client(server) as again:
            answer = await again.ask("resume", session=one.hello["session"], last={})
            assert answer["code"] == "gone"

    play(scenario, model, speed=100.0)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:{port}", 101),
        ("https://friend.example", 101),
        ("https://evil.example", 403),
        ("http://127.0.0.1:1", 403),
        ("http://127.0.0.1:{port}.evil.example", 403),
        ("null", 403),
        ("http://[", 400),
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


def test_the_token_is_asked_for_at_the_stream_and_the_metrics(model):
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


@pytest.mark.slow
def test_a_stalled_client_misses_frames_and_knows_it_and_others_miss_none(model):
    async def scenario(server):
        small = socket.create_connection(("127.0.0.1", server.port))
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with client(server, sock=small, max_queue=1) as slow, client(server) as quick:
            key = (await slow.ask("open", prompt="walk"))["key"]
            await quick.ask("watch", key=key)
            slow.socket.transport.pause_reading()
            dropped = server.metrics.dropped._value
            while not dropped.get() > 50:
                await quick.watch(10)
            slow.socket.transport.resume_reading()
            while not any(frame[2] & GAP for frame in slow.frames):
                await slow.watch(1)
            first = next(n for n, frame in enumerate(slow.frames) if frame[2] & GAP)
            assert slow.frames[first][6] - slow.frames[first - 1][6] > 50
            whole = seqs(quick.frames)
            assert whole == list(range(whole[0], whole[0] + len(whole)))
            assert not any(frame[2] & GAP for frame in quick.frames)

    play(scenario, model, speed=20.0, limits=ServerLimits(unsent_bytes=4096))


@pytest.mark.slow
def test_who_stalls_for_too_long_is_hung_up_on(model):
    async def scenario(server):
        small = socket.create_connection(("127.0.0.1", server.port))
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with client(server, sock=small, max_queue=1) as slow:
            await slow.ask("open", prompt="walk", format="json")
            slow.socket.transport.pause_reading()
            await eventually(lambda: not server._connections)
            assert b'cut_total{reason="stalled"} 1.0' in server.metrics.text()

    limits = ServerLimits(unsent_bytes=4096, stalled_seconds=0.5)
    play(scenario, model, speed=20.0, limits=limits)


def test_a_client_that_vanishes_in_a_message_is_kept_for_a_resume(model):
    async def scenario(server):
        async with client(server) as one, client(server) as other:
            await one.ask("open")
            one.socket.transport.write(b"\x81\xfe\x10\x00abcd{")  # announces 4096 bytes
            reset = struct.pack("ii", 1, 0)
            one.socket.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, reset
            )
            one.socket.transport.abort()
            await eventually(lambda: len(server._connections) == 1)
            answer = await other.ask("resume", session=one.hello["session"], last={})
            assert list(answer["characters"]) == ["1"]

    play(scenario, model)


async def silent_sockets(server, number):
    return [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(number)]


def test_the_oldest_silent_sockets_give_way_to_who_speaks(model):
    async def scenario(server):
        silent = await silent_sockets(server, 20)
        async with client(server) as one:
            assert (await one.ask("ping", time=0))["type"] == "pong"
            assert await silent[0][0].read() == b""
            assert len(server._pending_connections) <= 4
        for _, writer in silent:
            writer.close()

    play(scenario, model, limits=ServerLimits(handshakes=4))


def test_a_request_without_an_end_is_cut(model):
    async def scenario(server):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000)
        with suppress(ConnectionError):
            assert not (await reader.read()).startswith(b"HTTP/1.1 200")
        assert len(server._pending_connections) == 0
        writer.close()

    play(scenario, model)


def test_when_it_is_full_who_has_no_character_gives_way(model):
    async def scenario(server):
        async with client(server) as busy, client(server) as idle:
            await busy.ask("open")
            async with client(server) as late:
                await late.ask("open")
                assert (await idle.closed())[0] == 1013
                with pytest.raises(InvalidStatus, match="503"):
                    async with client(server):
                        pass
                assert (await busy.ask("ping", time=0))["type"] == "pong"

    play(scenario, model, limits=ServerLimits(connections=2))


@pytest.mark.slow
def test_shutdown_says_goodbye_and_waits_for_nobody(model):
    async def scenario():
        server = make_server(model)
        await server.__aenter__()
        silent = await silent_sockets(server, 3)
        async with client(server) as one, client(server) as two:
            await one.ask("open", prompt="walk")
            began = time.monotonic()
            closing = asyncio.create_task(server.close())
            assert await asyncio.gather(one.closed(), two.closed()) == [(1001, "")] * 2
            await closing
            assert time.monotonic() - began < 2 and not server.broadcaster.characters
        for _, writer in silent:
            writer.close()

    asyncio.run(asyncio.wait_for(scenario(), 30))


class Broken(StreamScheduler):
    """One that has a bug."""

    def open(self, **_):
        raise RuntimeError("the secret is in /home/me/secret.py")


def test_a_bug_ends_one_connection_without_a_trace(model, caplog):
    async def scenario():
        server = Server(Broken(model), ServerConfig(port=0))
        async with server, client(server) as one, client(server) as other:
            await one.socket.send('{"type": "open", "id": 1}')
            assert await one.closed() == (1011, "internal error")
            assert (await other.ask("ping", time=0))["type"] == "pong"

    asyncio.run(asyncio.wait_for(scenario(), 30))
    assert "event=failed session=" in caplog.text and "secret.py" in caplog.text


def test_a_bug_on_the_stage_ends_one_character(model, caplog):
    async def scenario(server):
        async with client(server) as one:
            await one.ask("open"), await one.ask("open")
            broken = next(iter(server.broadcaster.characters.values()))
            broken.character.take = None
            while not one.events:
                await one.hear()
            assert (one.events[0]["event"], one.events[0]["character"]) == ("closed", 1)
            assert {frame[4] for frame in await one.watch(5)} == {2}

    play(scenario, model)
    assert "event=failed character=1" in caplog.text
