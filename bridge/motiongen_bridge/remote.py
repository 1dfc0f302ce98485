"""A server's character as a client has it: verbs that go there, frames that come from there. No sockets here."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from motiongen.streaming.verbs import Answer
from motiongen_bridge.audio import HEADER, WireAudio, encode_audio, to_s16
from motiongen_bridge.frames import WireFrame

WAITING = 300
"""Frames that wait for their reader, ten seconds; the oldest go when there are more."""

LOST = -1
"""Number of music of which some was lost with the connection."""
SHARE = 0.5
"""Of the messages that a client may send, those that sound takes."""


class RequestChannel(Protocol):
    """How a character reaches its server; a Connection is one."""

    hello: dict[str, Any]

    async def request(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a message, and return its answer."""
        ...

    async def send(self, data: bytes) -> None:
        """Send a binary message. Raises ConnectionError where there is no connection now."""
        ...


class VerbRefused(ValueError):
    """The server said no.

    Attributes:
        code: one of PROTOCOL.md's error codes.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class RemoteCharacter:
    """A character of a server: say verbs to it, and iterate over it for its frames.

    Iteration ends when the character is closed or the server says goodbye, and raises ConnectionError when the
    connection is lost for good.

    Attributes:
        number: of the character on its connection.
        key: what others may watch it by; empty where it is only watched.
        last_seq: of the last frame that came; -1 before any.
        dropped: frames that never reach the reader: left out by the server, or not read in time.
        events: what came about, as the server's event messages; the last 64.
    """

    def __init__(self, channel: RequestChannel, number: int, key: str = "") -> None:
        """Made by `Connection.open` and `Connection.watch`."""
        self._channel, self.number, self.key = channel, number, key
        self._piece = 0  # number of the music that is being sent; 0 for none
        self._dances: dict[str, Any] = {}  # the last event of that name
        self.last_seq, self.dropped = -1, 0
        self.events: deque[dict[str, Any]] = deque(maxlen=64)
        self._frames: deque[WireFrame] = deque()
        self._news = asyncio.Event()
        self._is_over = False
        self._error: ConnectionError | None = None

    async def prompt(self, text: str, at: float = 0.0) -> Answer:
        """Do this, now or in `at` seconds."""
        return await self.submit("prompt", text=text, at=at)

    async def then(self, text: str) -> Answer:
        """Do this when what is being done has ended; the answer comes when it begins."""
        return await self.submit("then", text=text)

    async def hold(self) -> Answer:
        """Stop, and stand there alive."""
        return await self.submit("hold")

    async def loop(self) -> Answer:
        """Go round and round in what was done since the last prompt."""
        return await self.submit("loop")

    async def finish(self, seconds: float) -> Answer:
        """Come to an end in so many seconds."""
        return await self.submit("finish", seconds=seconds)

    async def pose(self, rotations: np.ndarray | None = None, root: np.ndarray | None = None) -> Answer:
        """Go on from a pose: rotations (22, 4) xyzw, root (3,) metres; the rest pose when left out."""
        given = {"rotations": rotations, "root": root}
        return await self.submit(
            "pose", **{k: np.asarray(v).tolist() for k, v in given.items() if v is not None}
        )

    async def turn(self, angle: float) -> Answer:
        """Turn by an angle, radians; to the left where it is positive."""
        return await self.submit("turn", angle=angle)

    async def goto(self, x: float, z: float) -> Answer:
        """Walk to a point of the floor, metres."""
        return await self.submit("goto", x=x, z=z)

    async def seed(self, seed: int) -> Answer:
        """Draw from here on with another seed."""
        return await self.submit("seed", seed=seed)

    async def strength(self, scale: float) -> Answer:
        """Follow the words less (1) or more strictly (10)."""
        return await self.submit("strength", scale=scale)

    async def style(self, name: str | None = None) -> Answer:
        """Dance in one of `hello["styles"]`, or in any."""
        return await self.submit("style", name=name)

    async def play(self, source: str | Path | np.ndarray, sample_rate: int | None = None) -> Answer:
        """Let a dancer dance to a sound file or to mono samples (n,); returns when all of it has been sent.

        That is some seconds before it is danced to the end, which the event "ended" tells. The event "dances" tells
        the frame at which it begins. Read the frames meanwhile, in another task.

        Args:
            source: a sound file, or samples: int16, or floats of -1..1.
            sample_rate: of samples.

        Raises:
            VerbRefused: the character does not dance.
            ConnectionError: the connection was lost; play it again.
            ValueError: no sound, or samples without their rate.
        """
        if not isinstance(source, np.ndarray):
            from motiongen.music.audio import read_audio

            audio = read_audio(source)
            source, sample_rate = audio.samples, audio.sample_rate
        if sample_rate is None:
            raise ValueError("sample_rate: expected that of the samples, got none; say it too")
        answer = await self._begin(live=False)
        for first, part in self._parts(to_s16(source), 0):
            end = first + len(part)
            while self._plays(answer) and end > self._shown(sample_rate) + self._ahead * sample_rate:
                await self._pause()
            if not self._plays(answer):
                break  # it was stopped, or other music was begun
            await self._channel.send(encode_audio(WireAudio(self.number, sample_rate, first, part)))
            await self._pause()
        return await self._finish(answer)

    async def listen(self, chunks: AsyncIterable[np.ndarray], sample_rate: int) -> Answer:
        """Let a dancer dance to sound as it comes, `hello["audio"]["delay_seconds"]` behind it; returns at its end.

        Args:
            chunks: mono samples (n,) each, int16 or floats of -1..1; of about a tenth of a second.
            sample_rate: samples a second.

        Raises:
            VerbRefused: the character does not dance.
            ConnectionError: the connection was lost.
        """
        answer, first = await self._begin(live=True), 0
        async for chunk in chunks:
            if not self._plays(answer):
                break
            for start, part in self._parts(to_s16(chunk), first):
                await self._channel.send(encode_audio(WireAudio(self.number, sample_rate, start, part)))
            first += len(chunk)
        return await self._finish(answer)

    async def end_music(self) -> Answer:
        """Stop the music that is being danced to."""
        self._piece = 0
        return await self.submit("music_end", now=True)

    async def _begin(self, *, live: bool) -> Answer:
        answer = await self.submit("music", live=live)
        self._piece, self._dances = answer.number, {}
        return answer

    async def _finish(self, answer: Answer) -> Answer:
        if self._piece == answer.number:
            await self.submit("music_end")
            self._piece = 0
        return answer

    async def _pause(self) -> None:
        """Wait as long as keeps a piece to its share of the messages."""
        await asyncio.sleep(1 / (SHARE * self._channel.hello["limits"]["messages_per_second"]))

    def _plays(self, answer: Answer) -> bool:
        """Whether music goes on: it was not stopped, nor other begun. Raises ConnectionError when it cannot."""
        if self._piece == LOST or (self._is_over and self._piece == answer.number):
            raise ConnectionError("the music stopped: the connection was lost; play it again")
        return self._piece == answer.number

    def _parts(self, samples: np.ndarray, first: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield samples in messages' sizes, and the number of each part's first."""
        size = (int(self._channel.hello["limits"]["message_bytes"]) - HEADER.size) // 2
        for start in range(0, len(samples), size):
            yield first + start, samples[start : start + size]

    @property
    def _ahead(self) -> float:
        return float(self._channel.hello.get("audio", {}).get("ahead_seconds", 1.0))

    def _shown(self, sample_rate: int) -> float:
        """The sample of the music that the last frame showed; 0 before it began."""
        if self._dances.get("number") != self._piece:
            return 0.0
        seconds = (self.last_seq - self._dances["seq"]) / self._channel.hello["fps"]
        return max(0.0, self._dances["sample"] + seconds * sample_rate)

    async def submit(self, verb: str, **arguments: Any) -> Answer:
        """VerbMessage any verb of PROTOCOL.md; while the connection is being made again, it waits for that.

        Raises:
            VerbRefused: it makes no sense, or not now.
            ConnectionError: the connection is over, or was lost before the answer came.
        """
        reply = await self._channel.request({"type": verb, "character": self.number, **arguments})
        return Answer(reply["number"], reply["seq"], reply.get("note", ""))

    async def close(self) -> None:
        """Let the character go, or stop watching it; what waits can still be read."""
        if not self._is_over:
            await self._channel.request({"type": "close", "character": self.number})

    async def __aiter__(self) -> AsyncIterator[WireFrame]:
        while True:
            while self._frames:
                yield self._frames.popleft()
            if self._error is not None:
                raise self._error
            if self._is_over:
                return
            self._news.clear()
            await self._news.wait()

    def take(self, frame: WireFrame) -> None:
        """Let a frame wait for the reader; for the connection."""
        if frame.seq <= self.last_seq:
            return  # it came before the connection dropped
        if self.last_seq >= 0:
            self.dropped += frame.seq - self.last_seq - 1
        self.last_seq = frame.seq
        if len(self._frames) >= WAITING:
            self._frames.popleft()
            self.dropped += 1
        self._frames.append(frame)
        self._news.set()

    def note(self, event: dict[str, Any]) -> None:
        """Take note of an event; for the connection."""
        self.events.append(event)
        if event["event"] == "dances":
            self._dances = event

    def interrupt(self) -> None:
        """Send no more of the music: some of it was lost with the connection; for the connection."""
        self._piece = LOST if self._piece else 0

    def end(self, error: ConnectionError | None = None) -> None:
        """Let the reader come to an end, or to an error, after what waits; for the connection."""
        if not self._is_over:
            self._is_over, self._error = True, error
            self._news.set()
