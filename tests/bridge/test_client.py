"""The Python client against the real server over loopback sockets."""

import asyncio
import json
import time
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest
from websockets.asyncio.server import serve

import motiongen_bridge
from motiongen_bridge import handshake, reconnection, remote
from motiongen_bridge.client import Connection, RemoteCharacter, VerbRefused, socket_url
from motiongen_bridge.clock import ServerClock
from motiongen_bridge.frames import WireFrame
from tests.bridge.client_helpers import HELLO, other_server, play, take
from tests.bridge.serving import make_server


def frame(seq, character=1):
    return WireFrame(
        character, seq, 0, 0, 0, np.zeros(3, np.float32), np.tile(np.float32([0, 0, 0, 1]), (22, 1))
    )


@pytest.mark.parametrize(("format", "tolerance"), [("f32", 1e-6), ("i16", 1e-4), ("json", 1e-5)])
def test_a_character_streams_unit_rotations_in_every_format(model, format, tolerance):
    async def scenario(url):
        async with motiongen_bridge.connect(url, format=format, prompt="walk", seed=1) as character:
            frames = await take(character, 8)
        assert [frame.seq for frame in frames] == list(range(8))
        assert all(frame.rotations.shape == (22, 4) and frame.root.shape == (3,) for frame in frames)
        lengths = np.linalg.norm(np.stack([frame.rotations for frame in frames]), axis=-1)
        np.testing.assert_allclose(lengths, 1, atol=tolerance)
        assert np.diff([frame.time for frame in frames]).min() > 0

    play(scenario, model)


def test_the_first_frame_that_obeys_is_the_one_that_the_answer_names(model):
    async def scenario(url):
        async with motiongen_bridge.connect(url, prompt="walk") as character:
            await take(character, 5)
            answer = await character.prompt("bow")
            frames = await take(character, answer.seq - character.last_seq + 20)
        first = next(frame.seq for frame in frames if frame.obeys == answer.number)
        assert first == answer.seq

    play(scenario, model)


def test_a_prompt_that_is_far_from_what_the_model_knows_gets_a_note(model):
    async def scenario(url):
        async with motiongen_bridge.connect(url, prompt="a person does not walk") as character:
            while not character.events:
                await take(character, 1)
            event = character.events[0]
            assert event["event"] == "note" and event["text"].startswith(
                "'a person does not walk' says 'not'"
            )
            first = await character.prompt("a person climbs stairs")
            again = await character.prompt("a person climbs stairs")
            assert first.note == again.note and "names 'stairs', of which this model knows" in first.note
            assert (await character.prompt("a person walks")).note == ""
            queued = asyncio.create_task(character.then("a person never stops"))
            await character.finish(0.1)
            reading = asyncio.create_task(take(character, 400))
            assert "says 'never'" in (await queued).note
            reading.cancel()

    play(scenario, model, speed=4.0)


def test_every_verb_is_answered_by_its_number(model):
    async def scenario(url):
        async with motiongen_bridge.connect(url, prompt="walk") as character:
            rest, root = np.tile([0, 0, 0, 1], (22, 1)), np.array([0, 0.97, 0])
            said = [
                character.hold(), character.prompt("walk", at=0.1), character.turn(0.5), character.seed(7),
                character.strength(2.0), character.pose(), character.pose(rest, root), character.goto(1.0, 2.0),
                character.prompt("bow"), character.finish(0.3), character.then("walk"),
            ]  # fmt: skip
            numbers = [(await verb).number for verb in said]
            await take(character, 60)
            with suppress(VerbRefused):  # what the model wrote may have no cycle
                numbers.append((await character.loop()).number)
        assert numbers == sorted(set(numbers))

    play(scenario, model)


def test_nonsense_is_refused_with_the_servers_words(model):
    async def scenario(url):
        async with motiongen_bridge.connect(url) as character:
            with pytest.raises(VerbRefused, match=r"scale: expected a number 1\.\.10, got 99") as caught:
                await character.strength(99)
            assert caught.value.code == "bad_value"
            with pytest.raises(VerbRefused, match="expected one of") as caught:
                await character.submit("fly")
            assert caught.value.code == "unknown_type"

    play(scenario, model)


