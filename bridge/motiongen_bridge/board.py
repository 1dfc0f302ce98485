"""A table in shared memory in which the processes of one server tell each other how they are."""

import enum
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

ROW = struct.Struct("<IIB3x")


class WorkerStatus(enum.IntEnum):
    """How a process is; one that is starting, or has died, has written nothing."""

    STARTING = 0
    OK = 1
    DEGRADED = 2
    DRAINING = 3


@dataclass(frozen=True, kw_only=True)
class WorkerRow:
    """What a process tells of itself.

    Attributes:
        connections: open websockets, and those in their handshake.
        characters: characters that live in it.
        status: how it is.
    """

    connections: int = 0
    characters: int = 0
    status: WorkerStatus = WorkerStatus.STARTING

    @property
    def load(self) -> int:
        """What it bears: the less, the rather new clients come to it."""
        return self.connections + self.characters


class Board:
    """The rows of all processes, by their numbers. Each writes its own, and another's at most as a guess until then."""

    def __init__(self, path: Path) -> None:
        """Open a table that `create` has made.

        Args:
            path: its file.
        """
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)

    @classmethod
    def create(cls, path: Path, workers: int) -> "Board":
        """Return a new table, in which all are starting.

        Args:
            path: file that is made.
            workers: count of its rows.
        """
        path.write_bytes(bytes(ROW.size * workers))
        return cls(path)

    def __len__(self) -> int:
        return len(self._map) // ROW.size

    def __getitem__(self, worker: int) -> WorkerRow:
        connections, characters, status = ROW.unpack_from(self._map, worker * ROW.size)
        return WorkerRow(connections=connections, characters=characters, status=WorkerStatus(status))

    def __setitem__(self, worker: int, row: WorkerRow) -> None:
        ROW.pack_into(self._map, worker * ROW.size, row.connections, row.characters, row.status)

    def rows(self) -> list[WorkerRow]:
        """Return all rows."""
        return [self[worker] for worker in range(len(self))]
