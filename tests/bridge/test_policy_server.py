"""A policy server on a loopback socket: its chunks are the policy's, of all who wait at once."""

import asyncio
import json
import threading
import urllib.error
import urllib.request

import numpy as np
import pytest
from websockets.asyncio.client import connect as open_socket

from motiongen.cli import main
from motiongen.inference.chunk_predictor import ChunkPredictor
from motiongen_bridge.policy_client import PolicyConnection, PolicyRefused
from motiongen_bridge.policy_server import PolicyServer
from motiongen_bridge.policy_wire import POLICY_SUBPROTOCOL
from motiongen_bridge.server_config import ServerConfig
from motiongen_sim.policy import Policy
from tests.sim.tiny import Counter, tiny_carp


def play(scenario, model, **config):
    """Run a coroutine function on the server of a model, for half a minute at most."""

    async def run():
        async with PolicyServer(ChunkPredictor(model), "tiny", ServerConfig(port=0, **config)) as server:
            await asyncio.wait_for(scenario(server), 30)

    asyncio.run(run())


class Gated(Counter):
    """A Counter whose passes wait until they are let go."""

    def __init__(self, **sizes):
        super().__init__(**{"obs_steps": 1, "action_steps": 2, "horizon": 8, **sizes})
        self.gate, self.entered = threading.Semaphore(0), threading.Semaphore(0)

    def predict(self, observation, *, generator=None):
        self.entered.release()
        assert self.gate.acquire(timeout=20)
        return super().predict(observation, generator=generator)

    async def until_entered(self):
        assert await asyncio.to_thread(self.entered.acquire, timeout=20)


@pytest.mark.parametrize("obs_steps", [1, 2])
def test_a_robot_that_waits_does_what_the_policy_does(obs_steps):
    model = tiny_carp(obs_steps=obs_steps, action_steps=2)
    states = np.random.default_rng(0).standard_normal((7, 16)).astype(np.float32)
    local = Policy(model)
    expected = np.stack([local.act(state) for state in states])

    async def scenario(server):
        async with PolicyConnection(server.url) as connection:
            robot = connection.robot(blocking=True)
            for _ in range(2):  # a second episode begins anew
                np.testing.assert_array_equal([await robot.act(state) for state in states], expected)
                robot.reset()

    play(scenario, model)


def test_hello_says_what_observations_and_chunks_are():
    async def scenario(server):
        async with PolicyConnection(server.url) as connection:
            hello = connection.hello
            assert hello["tasks"] == [{"instruction": "", "state": 3, "action": 1}]
            assert (hello["obs_steps"], hello["chunk_steps"], hello["action_steps"]) == (2, 9, 4)
            assert (hello["policy"], hello["limits"]["message_bytes"]) == ("tiny", 1024)

    play(scenario, Counter(horizon=10, action_steps=4))


def test_all_who_wait_are_answered_in_one_pass():
    model = Gated()

    async def scenario(server):
        async with PolicyConnection(server.url) as one, PolicyConnection(server.url) as other:
            first = asyncio.create_task(one.robot().act(np.zeros(3)))
            await model.until_entered()
            robots = [connection.robot() for connection in (one, other) for _ in range(3)]
            acts = [asyncio.create_task(robot.act(np.full(3, n))) for n, robot in enumerate(robots)]
            while len(server._batcher._waiting) < 6:
                await asyncio.sleep(0.001)
            model.gate.release(2)
            assert await first == 100.0  # the first pass, its action 0
            assert [float((await act)[0]) for act in acts] == [200.0, 201.0, 202.0, 203.0, 204.0, 205.0]
            assert [len(seen["state"]) for seen in model.seen] == [1, 6]

    play(scenario, model)


def test_a_robot_that_cannot_wait_goes_on_and_blends_what_comes_late():
    model = Gated()

    async def scenario(server):
        async with PolicyConnection(server.url) as connection:
            robot = connection.robot(blend=1)
            model.gate.release()
            done = [await robot.act(np.zeros(3)) for _ in range(2)]
            await model.until_entered()  # the first pass
            done += [await robot.act(np.zeros(3)) for _ in range(2)]  # asks at step 2
            await model.until_entered()
            done += [await robot.act(np.zeros(3))]
            model.gate.release()
            while not robot._arrived.is_set():
                await asyncio.sleep(0.001)
            done += [await robot.act(np.zeros(3)) for _ in range(2)]
            # Steps 0 to 4 of the first chunk; at 5 half of it and half of the second, which began at step 2.
            assert np.ravel(done).tolist() == [100, 101, 102, 103, 104, (105 + 203) / 2, 204]
            assert (robot.actions.delay, robot.actions.repeated) == (3, 0)
            model.gate.release(9)

    play(scenario, model)


