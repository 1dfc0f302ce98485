"""The processes that serve one port together: they know how the others are, and hand clients to each other."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motiongen_bridge.board import Board, WorkerRow, WorkerStatus
from motiongen_bridge.parcels import MAX_PARCEL, Parcel
from motiongen_bridge.places import Place, place_of, wanted_place

ENVIRONMENT = "MOTIONGEN_WORKER"
"""Variable of the environment that tells a process that it is one of several: `Post` as JSON."""
METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""Variable of the environment: the folder in which the processes keep their metrics, by Prometheus' client."""
BOARD, MOVED = "board", "moved"
"""In the folder that the processes share: the table of how they are, and the notes on who has moved."""
TRIES, TRY_SECONDS = 20, 0.05
"""How often a full door is tried again, and after which time."""


@dataclass(frozen=True, kw_only=True)
class Post:
    """What a process is given by the one that starts it.

    Attributes:
        worker: its number.
        folder: has the table and the notes on who has moved.
        sockets: descriptors of the sockets that it listens on.
        mmcp: those of MMCP; only the first process has some.
        door: descriptor of the socket that clients are handed to it by.
        doors: those by which it hands clients to each process.
        began: start of the clock that all share, seconds of `time.monotonic()`.
    """

    worker: int
    folder: str
    sockets: Sequence[int]
    mmcp: Sequence[int]
    door: int
    doors: Sequence[int]
    began: float

    @property
    def descriptors(self) -> list[int]:
        """All that it inherits."""
        return [*self.sockets, *self.mmcp, self.door, *self.doors]

    def to_environment(self) -> dict[str, str]:
        """Return the variables that the process is started with."""
        return {ENVIRONMENT: json.dumps(vars(self))}

    @classmethod
    def from_environment(cls) -> "Post | None":
        """Return what this process was given; None where it is the only one."""
        text = os.environ.get(ENVIRONMENT)
        if text is None:
            return None
        fields: dict[str, Any] = json.loads(text)
        return cls(**fields)


class Peers:
    """A process's view of all processes of its server.

    A character lives in the process that opened it. A client that comes back may be taken in by another one, because
    the kernel gives a connection to any. That one hands the socket on, by SCM_RIGHTS: at once where the client says in
    the address whom it wants, and else when it says `resume` or `watch`.

    Attributes:
        place: of this process.
        began: start of the clock that all share, seconds of `time.monotonic()`.
    """

    def __init__(self, post: Post, server: int = 0) -> None:
        """Make the view of a process.

        Args:
            post: what the process was given.
            server: number of the server.
        """
        self.place, self.began = Place(server, post.worker), post.began
        self._board = Board(Path(post.folder) / BOARD)
        self._moved = Path(post.folder) / MOVED
        self._door = socket.socket(fileno=post.door)
        self._doors = [socket.socket(fileno=fd) for fd in post.doors]
        for one in (self._door, *self._doors):
            one.setblocking(False)

    def open_door(self, on_arrival: Callable[[Parcel, socket.socket], None]) -> None:
        """Take clients in that others hand over, until `close`.

        Args:
            on_arrival: called with each client and its socket.
        """
        asyncio.get_running_loop().add_reader(self._door, self._receive, on_arrival)

    def close(self) -> None:
        """Take no more clients in, and be of no use any more."""
        asyncio.get_running_loop().remove_reader(self._door)
        self.report(WorkerRow())
        for one in (self._door, *self._doors):
            one.close()

    # How the processes are.

    def report(self, row: WorkerRow) -> None:
        """Tell the others how this process is.

        Args:
            row: its row.
        """
        self._board[self.place.worker] = row

    def rows(self) -> list[WorkerRow]:
        """Return how all processes are, this one included."""
        return self._board.rows()

    def characters_elsewhere(self) -> int:
        """Return the count of characters in the other processes."""
        rows = self.rows()
        return sum(row.characters for row in rows) - rows[self.place.worker].characters

    # Who goes where.

    def choose(self, start: bytes) -> int | None:
        """Return the process that is to serve a new client; None where it is this one.

        A client that wants no place in particular goes to the process that bears least.

        Args:
            start: the first bytes that came from it.
        """
        target = start.split(b"\r\n", 1)[0].split(b" ")[1:2]
        if not target:
            return None
        text = target[0].decode("latin-1")
        wanted = wanted_place(text)
        if wanted is not None and wanted.server == self.place.server:
            return self._other(wanted.worker)
        if not text.startswith("/ws"):
            return None
        rows = self.rows()
        well = [number for number, row in enumerate(rows) if row.status is WorkerStatus.OK]
        best = min(well, key=lambda number: rows[number].load, default=self.place.worker)
        mine = rows[self.place.worker]
        if mine.status is WorkerStatus.OK and mine.load <= rows[best].load:
            return None
        return self._other(best)

    def find(self, key: str) -> int | None:
        """Return the process where a session or a character lives that is not here; None where it is of no other.

        Args:
            key: its key.
        """
        place = place_of(key)
        if place is None or place.server != self.place.server:
            return None
        return self._other(self._moved_to(key, place.worker))

    def settle(self, session: str) -> None:
        """Note that a session lives here, where its key tells of another place.

        Args:
            session: its key.
        """
        if place_of(session) == self.place:
            return
        note = self._moved / session
        draft = note.with_suffix(f".{self.place.worker}")
        draft.write_text(str(self.place.worker))
        draft.replace(note)

    def forget(self, session: str) -> None:
        """Forget a session that has ended here, or has moved away.

        Args:
            session: its key.
        """
        if place_of(session) != self.place and self._moved_to(session, -1) == self.place.worker:
            (self._moved / session).unlink(missing_ok=True)

    def _moved_to(self, key: str, otherwise: int) -> int:
        if not (len(key) == 32 and key.isalnum()):  # a client may say anything, and a path is made of it
            return otherwise
        with contextlib.suppress(FileNotFoundError):
            return int((self._moved / key).read_text())
        return otherwise

    def _other(self, worker: int) -> int | None:
        is_other = worker != self.place.worker and 0 <= worker < len(self._board)
        return worker if is_other and self._board[worker].status is not WorkerStatus.STARTING else None

    # Clients that are handed over.

    def hand_over(self, worker: int, parcel: Parcel, client: int) -> bool:
        """Hand a client to another process; return whether that takes it. Close the socket here then.

        Args:
            worker: number of the process.
            parcel: what was read from the client.
            client: descriptor of its socket.
        """
        data = parcel.encode()
        if len(data) > MAX_PARCEL:
            return False
        try:
            socket.send_fds(self._doors[worker], [data], [client])
        except OSError:  # its door is full
            return False
        row = self._board[worker]
        # A guess that it corrects soon: many who come at once are not all to go there.
        self._board[worker] = WorkerRow(
            connections=row.connections + 1, characters=row.characters, status=row.status
        )
        return True

    async def hand_over_patiently(self, worker: int, parcel: Parcel, client: int) -> bool:
        """Hand a client over as `hand_over` does, and try again for a second where the door is full.

        Args:
            worker: number of the process.
            parcel: what was read from the client.
            client: descriptor of its socket.
        """
        for _ in range(TRIES):
            if self.hand_over(worker, parcel, client):
                return True
            await asyncio.sleep(TRY_SECONDS)
        return False

    def _receive(self, on_arrival: Callable[[Parcel, socket.socket], None]) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data, descriptors, _, _ = socket.recv_fds(self._door, MAX_PARCEL, 1)
                if descriptors:
                    on_arrival(Parcel.decode(data), socket.socket(fileno=descriptors[0]))
