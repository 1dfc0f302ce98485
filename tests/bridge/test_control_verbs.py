"""Verbs that drive a character: the Python client sends them as the fixtures have them, as every client does."""

import asyncio
import json
from pathlib import Path

import numpy as np

from motiongen.constraints import Avoid
from motiongen_bridge.messages import read_message
from motiongen_bridge.remote import RemoteCharacter

FIXTURES = json.loads((Path(__file__).parents[2] / "bridge/fixtures/verbs.json").read_text(encoding="utf-8"))[
    "verbs"
]


class Recorder:
    """Keeps what is sent, and answers all of it."""

    def __init__(self):
        self.sent = []

    async def request(self, message, *, extra_seconds=0.0):
        self.sent.append(message)
        return {"number": 1, "seq": 0}


async def say_all(character):
    await character.steer([0.5, 1.25])
    await character.steer([0, -0.75], facing=1.5, frame="character")
    await character.goto(1.5, -2.0)
    await character.goto(1.5, -2.0, heading=0.5, seconds=4.0)
    await character.path([[0, 1], [1.5, 2]], heading=-1.0, speed=1.25)
    await character.avoid(
        [Avoid(center=(0.0, 2.0), radius=0.5), Avoid(center=(1.0, 2.0), size=(0.5, 1.0), turn=0.25)]
    )
    await character.avoid([])
    await character.reach("left", [0.25, 1.5, 0.5])
    await character.reach("right")
    await character.look([0, 1.5, 2], frame="character")
    await character.look()
    await character.pose(root=np.array([0, 1, 0.5]), at=1.5)


def test_verbs_are_sent_as_the_fixtures_have_them():
    recorder = Recorder()
    asyncio.run(say_all(RemoteCharacter(recorder, 3)))
    assert recorder.sent == FIXTURES


def test_the_server_reads_the_fixtures():
    for message in FIXTURES:
        read = read_message(json.dumps(message))
        assert (read.verb, read.character) == (message["type"], 3)
