"""Senders: a contract that runs over the registry, and what a group of them does when one fails."""

import asyncio
import socket
from dataclasses import dataclass

import numpy as np
import pytest

from motiongen.cli import main
from motiongen_bridge import senders
from motiongen_bridge.sender_group import MAX_ERRORS_IN_A_ROW, SenderGroup
from motiongen_bridge.senders import SENDERS, make_sender
from tests.bridge.raw_client import client, eventually
from tests.bridge.serving import make_server

ROTATIONS = np.tile(np.float32([0, 0, 0, 1]), (22, 1))
ROOT = np.float32([0, 0.9, 0])


def listener():
    """Return a UDP socket that receives, and its address."""
    heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    heard.bind(("127.0.0.1", 0))
    heard.settimeout(5.0)
    return heard, f"127.0.0.1:{heard.getsockname()[1]}"


@pytest.mark.parametrize("name", SENDERS)
def test_a_sender_is_made_from_a_url_and_sends_poses(name):
    heard, address = listener()
    with heard:
        sender = make_sender(f"{name}://{address}")
        sender.send(ROTATIONS, ROOT, 0.0)
        assert len(heard.recv(65536)) > 0 and sender.lost == 0
        sender.close()


@pytest.mark.parametrize("name", SENDERS)
def test_a_sender_whose_network_is_gone_counts_and_does_not_raise(name):
    heard, address = listener()
    heard.close()
    sender = make_sender(f"{name}://{address}")
    sender.send(ROTATIONS, ROOT, 0.0)  # nobody receives
    sender.close()
    sender.close()
    sender.send(ROTATIONS, ROOT, 1.0)
    assert sender.lost > 0


@pytest.mark.parametrize("name", SENDERS)
def test_a_sender_refuses_another_skeleton_and_what_is_no_address(name):
    with pytest.raises(ValueError, match=f"{name}: expected"):
        make_sender(f"{name}://")
    assert SENDERS[name].summary
    assert SENDERS[name].port > 0
    heard, address = listener()
    with heard:
        sender = make_sender(f"{name}://{address}")
        with pytest.raises(ValueError, match="pose: expected"):
            sender.send(ROTATIONS[:21], ROOT, 0.0)
        sender.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("vcm://studio", "did you mean vmc"),
        ("studio:7000", "expected NAME://HOST:PORT"),
        ("", "expected NAME"),
    ],
)
def test_what_is_no_sender_is_refused_in_a_line(url, said):
    with pytest.raises(ValueError, match=said):
        make_sender(url)


def test_a_name_from_outside_is_found(monkeypatch):
    made = []
    spec = senders.SenderSpec(summary="a list", port=1, make=lambda *at: made.append(at))
    monkeypatch.setitem(SENDERS, "list", spec)
    make_sender("list://here")
    make_sender("list://[::1]:7000")
    assert made == [("here", 1), ("::1", 7000)]


