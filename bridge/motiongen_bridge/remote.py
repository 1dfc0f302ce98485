"""The client's handle of a server's character: verbs go there, frames come from there. No sockets here."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from motiongen.constraints import Avoid
from motiongen.streaming.verbs import Answer
from motiongen_bridge.audio import HEADER, WireAudio, encode_audio, to_s16
from motiongen_bridge.frames import WireFrame

MAX_WAITING_FRAMES = 300
"""Frames that wait for their reader, ten seconds; the oldest are dropped when there are more."""
LOST = -1
"""Number of a piece of music of which a part was lost with the connection."""
AUDIO_SHARE = 0.5
"""Share of the messages that a client may send which is used for sound."""


class RequestChannel(Protocol):
    """A way to send messages to the server; a Connection is one.

    Attributes:
        hello: the server's first message.
        frame_timeout: seconds in which the next frame must come.
    """

    hello: dict[str, Any]
    frame_timeout: float

    @property
    def is_live(self) -> bool:
        """Whether messages can be sent now."""
        ...

    async def request(self, message: dict[str, Any], *, extra_seconds: float = 0.0) -> dict[str, Any]:
        """Send a message, and return its answer.

        Args:
            message: the JSON object, without an id.
            extra_seconds: time that the answer takes by itself; infinite for no time limit.
        """
        ...

    async def send(self, data: bytes) -> None:
        """Send a binary message.

        Args:
            data: the message.

        Raises:
            ConnectionError: there is no connection now.
        """
        ...


class VerbRefused(ValueError):
    """The server refused a message.

    Attributes:
        code: one of PROTOCOL.md's error codes.
    """

    def __init__(self, code: str, message: str) -> None:
        """Make an error.

        Args:
            code: one of PROTOCOL.md's error codes.
            message: the server's reason.
        """
        super().__init__(message)
        self.code = code


class RemoteCharacter:
    """A character of a server: send it verbs, and iterate over it for its frames.

    Iteration ends when the character is closed. It raises ConnectionError when the server stops or the connection is
    lost for good, and TimeoutError where no frame comes within the connection's `frame_timeout`; it may be iterated
    over again after that. Each verb raises VerbRefused, ConnectionError or TimeoutError as `submit` does.

    Attributes:
        number: number of the character on its connection.
        key: secret by which other connections may watch it; empty where it is only watched.
        avatar: name, skeleton and parts of the avatar that its frames are of (PROTOCOL.md, "Avatars"); None where they
            are of `hello["skeleton"]`.
        last_seq: number of the last frame that came; -1 before any.
        dropped: frames that never reach the reader: left out by the server, or not read in time.
        events: the last 64 event messages.
    """

    def __init__(
        self, channel: RequestChannel, number: int, key: str = "", avatar: dict[str, Any] | None = None
    ) -> None:
        """Make a handle; for the connection.

        Args:
            channel: sends messages to the server.
            number: number of the character on the connection.
            key: its key; empty where it is only watched.
            avatar: what the server said of its avatar.
        """
        self._channel, self.number, self.key, self.avatar = channel, number, key, avatar
        self._music = 0  # number of the music that is being sent; 0 for none
        self._dances: dict[str, Any] = {}  # the last event of that name
        self.last_seq, self.dropped = -1, 0
        self.events: deque[dict[str, Any]] = deque(maxlen=64)
        self._frames: deque[WireFrame] = deque()
        self._changed = asyncio.Event()
        self._is_over = False
        self._error: ConnectionError | None = None

    async def prompt(self, text: str, at: float = 0.0) -> Answer:
        """Start a prompt, now or later.

        Args:
            text: one sentence.
            at: seconds from now; the answer comes then.
        """
        return await self.submit("prompt", text=text, at=at)

    async def then(self, text: str) -> Answer:
        """Queue a prompt; the answer comes when it starts, without a time limit.

        Args:
            text: one sentence.
        """
        return await self.submit("then", text=text)

    async def hold(self) -> Answer:
        """Stop, and stand idle."""
        return await self.submit("hold")

    async def loop(self) -> Answer:
        """Repeat the best cycle of the motion since the last prompt."""
        return await self.submit("loop")

    async def finish(self, seconds: float) -> Answer:
        """End the current motion soon.

        Args:
            seconds: time to its end.
        """
        return await self.submit("finish", seconds=seconds)

    async def pose(
        self, rotations: np.ndarray | None = None, root: np.ndarray | None = None, at: float = 0.0
    ) -> Answer:
        """Jump to a pose, and continue from there; or come to it at a time ahead.

        Args:
            rotations: (22, 4) local rotations, xyzw; the rest pose when left out.
            root: (3,) metres; on the floor when left out: at the origin, or ahead of time wherever it then is.
            at: seconds from now; 0 jumps.
        """
        given = {"rotations": rotations, "root": root, "at": at or None}
        return await self.submit(
            "pose", **{k: np.asarray(v).tolist() for k, v in given.items() if v is not None}
        )

    async def turn(self, angle: float) -> Answer:
        """Turn while moving.

        Args:
            angle: radians, to the left where positive.
        """
        return await self.submit("turn", angle=angle)

    async def goto(
        self, x: float, z: float, heading: float | None = None, seconds: float | None = None
    ) -> Answer:
        """Walk to a point of the floor.

        Args:
            x: metres along the world's +X.
            z: metres along the world's +Z.
            heading: where to look there, radians from +Z to +X; any when None.
            seconds: time until it is there; that of its usual speed when None.
        """
        return await self.submit("goto", x=x, z=z, **_given(heading=heading, seconds=seconds))

    async def path(
        self,
        points: Sequence[Sequence[float]],
        heading: float | None = None,
        seconds: float | None = None,
        speed: float | None = None,
    ) -> Answer:
        """Follow a polyline over the floor, from where it is.

        Args:
            points: (n, 2) x and z, metres.
            heading: where to look at the end, radians from +Z to +X; any when None.
            seconds: time until it is there; that of the speed when None.
            speed: m/s; its usual one when None.
        """
        listed = np.asarray(points, dtype=float).tolist()
        return await self.submit(
            "path", points=listed, **_given(heading=heading, seconds=seconds, speed=speed)
        )

    async def avoid(self, obstacles: Sequence[Avoid]) -> Answer:
        """Go around circles and boxes from now on.

        Args:
            obstacles: they replace those of before; none to forget them.
        """
        return await self.submit("avoid", obstacles=[_shape(obstacle) for obstacle in obstacles])

    async def reach(self, hand: str, point: Sequence[float] | None = None, frame: str = "world") -> Answer:
        """Lead a hand to a point, which may move; the newest wins.

        Args:
            hand: "left" or "right".
            point: (3,) of the wrist, metres; None to let go.
            frame: "world", or "character" for metres to its left, up from the floor, and ahead: the point goes along.
        """
        return await self.submit("reach", hand=hand, point=_floats(point), frame=frame)

    async def look(self, point: Sequence[float] | None = None, frame: str = "world") -> Answer:
        """Turn the head to a point, which may move; the newest wins.

        Args:
            point: (3,) metres; None to let go.
            frame: as of `reach`.
        """
        return await self.submit("look", point=_floats(point), frame=frame)

    async def steer(
        self, velocity: Sequence[float], facing: float | None = None, frame: str = "world"
    ) -> Answer:
        """Move with a velocity until something else is said; the newest wins, and 0 stops.

        Args:
            velocity: m/s along the world's +X and +Z, or to the left and ahead of the character.
            facing: heading, radians from +Z to +X, or from its front to its left; the way that it goes when None.
            frame: "world" or "character".
        """
        return await self.submit("steer", velocity=_floats(velocity), facing=facing, frame=frame)

    async def seed(self, seed: int) -> Answer:
        """Sample with another seed from here on.

        Args:
            seed: 0 to 2**53 - 1.
        """
        return await self.submit("seed", seed=seed)

    async def strength(self, scale: float) -> Answer:
        """Set the guidance scale.

        Args:
            scale: how strictly the prompts or the music are followed, 1 to 10.
        """
        return await self.submit("strength", scale=scale)

    async def style(self, name: str | None = None) -> Answer:
        """Choose the style of the dance.

        Args:
            name: one of `hello["styles"]`; any when None.
        """
        return await self.submit("style", name=name)

    async def submit(self, verb: str, **arguments: Any) -> Answer:
        """Send any verb of PROTOCOL.md, and return its answer; while the connection is lost, it waits for the next.

        Args:
            verb: name of the verb.
            arguments: its arguments.

        Raises:
            VerbRefused: the verb is invalid, impossible now, or it failed.
            ConnectionError: the connection is over, or was lost before the answer came.
            TimeoutError: no answer came in time.
        """
        # These are answered when they start, and not when they are received.
        extra_seconds = math.inf if verb == "then" else 0.0
        if verb == "prompt" and isinstance(at := arguments.get("at"), int | float):
            extra_seconds = max(0.0, at)
        message = {"type": verb, "character": self.number, **arguments}
        reply = await self._channel.request(message, extra_seconds=extra_seconds)
        return Answer(reply["number"], reply["seq"], reply.get("note", ""))

    async def close(self) -> None:
        """Close the character, or stop watching it; frames that wait can still be read."""
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
            await self._wait_for_change()

    async def _wait_for_change(self) -> None:
        """Wait for a frame or the end. The time in which the connection is made again has a limit of its own."""
        limit = self._channel.frame_timeout
        self._changed.clear()
        try:
            async with asyncio.timeout(None if math.isinf(limit) else limit):
                await self._changed.wait()
        except TimeoutError:
            if self._channel.is_live:
                raise TimeoutError(
                    f"character {self.number}: expected a frame within {limit:g} s, got none; "
                    "the server may be failing, see its /healthz"
                ) from None

    # Music.

    async def play(self, source: str | Path | np.ndarray, sample_rate: int | None = None) -> Answer:
        """Dance to a sound file or to samples; returns when all of it has been sent.

        That is some seconds before the dance ends, which the event "ended" tells. The event "dances" tells the frame
        at which it begins. Read the frames meanwhile, in another task.

        Args:
            source: a sound file, or mono samples (n,): int16, or floats of -1..1.
            sample_rate: samples a second; needed with samples.

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
        answer = await self._begin_music(live=False)
        for first, part in self._parts(to_s16(source), 0):
            end = first + len(part)
            ahead = self._ahead_seconds * sample_rate
            while self._is_playing(answer) and end > self._shown_sample(sample_rate) + ahead:
                await self._pause()
            if not self._is_playing(answer):
                break  # it was stopped, or replaced
            await self._channel.send(encode_audio(WireAudio(self.number, sample_rate, first, part)))
            await self._pause()
        return await self._finish_music(answer)

    async def listen(self, chunks: AsyncIterable[np.ndarray], sample_rate: int) -> Answer:
        """Dance to live sound, `hello["audio"]["delay_seconds"]` behind it; returns at its end.

        Args:
            chunks: mono samples (n,) each, int16 or floats of -1..1; of about a tenth of a second.
            sample_rate: samples a second.

        Raises:
            VerbRefused: the character does not dance.
            ConnectionError: the connection was lost.
        """
        answer, first = await self._begin_music(live=True), 0
        async for chunk in chunks:
            if not self._is_playing(answer):
                break
            for start, part in self._parts(to_s16(chunk), first):
                await self._channel.send(encode_audio(WireAudio(self.number, sample_rate, start, part)))
            first += len(chunk)
        return await self._finish_music(answer)

    async def end_music(self) -> Answer:
        """Stop the music."""
        self._music = 0
        return await self.submit("music_end", now=True)

    async def _begin_music(self, *, live: bool) -> Answer:
        answer = await self.submit("music", live=live)
        self._music, self._dances = answer.number, {}
        return answer

    async def _finish_music(self, answer: Answer) -> Answer:
        if self._music == answer.number:
            await self.submit("music_end")
            self._music = 0
        return answer

    async def _pause(self) -> None:
        """Wait between two audio messages, so that they keep to their share."""
        await asyncio.sleep(1 / (AUDIO_SHARE * self._channel.hello["limits"]["messages_per_second"]))

    def _is_playing(self, answer: Answer) -> bool:
        """Return whether music was neither stopped nor replaced. Raises ConnectionError where a part was lost."""
        if self._music == LOST or (self._is_over and self._music == answer.number):
            raise ConnectionError("the music stopped: the connection was lost; play it again")
        return self._music == answer.number

    def _parts(self, samples: np.ndarray, first: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (number of the first sample, samples) of each message."""
        size = (int(self._channel.hello["limits"]["message_bytes"]) - HEADER.size) // 2
        for start in range(0, len(samples), size):
            yield first + start, samples[start : start + size]

    @property
    def _ahead_seconds(self) -> float:
        return float(self._channel.hello.get("audio", {}).get("ahead_seconds", 1.0))

    def _shown_sample(self, sample_rate: int) -> float:
        """Return the sample of the music that the last frame showed; 0 before it began."""
        if self._dances.get("number") != self._music:
            return 0.0
        seconds = (self.last_seq - self._dances["seq"]) / self._channel.hello["fps"]
        return max(0.0, self._dances["sample"] + seconds * sample_rate)

    # For the connection.

    def take(self, frame: WireFrame) -> None:
        """Queue a frame for the reader; for the connection.

        Args:
            frame: as it came.
        """
        if frame.seq <= self.last_seq:
            return  # it came before the connection dropped
        if self.last_seq >= 0:
            self.dropped += frame.seq - self.last_seq - 1
        self.last_seq = frame.seq
        if len(self._frames) >= MAX_WAITING_FRAMES:
            self._frames.popleft()
            self.dropped += 1
        self._frames.append(frame)
        self._changed.set()

    def add_event(self, event: dict[str, Any]) -> None:
        """Record an event; for the connection.

        Args:
            event: the message.
        """
        self.events.append(event)
        if event["event"] == "dances":
            self._dances = event

    def interrupt(self) -> None:
        """Stop sending music: a part of it was lost with the connection; for the connection."""
        self._music = LOST if self._music else 0

    def wake(self) -> None:
        """Begin the time limit of the next frame anew; for the connection."""
        self._changed.set()

    def end(self, error: ConnectionError | None = None) -> None:
        """End the iteration after the frames that wait; for the connection.

        Args:
            error: raised to the reader; None for a normal end.
        """
        if not self._is_over:
            self._is_over, self._error = True, error
            self._changed.set()


def _floats(values: Sequence[float] | None) -> list[float] | None:
    return None if values is None else [float(value) for value in values]


def _given(**arguments: float | None) -> dict[str, float]:
    return {name: value for name, value in arguments.items() if value is not None}


def _shape(obstacle: Avoid) -> dict[str, Any]:
    """Return an obstacle as a message has it."""
    if obstacle.radius is not None:
        return {"center": list(obstacle.center), "radius": obstacle.radius}
    assert obstacle.size is not None
    return {"center": list(obstacle.center), "size": list(obstacle.size), "turn": obstacle.turn}