def test_characters_of_a_connection_do_not_mix(model):
    async def scenario(url):
        async with Connection(url) as connection:
            one, two = await connection.open("walk", seed=1), await connection.open("walk", seed=2)
            first, second = await asyncio.gather(take(one, 10), take(two, 10))
        assert {frame.character for frame in first} == {one.number} != {two.number}
        assert not np.array_equal(first[-1].rotations, second[-1].rotations)

    play(scenario, model)


def test_a_watcher_sees_the_owners_frames_and_cannot_speak(model):
    async def scenario(url):
        async with Connection(url) as owner, Connection(url) as viewer:
            played = await owner.open("walk")
            seen = await viewer.watch(played.key)
            watched = {frame.seq: frame for frame in await take(seen, 10)}
            for frame in await take(played, 10):
                if frame.seq in watched:
                    np.testing.assert_array_equal(frame.rotations, watched[frame.seq].rotations)
            with pytest.raises(VerbRefused, match="only watched") as caught:
                await seen.prompt("bow")
            assert caught.value.code == "read_only"

    play(scenario, model)


def test_a_watchers_stream_ends_when_the_owner_leaves(model):
    async def scenario(url):
        async with Connection(url) as viewer:
            async with Connection(url) as owner:
                seen = await viewer.watch((await owner.open("walk")).key)
                await take(seen, 3)
            assert len([frame async for frame in seen]) < 30  # it ends by itself

    play(scenario, model)


def test_a_closed_character_ends_its_stream_and_leaves_the_others(model):
    async def scenario(url):
        async with Connection(url) as connection:
            one, two = await connection.open("walk"), await connection.open("walk")
            await one.close()
            assert len([frame async for frame in one]) < 30
            await one.close()  # again: nothing to do
            assert list(connection.characters) == [two.number]
            await take(two, 5)

    play(scenario, model)


def test_leaving_frees_the_place_at_once(model):
    async def scenario(url):
        for _ in range(3):
            async with motiongen_bridge.connect(url) as character:
                await take(character, 1)

    play(scenario, model, max_characters=1)


def test_a_server_that_stops_is_told_from_a_character_that_was_closed(model):
    async def scenario():
        async with make_server(model) as server:
            connection = await Connection(server.url).start()
            character = await connection.open("walk")
            await take(character, 3)
        with pytest.raises(ConnectionError, match="the server stopped, and its characters are gone; connect"):
            await take(character, 1000)
        with pytest.raises(ConnectionError, match="the connection is over; connect again"):
            await character.prompt("bow")
        await connection.stop()

    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_a_session_that_another_connection_took_over_is_told(model):
    async def scenario(url):
        async with Connection(url) as connection, Connection(url) as thief:
            character = await connection.open("walk")
            session = connection.hello["session"]
            await thief.request({"type": "resume", "session": session, "last": {"1": -1}})
            with pytest.raises(ConnectionError, match="the server hung up: resumed elsewhere"):
                await take(character, 1000)

    play(scenario, model)


def test_a_full_server_refuses_with_its_code(model):
    async def scenario(url):
        async with Connection(url) as connection:
            await connection.open()
            with pytest.raises(VerbRefused, match="expected at most 1 characters") as caught:
                await connection.open()
            assert caught.value.code == "full"

    play(scenario, model, max_characters=1)


@pytest.mark.parametrize(("token", "given"), [(None, "none"), ("not this one", "another")])
def test_a_wrong_token_is_refused_in_one_line(model, token, given):
    async def scenario(url):
        with pytest.raises(ConnectionError, match=f"expected the server's token, got {given}"):
            await Connection(url, token).start()

    play(scenario, model, token="open sesame")


@pytest.mark.parametrize("way", ["argument", "query"])
def test_the_right_token_opens(model, way):
    async def scenario(url):
        place, token = (url, "opensesame") if way == "argument" else (f"{url}?token=opensesame", None)
        async with motiongen_bridge.connect(place, token) as character:
            await take(character, 1)

    play(scenario, model, token="opensesame")


def test_nobody_listening_is_said_in_one_line():
    with pytest.raises(ConnectionError, match=r"ws://127.0.0.1:9/ws: expected a server, nobody listens"):
        asyncio.run(Connection("http://127.0.0.1:9").start())


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ("good day", "expected a motiongen server"),
        (b"\x01\x01", "expected a motiongen server"),
        ("[]", "expected a motiongen server, got another first message than hello"),
        (HELLO.replace("1,", "2,"), "expected version 1, got 2; update motiongen"),
    ],
)
def test_another_server_is_told_from_ours(first, message):
    async def scenario():
        async with other_server(first) as url:
            with pytest.raises(ConnectionError, match=message):
                await Connection(url).start()

    asyncio.run(asyncio.wait_for(scenario(), 30))


