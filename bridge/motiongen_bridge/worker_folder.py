"""The folder that the processes of a server share: closed to other users, locked while one of them lives.

After a kill of all it is left over; the next server finds it without a lock, and removes it. Those who clean up after a
while what nobody touches (systemd-tmpfiles) let a folder be that is locked.
"""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from motiongen_bridge.peers import BOARD, MOVED

PREFIX = "motiongen-serve-"
METRICS_FOLDER = "metrics"
"""In it."""


def make_folder() -> tuple[Path, int]:
    """Return a new folder, and a descriptor that keeps it locked: for as long as one of those who inherit it lives."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))  # mode 0700
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_SH)
    for name in (MOVED, METRICS_FOLDER):
        (folder / name).mkdir()
    return folder, lock


def remove_left_over() -> None:
    """Remove the folders of this user's servers that were killed with all their processes."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # another user's, or no folder
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # One that has no table yet is about to be locked.
            if os.fstat(lock).st_uid == os.getuid() and (folder / BOARD).is_file():
                shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:  # in use
            continue
        finally:
            os.close(lock)


def forget_moved(folder: Path, worker: int) -> None:
    """Remove the notes on who has moved to a process: it has died, and they are gone with it.

    Args:
        folder: that the processes share.
        worker: number of the process.
    """
    for note in (folder / MOVED).iterdir():
        try:
            if note.read_text() == str(worker):
                note.unlink()
        except FileNotFoundError:  # another process has removed its own meanwhile
            continue