@pytest.mark.parametrize(
    "address", ["", ":39539", "host:", "host:0", "host:port", "host:99999", "a/b:1", "[::1"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError, match=r"vmc: expected HOST:PORT such as 127\.0\.0\.1:39539"):
        make_sender(f"vmc://{address}")


@pytest.mark.parametrize("name", SENDERS)
def test_an_unknown_host_is_refused_at_once(name):
    with pytest.raises(ValueError, match="host: expected a machine that is known, got 'no such host'"):
        SENDERS[name].make("no such host", 1)
    with pytest.raises(ValueError, match=f"send: {name}://no such host:1: host: expected"):
        make_sender(f"{name}://no such host:1")


def test_each_sender_gets_as_many_characters_as_it_takes_and_numbers_are_used_again():
    class Counter:
        """A sender that keeps the numbers it got."""

        lost = 0

        def __init__(self, max_characters):
            self.max_characters, self.got = max_characters, []

        def send(self, rotations, root, time, character=0):
            self.got.append((time, character))

        def close(self):
            pass

    one, two = Counter(1), Counter(2)
    group = SenderGroup([one, two], lambda: None)
    for time, key in enumerate("abcab"):
        group.send(key, ROTATIONS, ROOT, time)
    assert one.got == [(0, 0), (3, 0)] and two.got == [(0, 0), (1, 1), (3, 0), (4, 1)]
    group.forget("a")
    group.forget("nobody")
    for time, key in enumerate("bca", 5):
        group.send(key, ROTATIONS, ROOT, time)
    assert one.got[2:] == [(5, 0)] and two.got[4:] == [(5, 1), (6, 0)]


def test_every_sender_gets_the_frames_and_one_that_fails_harms_nobody(model, caplog):
    class Faulty:
        """A sender that has a bug."""

        lost = tries = 0
        max_characters = 1
        is_closed = False

        def send(self, rotations, root, time, character=0):
            self.tries += 1
            raise RuntimeError("no network")

        def close(self):
            self.is_closed = True

    first, second = listener(), listener()
    faulty = Faulty()

    async def scenario():
        group = [make_sender(f"vmc://{first[1]}"), faulty, make_sender(f"vmc://{second[1]}")]
        async with make_server(model, senders=group, speed=4.0) as server, client(server) as one:
            await one.ask("open", prompt="walk")
            frames = await one.watch(MAX_ERRORS_IN_A_ROW + 10)
            assert [frame[6] for frame in frames] == list(range(len(frames)))
            await eventually(lambda: faulty.is_closed)
            assert len(server.broadcaster.senders) == 2
            assert b"sender_errors_total 30.0" in server.metrics.text()

    with first[0], second[0]:
        asyncio.run(asyncio.wait_for(scenario(), 30))
        assert first[0].recv(65536) and second[0].recv(65536)
    assert faulty.tries == MAX_ERRORS_IN_A_ROW and "event=sender_dropped sender=Faulty" in caplog.text


def test_a_sender_may_have_no_hash_write_into_its_pose_and_raise_what_it_likes():
    @dataclass
    class Careless:
        """A sender that is equal to any other of its kind."""

        lost: int = 0
        max_characters: int = 1
        tries: int = 0

        def send(self, rotations, root, time, character=0):
            self.tries += 1
            rotations[:], root[:] = np.nan, np.nan
            raise asyncio.CancelledError

        def close(self):
            self.lost = -1

    careless, rotations, root = [Careless(), Careless()], ROTATIONS.copy(), ROOT.copy()
    group = SenderGroup(careless, lambda: None)
    for time in range(2 * MAX_ERRORS_IN_A_ROW):
        group.send("a", rotations, root, float(time))
    assert [(one.tries, one.lost) for one in careless] == [(MAX_ERRORS_IN_A_ROW, -1)] * 2 and len(group) == 0
    np.testing.assert_array_equal(rotations, ROTATIONS)
    np.testing.assert_array_equal(root, ROOT)


def test_a_sender_that_fails_for_a_moment_is_tried_again():
    class Flaky:
        """A sender that fails every other time."""

        lost = sent = 0
        max_characters = 1

        def send(self, rotations, root, time, character=0):
            if time % 2:
                raise OSError("no network")
            self.sent += 1

        def close(self):
            raise OSError("no network")

    flaky, errors = Flaky(), []
    group = SenderGroup([flaky], lambda: errors.append(1))
    for time in range(4 * MAX_ERRORS_IN_A_ROW):
        group.send("a", ROTATIONS, ROOT, float(time))
    assert (flaky.sent, len(errors), len(group)) == (2 * MAX_ERRORS_IN_A_ROW, 2 * MAX_ERRORS_IN_A_ROW, 1)
    group.close()


@pytest.mark.parametrize(
    "options", [["--send", "nobody://here:1"], ["--send", "vmc://here:port"], ["--vmc", ":1"]]
)
def test_serve_refuses_a_wrong_receiver_before_it_loads_anything(options, capsys):
    assert main(["serve", *options]) == 2
    assert capsys.readouterr().err.startswith("motiongen: error: ")
