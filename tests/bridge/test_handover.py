"""Several processes serve one port: whoever takes a client in, it comes to the process that has its characters."""

import asyncio
import json

import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from motiongen_bridge.board import WorkerRow
from tests.bridge.processes import play_in
from tests.bridge.raw_client import client, eventually, get, seqs


def stay(server):
    """The address of a client that wants no other process than the one that takes it in."""
    return f"?at={server.place}"


def test_a_client_that_comes_back_to_another_process_misses_nothing(model):
    async def scenario(first, second):
        async with client(first, stay(first)) as one, client(first, stay(first)) as twin:
            await one.ask("open", prompt="walk", seed=5)
            await twin.ask("open", prompt="walk", seed=5)
            seen, session = await one.watch(10), one.hello["session"]
            one.socket.transport.abort()
            async with client(second, stay(second)) as again:
                assert again.hello["session"][:4] == "0001" and session[:4] == "0000"
                answer = await again.ask("resume", session=session, last={"1": seen[-1][6]})
                assert answer["characters"] == {"1": {"from": 10}}
                seen += await again.watch(30)
                said = await again.ask("hold", character=1)
                assert said["type"] == "ok"
            whole = await twin.watch(40)
        assert seqs(seen) == list(range(40))
        assert [frame[9] for frame in seen] == [frame[9] for frame in whole]
        assert not second.broadcaster.characters

    play_in(scenario, model, speed=4.0)


def test_a_client_that_says_where_it_comes_back_to_is_greeted_there(model):
    async def scenario(first, second):
        async with client(first, stay(second)) as one:
            assert one.hello["session"][:4] == "0001"
            answer = await one.ask("open", prompt="walk")
            assert answer["key"][:4] == "0001" and len(second.broadcaster.characters) == 1
            await one.watch(5)
            status, _, body = await get(first, f"/motion/{answer['key']}.bvh")
            assert status == 200 and body.startswith(b"HIERARCHY")

    play_in(scenario, model)


def test_a_session_that_has_moved_is_found_by_whoever_is_asked(model):
    async def scenario(first, second):
        async with client(first, stay(first)) as one:
            await one.ask("open")
            session = one.hello["session"]
            one.socket.transport.abort()
        for server in (second, first, second):  # its key now tells of another place than it lives at
            async with client(server, stay(server)) as again:
                answer = await again.ask("resume", session=session, last={"1": -1})
                assert list(answer["characters"]) == ["1"], answer
                session = again.hello["session"]
                again.socket.transport.abort()
        assert len(first.broadcaster.characters) == 1 and not second.broadcaster.characters
        await eventually(lambda: not first.broadcaster.characters)  # 30 s at that speed
        assert not list(first._peers._moved.iterdir())

    play_in(scenario, model, speed=20.0)


def test_what_was_said_behind_the_message_goes_along(model):
    async def scenario(first, second):
        async with client(first, stay(first)) as one, client(second, stay(second)) as again:
            await one.ask("open")
            one.socket.transport.abort()
            resume = {"type": "resume", "id": 1, "session": one.hello["session"], "last": {"1": -1}}
            said = [resume, *({"type": "ping", "id": n, "time": n} for n in range(2, 42))]
            frames = [Frame(Opcode.TEXT, json.dumps(what).encode()).serialize(mask=True) for what in said]
            again.socket.transport.write(b"".join(frames)[:-9])
            await asyncio.sleep(0.2)
            again.socket.transport.write(frames[-1][-9:])
            answers = []
            while len(answers) < 41:
                answer = await again.hear()
                answers += [] if answer is None else [answer]
        assert [answer["id"] for answer in answers] == list(range(1, 42))
        assert [answer["type"] for answer in answers] == ["ok"] + ["pong"] * 40

    play_in(scenario, model)


def test_a_character_is_watched_from_another_process_and_another_is_opened_there(model):
    async def scenario(first, second):
        async with client(first, stay(first)) as one, client(second, stay(second)) as watcher:
            key = (await one.ask("open", prompt="walk"))["key"]
            assert (await watcher.ask("watch", key=key))["character"] == 1
            assert len(await watcher.watch(5)) == 5
            opened = await watcher.ask("open")
            assert opened["character"] == 2 and opened["key"][:4] == "0000"
            assert (await watcher.ask("hold", character=1))["code"] == "read_only"
            await one.ask("close", character=1)
            while not watcher.events:
                await watcher.hear()
            assert watcher.events[0]["event"] == "closed"

    play_in(scenario, model)


@pytest.mark.parametrize("way", [(0, 1, 0), (0, 1)])
def test_a_watcher_goes_from_process_to_process_and_back(model, way):
    async def scenario(first, second):
        async with client(first, stay(first)) as one, client(second, stay(second)) as two:
            keys = [(await each.ask("open", prompt="walk"))["key"] for each in (one, two)]
            async with client(second, stay(second)) as watcher:
                for key in (keys[number] for number in way):
                    answer = await watcher.ask("watch", key=key)
                    assert answer["type"] == "ok"
                    assert {frame[4] for frame in await watcher.watch(3)} == {answer["character"]}
                    await watcher.ask("close", character=answer["character"])
                    watcher.frames.clear()
                session = watcher.hello["session"]
            await eventually(lambda: not first.sessions.has(session) and not second.sessions.has(session))
            assert not list(first._peers._moved.iterdir())  # a client could fill the disk with them

    play_in(scenario, model)