@pytest.mark.parametrize("nonsense", ["{", "[]", "{}", b"\x00", b"", '{"type": "frame"}', '{"type": "pong"}'])
def test_nonsense_from_the_server_ends_the_connection_with_an_error(nonsense):
    async def scenario():
        async with other_server(HELLO, nonsense) as url, Connection(url) as connection:
            with pytest.raises(ConnectionError):
                await connection.open()
            assert not connection.is_live

    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_a_reader_that_is_slow_misses_the_oldest_frames_and_they_are_counted():
    async def scenario():
        character = RemoteCharacter(None, 1)
        for seq in range(remote.MAX_WAITING_FRAMES + 10):
            character.take(frame(seq))
        character.end()
        seqs = [frame.seq async for frame in character]
        assert seqs == list(range(10, remote.MAX_WAITING_FRAMES + 10)) and character.dropped == 10

    asyncio.run(scenario())


def test_frames_that_came_before_are_not_shown_twice_and_gaps_are_counted():
    async def scenario():
        character = RemoteCharacter(None, 1)
        for seq in (0, 1, 2, 1, 2, 3, 7):
            character.take(frame(seq))
        character.end(ConnectionError("lost for good"))
        seqs = [one.seq for one in await take(character, 5)]
        with pytest.raises(ConnectionError, match="lost for good"):
            await take(character, 1)
        assert seqs == [0, 1, 2, 3, 7] and character.dropped == 3

    asyncio.run(scenario())


def test_the_clock_follows_the_quickest_of_the_last_eight_answers():
    clock = ServerClock()
    for trip, server_time in [(0.5, 100.0), (0.1, 100.05), (0.9, 300.0)]:
        clock.add(0.0, trip, server_time)
    assert (clock.round_trip, clock.offset) == (0.1, 100.0)
    for _ in range(8):
        clock.add(0.0, 0.2, 50.1)
    assert (clock.round_trip, clock.offset) == (0.2, 50.0) and clock.is_settled


def test_the_servers_clock_is_known_to_half_a_round_trip(model):
    async def scenario():
        async with make_server(model) as server, Connection(server.url) as connection:
            await connection.open("walk")
            while not connection.clock.round_trip:
                await asyncio.sleep(0.01)
            off = connection.clock.offset - (server.broadcaster.now() / 1e6 - time.monotonic())
            assert abs(off) <= connection.clock.round_trip / 2 + 1e-3

    asyncio.run(asyncio.wait_for(scenario(), 30))


@pytest.mark.parametrize(
    ("url", "socket"),
    [
        ("http://127.0.0.1:8787/", "ws://127.0.0.1:8787/ws"),
        ("https://moves.example/?token=abc", "wss://moves.example/ws?token=abc"),
        ("ws://[::1]:9000", "ws://[::1]:9000/ws"),
        ("wss://moves.example/deep/ws", "wss://moves.example/deep/ws"),
        ("localhost:8787", "ws://localhost:8787/ws"),
    ],
)
def test_addresses_of_pages_and_sockets_are_taken(url, socket):
    assert socket_url(url) == socket


