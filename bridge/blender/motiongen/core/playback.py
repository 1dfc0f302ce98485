"""Shows frames at their time by the server's clock, a little late, and blends between them (PROTOCOL.md, "Time")."""

from collections import deque
from typing import NamedTuple

from .frames import Frame
from .quaternion import Quaternion, Vector

CAPACITY = 300
"""Most frames that wait: ten seconds, for a window that is not drawn."""
ARRIVALS = 90
QUANTILE = 0.97
LONGEST_DELAY = 0.5
TELEPORT = 0.6
"""A root that moves further than this between two frames jumps, metres."""


class ServerClock:
    """Estimate of the server's clock: the quickest of the last pongs errs least (Cristian, 1989).

    Attributes:
        offset: seconds to add to the local clock for the server's.
    """

    def __init__(self) -> None:
        self.offset = 0.0
        self._answers: deque[tuple[float, float]] = deque(maxlen=8)

    def add(self, sent: float, received: float, server_time: float) -> None:
        """Record a pong: when its ping was sent, when it came, and the server's time in it, all in seconds."""
        self._answers.append((received - sent, server_time - (sent + received) / 2))
        self.offset = min(self._answers)[1]


class Pose(NamedTuple):
    """What is to be seen at one time.

    Attributes:
        time: seconds of the server's clock.
        root: position of the root, metres.
        rotations: local rotations, xyzw.
    """

    time: float
    root: Vector
    rotations: tuple[Quaternion, ...]


class Playback:
    """The frames of one character. All times are seconds of the server's clock.

    Attributes:
        delay: how far behind the server's clock it shows.
    """

    def __init__(self, fps: float) -> None:
        """Make an empty one, for so many frames a second."""
        self._interval = 1 / fps
        self.delay = 1.5 * self._interval
        self._frames: deque[Frame] = deque(maxlen=CAPACITY)
        self._lateness: deque[float] = deque(maxlen=ARRIVALS)

    def clear(self) -> None:
        """Forget all frames: those that follow have another clock."""
        self._frames.clear()
        self._lateness.clear()

    def push(self, frame: Frame, arrival: float) -> None:
        """Store a frame that came when the server's clock showed `arrival`."""
        if self._frames and frame.time <= self._frames[-1].time:
            return
        self._frames.append(frame)
        self._lateness.append(arrival - frame.time / 1e6)
        ordered = sorted(self._lateness)
        late = ordered[min(len(ordered) - 1, int(QUANTILE * len(ordered)))]
        wanted = min(LONGEST_DELAY, max(0.0, late) + 1.2 * self._interval)
        # It grows fast and shrinks slowly: late frames come in bursts.
        self.delay += (wanted - self.delay) * (0.5 if wanted > self.delay else 0.02)

    def sample(self, now: float) -> Pose | None:
        """Return the pose to be seen when the server's clock shows `now`; None before the first frame."""
        if not self._frames:
            return None
        at = now - self.delay
        while len(self._frames) > 1 and self._frames[1].time / 1e6 <= at:
            self._frames.popleft()
        a = self._frames[0]
        return blend(a, self._frames[1] if len(self._frames) > 1 else None, at, self._interval)


def blend(a: Frame, b: Frame | None, at: float, interval: float) -> Pose:
    """Return the pose between two frames; after a pause it holds, and moves in the last two intervals before b."""
    if b is None or max(abs(p - q) for p, q in zip(a.root, b.root, strict=True)) > TELEPORT:
        return Pose(at, a.root, a.rotations)
    begin = max(a.time / 1e6, b.time / 1e6 - 2 * interval)
    share = min(1.0, max(0.0, (at - begin) / (b.time / 1e6 - begin)))
    root = tuple(p + share * (q - p) for p, q in zip(a.root, b.root, strict=True))
    turns = tuple(nlerp(p, q, share) for p, q in zip(a.rotations, b.rotations, strict=True))
    return Pose(at, root, turns)


def nlerp(p: Quaternion, q: Quaternion, share: float) -> Quaternion:
    """Return the rotation between two: linear and made unit again, for small turns slerp to 1 %."""
    sign = -share if sum(a * b for a, b in zip(p, q, strict=True)) < 0 else share
    x, y, z, w = ((1 - share) * a + sign * b for a, b in zip(p, q, strict=True))
    size = (x * x + y * y + z * z + w * w) ** 0.5 or 1.0
    return x / size, y / size, z / size, w / size


class Take:
    """Frames that are kept, to be written as keys."""

    def __init__(self, fps: float) -> None:
        """Make an empty one, of frames that come so many a second."""
        self._interval = 1 / fps
        self.frames: list[Frame] = []

    def push(self, frame: Frame) -> None:
        """Keep a frame, unless it is none of the future."""
        if not self.frames or frame.time > self.frames[-1].time:
            self.frames.append(frame)

    def poses(self, fps: float) -> list[Pose]:
        """Return a pose for each frame of a scene, from the first that was kept to the last; time begins at 0."""
        if not self.frames:
            return []
        begin, end = self.frames[0].time / 1e6, self.frames[-1].time / 1e6
        poses, n = [], 0
        for number in range(int((end - begin) * fps + 1e-6) + 1):
            at = begin + number / fps
            while n + 1 < len(self.frames) and self.frames[n + 1].time / 1e6 <= at + 1e-9:
                n += 1
            following = self.frames[n + 1] if n + 1 < len(self.frames) else None
            poses.append(blend(self.frames[n], following, at, self._interval)._replace(time=number / fps))
        return poses