def test_who_has_characters_here_does_not_watch_there(model):
    async def scenario(first, second):
        async with client(first, stay(first)) as one, client(second, stay(second)) as two:
            key = (await one.ask("open"))["key"]
            await two.ask("open")
            answer = await two.ask("watch", key=key)
            assert answer["code"] == "not_now"
            assert answer["message"].startswith("key: this character lives in another process")
            answer = await two.ask("resume", session=one.hello["session"], last={})
            assert (answer["code"], answer["message"]) == ("not_now", "resume: say it before anything else")
            assert (await two.ask("hold", character=1))["type"] == "ok"

    play_in(scenario, model)


def test_what_nobody_has_is_refused_as_ever(model):
    async def scenario(first, second):
        async with client(second, stay(second)) as one:
            for session in ("0000" + 28 * "0", "0007" + 28 * "0", "ff00" + 28 * "0", "../../etc/passwd", ""):
                assert (await one.ask("resume", session=session, last={}))["type"] == "error"
        async with client(second, stay(second)) as one:
            first._peers.report(WorkerRow())  # it has died, and starts again
            answer = await one.ask("watch", key="0000" + 28 * "0")
            assert answer["code"] == "unknown_character"

    play_in(scenario, model)


def test_new_clients_go_where_least_is_borne(model):
    async def scenario(first, second):
        async with client(first) as one, client(first) as two, client(first) as three, client(first) as four:
            places = [each.hello["session"][:4] for each in (one, two, three, four)]
            assert sorted(places) == ["0000", "0000", "0001", "0001"]

    play_in(scenario, model)


def test_the_limit_of_characters_is_that_of_all_together(model):
    async def scenario(first, second):
        async with client(first, stay(first)) as one, client(second, stay(second)) as two:
            await one.ask("open")
            await two.ask("open")
            await one.ask("open")
            answer = await two.ask("open")
            assert answer["code"] == "full" and "at most 3 characters" in answer["message"]

    play_in(scenario, model, max_characters=3)


def test_each_tells_of_the_health_of_all(model):
    async def scenario(first, second):
        async with client(first, stay(first)) as one:
            await one.ask("open")
            status, _, body = await get(second, "/healthz")
            health = json.loads(body)
            assert status == 200 and health["status"] == "ok" and health["characters"] == 1
            assert health["workers"] == [{"status": "ok", "characters": 1}, {"status": "ok", "characters": 0}]

    play_in(scenario, model)


def test_who_is_here_may_go_to_another_process_of_a_server_that_drains(model):
    async def scenario(first, second):
        async with client(first, stay(first)) as one, client(second) as watcher:
            key = (await one.ask("open", prompt="walk"))["key"]
            assert watcher.hello["session"][:4] == "0001"
            for server in (first, second):
                server.drain()
            assert (await watcher.ask("watch", key=key))["type"] == "ok"
            assert len(await watcher.watch(5)) == 5

    play_in(scenario, model)


def test_a_server_that_drains_says_so_and_takes_only_who_comes_back(model):
    async def scenario(first, second):
        async with client(first, "?at=0500") as one:
            await one.ask("open", prompt="walk")
            session = one.hello["session"]
            for server in (first, second):
                server.drain()
            status, _, body = await get(first, "/healthz")
            assert status == 503 and json.loads(body)["status"] == "draining"
            assert len(await one.watch(5)) == 5  # who is here stays
            one.socket.transport.abort()
            for address in ("", "?at=0600"):
                with pytest.raises(InvalidStatus, match="503"):
                    async with client(second, address):
                        pass
            async with client(second, f"?at={session[:4]}") as again:
                answer = await again.ask("resume", session=session, last={"1": -1})
                assert list(answer["characters"]) == ["1"]

    play_in(scenario, model, place=5)


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, "", 401),
        ({"Authorization": "Bearer another"}, "", 401),
        ({"Authorization": "Bearer secret-word", "Origin": "http://elsewhere.example"}, "", 403),
        ({"Host": "a@b", "Authorization": "Bearer secret-word"}, "", 400),
        ({"Authorization": "Bearer secret-word"}, "/motion/0001" + 28 * "0" + ".bvh", 404),
        ({}, "/motion/0001" + 28 * "0" + ".bvh", 401),
    ],
)
def test_who_is_handed_over_needs_host_origin_and_token_as_ever(model, headers, query, status):
    async def scenario(first, second):
        upgrade = {
            "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": 22 * "A" + "==",
        }  # fmt: skip
        path = query or f"/ws{stay(second)}"
        answers = [
            await get(server, path, **headers, **({} if query else upgrade)) for server in (first, second)
        ]
        assert [answer[0] for answer in answers] == [status, status]
        assert answers[0] == answers[1]

    play_in(scenario, model, token="secret-word")


def test_a_page_elsewhere_is_refused_though_it_comes_by_another_process(model):
    async def scenario(first, second):
        for server in (first, second):
            with pytest.raises(InvalidStatus, match="403"):
                async with client(server, stay(second), origin="http://elsewhere.example"):
                    pass
            assert (await get(server, "/motion/0001", Host="elsewhere.example"))[0] == 403
        assert not second._connections

    play_in(scenario, model)