@pytest.mark.parametrize(
    "url", ["", "ftp://here", "ws://", "ws://here:port", "ws://here:99999", "file:///ws"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match="url: expected ws://HOST:PORT"):
        socket_url(url)


def answering(kind, seconds):
    """A server that answers messages of one kind, each after a while, and no others."""

    async def serve_one(connection):
        await connection.send(HELLO)
        async for text in connection:
            message = json.loads(text)
            if message["type"] == kind:
                await asyncio.sleep(seconds)
                await connection.send(
                    json.dumps({"type": "ok", "id": message["id"], "character": 1, "number": 1, "seq": 0})
                )

    return serve(serve_one, "127.0.0.1", 0)


def test_a_request_that_is_not_answered_in_time_says_what_was_asked():
    async def scenario():
        async with other_server(HELLO) as url, Connection(url, timeout=0.2) as connection:
            with pytest.raises(TimeoutError, match=r"expected an answer to 'open' within 0\.2 s, got none"):
                await connection.open("walk")
            with pytest.raises(TimeoutError, match="expected an answer to 'watch'"):
                await connection.watch("0" * 32)

    asyncio.run(asyncio.wait_for(scenario(), 30))


@pytest.mark.parametrize(
    ("kind", "arguments"), [("then", {"text": "bow"}), ("prompt", {"text": "bow", "at": 5.0})]
)
def test_a_verb_that_is_answered_when_it_starts_may_take_its_time(kind, arguments):
    async def scenario():
        async with answering(kind, 0.5) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"
            async with Connection(url, timeout=0.1) as connection:
                answer = await RemoteCharacter(connection, 1).submit(kind, **arguments)
        assert answer.number == 1

    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_what_is_opened_too_late_is_known_and_closed_at_the_end():
    async def scenario():
        async with answering("open", 0.4) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"
            async with Connection(url, timeout=0.1) as connection:
                with pytest.raises(TimeoutError):
                    await connection.open("walk")
                while not connection.characters:
                    await asyncio.sleep(0.01)
            assert not connection.characters

    asyncio.run(asyncio.wait_for(scenario(), 30))


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
@pytest.mark.parametrize("name", ["timeout", "frame_timeout"])
def test_a_time_limit_is_positive(name, timeout):
    with pytest.raises(ValueError, match=f"^{name}: expected more than 0 s"):
        Connection("ws://127.0.0.1:9", **{name: timeout})


@asynccontextmanager
async def silent(*, speaks_http):
    """A peer that takes connections and says nothing; or nothing after the websocket's handshake."""

    async def take_one(reader, writer):
        await reader.read()
        writer.close()

    if speaks_http:
        async with other_server() as url:
            yield url
    else:
        server = await asyncio.start_server(take_one, "127.0.0.1", 0)
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"
        server.close()


@pytest.mark.parametrize("speaks_http", [False, True])
def test_a_peer_that_never_says_hello_is_given_up(monkeypatch, speaks_http):
    monkeypatch.setattr(handshake, "HANDSHAKE_SECONDS", 0.3)

    async def scenario():
        async with silent(speaks_http=speaks_http) as url:
            with pytest.raises(ConnectionError, match="expected a motiongen server, got") as caught:
                await Connection(url).start()
            assert "0.3 s" in str(caught.value)

    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_a_character_whose_frames_stay_away_says_so_and_can_be_read_on():
    async def scenario():
        async with answering("open", 0.0) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"
            async with Connection(url, frame_timeout=0.2) as connection:
                character = await connection.open()
                with pytest.raises(
                    TimeoutError, match=r"character 1: expected a frame within 0\.2 s, got none"
                ):
                    await take(character, 1)
                character.take(frame(0))
                assert (await take(character, 1))[0].seq == 0

    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_leaving_a_peer_that_reads_nothing_ends_in_time():
    async def scenario():
        async def never_read(connection):
            await connection.send(HELLO)
            connection.transport.pause_reading()
            await connection.wait_closed()

        async with serve(never_read, "127.0.0.1", 0, close_timeout=0.1) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"
            connection = await Connection(url, timeout=0.3).start()
            connection._socket.transport.write(bytes(2**24))  # more than the kernel takes
            connection.characters[1] = RemoteCharacter(connection, 1)
            began = time.monotonic()
            await connection.stop()
            assert time.monotonic() - began < 3
            for one in server.connections:
                one.transport.abort()

    asyncio.run(asyncio.wait_for(scenario(), 30))


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 1e12])
def test_a_server_that_is_gone_is_not_tried_for_ever(monkeypatch, seconds):
    monkeypatch.setattr(reconnection, "MOST_RESUME_SECONDS", 0.4)

    async def scenario():
        hello = json.dumps(json.loads(HELLO) | {"resume_seconds": seconds})
        async with other_server(hello) as url:
            connection = await Connection(url).start()
            character = connection.characters[1] = RemoteCharacter(connection, 1)
            connection.drop()
        with pytest.raises(ConnectionError, match="the connection was lost for good"):
            await take(character, 1)
        await connection.stop()

    asyncio.run(asyncio.wait_for(scenario(), 30))
