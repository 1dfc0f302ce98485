"""Failures of the server: a bug ends one command, one character or one connection, and shows in the metrics."""

import asyncio
import json
from dataclasses import replace

import pytest

from motiongen.streaming.scheduler import StreamScheduler
from motiongen_bridge import metrics
from motiongen_bridge.server import Server, ServerConfig
from tests.bridge.raw_client import client, get
from tests.bridge.serving import play


class Broken(StreamScheduler):
    """One that has a bug."""

    def open(self, **_):
        raise RuntimeError("the secret is in /home/me/secret.py")


def test_a_bug_in_open_is_answered_and_the_connection_goes_on(model, caplog):
    async def scenario():
        server = Server(Broken(model), ServerConfig(port=0))
        async with server, client(server) as one:
            answer = await one.ask("open")
            assert (answer["type"], answer["id"], answer["code"]) == ("error", 1, "internal")
            assert "secret" not in answer["message"]
            assert (await one.ask("ping", time=0))["type"] == "pong"
            assert b"motiongen_internal_errors_total 1.0" in server.metrics.text()

    asyncio.run(asyncio.wait_for(scenario(), 30))
    assert "event=failed verb=open" in caplog.text and "secret.py" in caplog.text


def test_a_bug_of_the_server_itself_ends_one_connection_without_a_trace(model, caplog):
    async def scenario(server):
        async with client(server) as one, client(server) as other:
            server._handler = None
            await one.socket.send('{"type": "open", "id": 1}')
            assert await one.closed() == (1011, "internal error")
            assert other.socket.close_code is None

    play(scenario, model)
    assert "event=failed session=" in caplog.text


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


class BrokenEncoder:
    """A text encoder that has a bug: one sentence breaks it."""

    def __init__(self, text):
        self._text = text

    def encode(self, prompts):
        if "explode" in prompts:
            raise RuntimeError("the secret is in /home/me/secret.py")
        return self._text.encode(prompts)

    def knows(self, text):
        return text == "explode" or self._text.knows(text)


@pytest.mark.parametrize(
    "message", [{"type": "prompt", "text": "explode"}, {"type": "then", "text": "explode"}]
)
def test_a_bug_in_a_verb_is_answered_and_the_characters_of_all_go_on(model, caplog, message):
    async def scenario(server):
        async with client(server) as one, client(server) as other:
            await one.ask("open"), await other.ask("open", prompt="walk")
            kind, arguments = message["type"], {"text": message["text"]}
            answer = await asyncio.wait_for(one.ask(kind, character=1, **arguments), 10)
            assert (answer["type"], answer["code"]) == ("error", "internal")
            assert "secret" not in answer["message"]
            await one.watch(5), await other.watch(5)
            assert (await one.ask("prompt", character=1, text="bow"))["type"] == "ok"
            _, _, text = await get(server, "/metrics")
        assert b"motiongen_internal_errors_total 1.0" in text and b"tick_failures_total 0.0" in text

    play(scenario, StreamScheduler(replace(model, text=BrokenEncoder(model.text)), batch_sizes=(4,)))
    assert "event=command_failed" in caplog.text and "secret.py" in caplog.text


def test_a_bug_in_submitting_a_verb_is_answered_and_the_connection_goes_on(model, caplog):
    async def scenario(server):
        async with client(server) as one:
            await one.ask("open")
            next(iter(server.broadcaster.characters.values())).character._accept = None
            answer = await one.ask("prompt", character=1, text="walk")
            assert (answer["type"], answer["code"]) == ("error", "internal")
            assert (await one.ask("ping", time=0))["type"] == "pong"

    play(scenario, model)
    assert "event=failed verb=prompt" in caplog.text


def test_a_bug_in_one_characters_frames_ends_that_character_alone(model, caplog):
    async def scenario(server):
        async with client(server) as one:
            await one.ask("open"), await one.ask("open")
            broken, whole = server.broadcaster.characters.values()
            broken.character.plan.steering = None
            while not one.events:
                await one.hear()
            assert (one.events[0]["event"], one.events[0]["character"]) == ("closed", 1)
            assert {frame[4] for frame in await one.watch(10)} == {2}
            assert list(server.broadcaster.characters.values()) == [whole]
            assert (await get(server, "/healthz"))[0] == 200

    play(scenario, model)
    assert "event=character_failed character=1" in caplog.text


class Failing(StreamScheduler):
    """One whose ticks fail for a while."""

    is_broken = False

    def _tick(self, worker):
        if self.is_broken:
            raise RuntimeError("no step")
        return super()._tick(worker)


def test_failing_ticks_are_counted_and_make_the_server_degraded_until_they_succeed(model, monkeypatch):
    monkeypatch.setattr(metrics, "DEGRADED_SECONDS", 0.5)
    scheduler = Failing(model, batch_sizes=(4,))

    async def health(server):
        status, _, body = await get(server, "/healthz")
        return status, json.loads(body)["status"]

    async def scenario(server):
        async with client(server) as one:
            await one.ask("open", prompt="walk")
            await one.watch(3)
            assert await health(server) == (200, "ok")
            scheduler.is_broken = True
            while await health(server) != (503, "degraded"):
                await asyncio.sleep(0.05)
            _, _, text = await get(server, "/metrics")
            assert b"motiongen_tick_failures_total 0.0" not in text
            assert (await one.ask("ping", time=0))["type"] == "pong"
            scheduler.is_broken = False
            while await health(server) != (200, "ok"):
                await asyncio.sleep(0.05)
            await one.watch(20)

    play(scenario, scheduler)
