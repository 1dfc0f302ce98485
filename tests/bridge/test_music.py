"""Dancers over loopback sockets: what hello says, sound that comes and sound that is refused, and the Python client."""

import asyncio
import json
import wave

import numpy as np
import pytest
from websockets.asyncio.client import connect

from motiongen.streaming.dance_scheduler import DanceScheduler
from motiongen_bridge.audio import WireAudio, encode_audio
from motiongen_bridge.client import Connection, VerbRefused
from tests.bridge import serving
from tests.core.streaming.dancers import FRAME, RATE, tiny_dance_model, tone


def play(scenario, **config):
    """Run a coroutine that takes a server's address."""
    scheduler = DanceScheduler(tiny_dance_model(), max_characters=8, allowance=6)
    serving.play(lambda server: scenario(server.url), scheduler, **config)


async def watch(character, until):
    """Return frames of a character until the first for which that is true."""
    frames = []
    async for frame in character:
        frames.append(frame)
        if until(frame):
            return frames
    raise AssertionError(f"the stream ended after {len(frames)} frames")


async def refusal(url, *messages):
    """Return the first error that messages, JSON or bytes, are answered with."""
    async with connect(url.replace("http", "ws") + "ws", compression=None) as socket:
        for message in messages:
            await socket.send(message if isinstance(message, bytes) else json.dumps(message))
        while True:
            data = await socket.recv()
            if isinstance(data, str) and (error := json.loads(data))["type"] == "error":
                return error


def sound(first=0, rate=RATE, character=1, samples=FRAME):
    return encode_audio(WireAudio(character, rate, first, np.zeros(samples, np.int16)))


OPEN, MUSIC = {"type": "open"}, {"type": "music", "character": 1}


def test_hello_says_that_characters_dance_and_with_what_delay():
    async def scenario(url):
        async with Connection(url) as connection:
            hello = connection.hello
        assert (hello["head"], hello["styles"]) == ("badm", ["break", "pop"])
        assert hello["verbs"] == ["music", "music_end", "style", "seed", "strength"]
        audio = hello["audio"]
        assert (audio["formats"], audio["rates"], audio["ahead_seconds"]) == (["s16"], [8000, 96000], 10)
        assert 0.5 < audio["delay_seconds"] <= 3

    play(scenario)


def test_a_piece_is_danced_from_the_frame_that_the_event_names():
    async def scenario(url):
        async with Connection(url) as connection:
            dancer = await connection.open(style="pop", seed=1)
            playing = asyncio.create_task(dancer.play(tone(2.5), RATE))
            frames = await watch(dancer, lambda frame: frame.obeys > 0)
            number = (await playing).number
            dances = next(event for event in dancer.events if event["event"] == "dances")
        assert (dances["number"], dances["sample"], dances["seq"]) == (number, 0, frames[-1].seq)
        assert [frame.seq for frame in frames] == list(range(len(frames)))

    play(scenario)


def test_a_sound_file_is_read_and_sent(tmp_path):
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(np.zeros(2 * 44100, np.int16).tobytes())

    async def scenario(url):
        async with Connection(url) as connection:
            dancer = await connection.open()
            await dancer.play(tmp_path / "tone.wav")
            await watch(dancer, lambda _: any(event["event"] == "ended" for event in dancer.events))

    play(scenario)


@pytest.mark.slow
def test_live_sound_is_danced_after_the_stated_delay():
    async def scenario(url):
        async with Connection(url) as connection:
            dancer = await connection.open()
            begun = (await watch(dancer, lambda frame: frame.seq == 20))[-1].seq

            async def microphone():
                for part in np.split(tone(2), 20):
                    yield part
                    await asyncio.sleep(len(part) / RATE)

            listening = asyncio.create_task(dancer.listen(microphone(), RATE))
            shown = (await watch(dancer, lambda frame: frame.obeys > 0))[-1].seq
            await listening
            late = (shown - begun) / 30 - connection.hello["audio"]["delay_seconds"]
            assert (
                -0.15 < late < 0.5
            )  # a busy machine may hear late, and no dancer may show what was not heard

    play(scenario)


@pytest.mark.parametrize(
    ("messages", "code", "said"),
    [
        ((OPEN, sound()), "not_now", "audio: no music was begun; say music first"),
        ((sound(),), "unknown_character", "character: expected one of yours, got 1"),
        ((OPEN, MUSIC, sound(first=1)), "bad_value", "audio: expected sample 0 to be the next, got 1"),
        ((OPEN, MUSIC, sound(rate=7000)), "bad_value", "expected 8000..96000 samples a second, got 7000"),
        ((OPEN, MUSIC, sound()[:-1]), "bad_message", "audio: expected 16 bytes and two for each sample"),
        ((OPEN, MUSIC, sound(samples=9000)), "too_long", "message: expected at most 16384 bytes"),
        ((OPEN, {"type": "music_end", "character": 1}), "not_now", "music_end: no music is played"),
        (
            (OPEN, {"type": "style", "character": 1, "name": "polka"}),
            "bad_value",
            "expected one of break, pop",
        ),
        (
            ({"type": "open", "style": "polka"},),
            "bad_value",
            "style: expected one of break, pop, got 'polka'",
        ),
        (
            (OPEN, {"type": "prompt", "character": 1, "text": "walk"}),
            "unknown_type",
            "music, music_end, style",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_danced_is_refused_in_a_line(messages, code, said):
    async def scenario(url):
        error = await refusal(url, *messages)
        assert error["code"] == code and said in error["message"]

    play(scenario)


def test_ten_seconds_of_sound_wait_and_no_more():
    async def scenario(url):
        parts = (sound(first=first, samples=8000) for first in range(0, 11 * RATE, 8000))
        error = await refusal(url, OPEN, MUSIC, *parts)
        assert error["code"] == "busy" and "at most 10 s of sound to wait" in error["message"]

    play(scenario)


def test_who_watches_cannot_play():
    async def scenario(url):
        async with Connection(url) as owner:
            key = (await owner.open()).key
            error = await refusal(url, {"type": "watch", "key": key}, sound())
            assert error["code"] == "read_only"

    play(scenario)


def test_music_that_is_stopped_lets_play_return():
    async def scenario(url):
        async with Connection(url) as connection:
            dancer = await connection.open()
            playing = asyncio.create_task(dancer.play(tone(60), RATE))
            await watch(dancer, lambda frame: frame.obeys > 0)
            await dancer.end_music()
            await asyncio.wait_for(playing, 5)
            with pytest.raises(VerbRefused, match="no music is played"):
                await dancer.end_music()

    play(scenario)


@pytest.mark.slow
def test_a_lost_connection_stops_the_music_and_says_so():
    async def scenario(url):
        async with Connection(url) as connection:
            dancer = await connection.open()
            playing = asyncio.create_task(dancer.play(tone(60), RATE))
            seq = (await watch(dancer, lambda frame: frame.obeys > 0))[-1].seq
            connection.drop()
            with pytest.raises(ConnectionError, match="play it again"):
                await asyncio.wait_for(playing, 5)
            assert (await watch(dancer, lambda frame: frame.seq > seq + 20))[0].seq == seq + 1

    play(scenario)


@pytest.mark.slow
def test_a_long_song_is_sent_within_the_limits_and_never_stalls():
    async def scenario(url):
        async with Connection(url) as connection:
            dancer = await connection.open()
            playing = asyncio.create_task(dancer.play(tone(15), RATE))
            await watch(dancer, lambda _: any(event["event"] == "ended" for event in dancer.events))
            await playing
        assert [event["event"] for event in dancer.events] == ["dances", "ended"]

    play(scenario)