def test_of_a_robot_only_the_newest_observation_waits():
    model = Gated()

    async def scenario(server):
        async with open_socket(server.url, subprotocols=[POLICY_SUBPROTOCOL]) as socket:
            await socket.recv()
            for number in range(4):
                header = bytes([1, 1, 0, 0]) + bytes(4) + number.to_bytes(8, "little")
                await socket.send(header + np.full(3, number, "<f4").tobytes())
                if number == 0:
                    await model.until_entered()
            while server.metrics.replaced._value.get() < 2:
                await asyncio.sleep(0.001)
            model.gate.release(2)
            numbers = [int.from_bytes((await socket.recv())[8:16], "little") for _ in range(2)]
            assert numbers == [0, 3]

    play(scenario, model)


def test_mistakes_are_answered_with_the_robot_and_its_step():
    async def scenario(server):
        async with open_socket(server.url, subprotocols=[POLICY_SUBPROTOCOL]) as socket:
            await socket.recv()
            await socket.send(bytes([1, 1, 0, 0, 9, 0, 0, 0, 5]) + bytes(7))
            said = json.loads(await socket.recv())
            assert (said["code"], said["robot"], said["number"]) == ("bad_value", 9, 5)
            assert "expected 16 + 12 + 0 bytes" in said["message"]
            await socket.send("hello")
            assert json.loads(await socket.recv())["code"] == "bad_message"

    play(scenario, Counter(obs_steps=1))


class Broken(Counter):
    """Fails in its first pass."""

    def predict(self, observation, *, generator=None):
        if not self.seen:
            self.seen.append(observation)
            raise RuntimeError("out of luck")
        return super().predict(observation, generator=generator)


def health(server):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/healthz") as answer:
            return json.load(answer)["status"]
    except urllib.error.HTTPError as error:
        return json.load(error)["status"]


def test_a_policy_that_fails_is_said_and_the_server_lives():
    async def scenario(server):
        async with PolicyConnection(server.url) as connection:
            robot = connection.robot()
            with pytest.raises(PolicyRefused, match="the policy failed") as caught:
                await robot.act(np.zeros(3))
            assert caught.value.code == "internal"
            assert await asyncio.to_thread(health, server) == "degraded"
            robot.reset()
            assert await robot.act(np.zeros(3)) == 200.0

    play(scenario, Broken(obs_steps=1))


def test_a_lost_connection_ends_the_robots():
    async def scenario(server):
        async with PolicyConnection(server.url) as connection:
            robot = connection.robot()
            await robot.act(np.zeros(3))
            await server.close()
            await connection._reader
            with pytest.raises(ConnectionError, match=r"the connection was lost .*; connect again"):
                await robot.act(np.zeros(3))

    play(scenario, Counter(obs_steps=1))


def test_robots_and_observations_are_checked_before_they_are_sent():
    async def scenario(server):
        async with PolicyConnection(server.url) as connection:
            with pytest.raises(ValueError, match="task: expected one of '', got 'fly'"):
                connection.robot("fly")
            with pytest.raises(ValueError, match="state: expected 3 finite numbers"):
                await connection.robot().act(np.zeros(4))

    play(scenario, Counter(obs_steps=1))


def test_a_wrong_token_is_refused():
    async def scenario(server):
        with pytest.raises(ConnectionError, match="expected the server's token"):
            async with PolicyConnection(server.url):
                pass
        async with PolicyConnection(server.url, "a secret") as connection:
            assert connection.hello["policy"] == "tiny"

    play(scenario, Counter(), token="a secret")


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["carp-panda", "--host", "0.0.0.0"], 2, "token: expected one"),
        (["carp-panda", "--temperature", "-1"], 2, "temperature: expected 0 or more, got -1.0"),
        (["carp-pnda", "--port", "0"], 1, "did you mean 'carp-panda'"),
    ],
)
def test_the_command_refuses_mistakes_in_one_line(options, code, message, capsys):
    assert main(["serve-policy", *options]) == code
    said = capsys.readouterr().err
    assert message.replace("'", "") in said.replace("'", "") and said.count("\n") == 1
