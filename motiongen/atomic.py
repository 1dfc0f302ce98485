"""Atomic writes: files and folders are made beside their path and renamed, so that they are there whole or not at all.

What is unfinished is hidden as `.NAME.part.SUFFIX`, and locked by who writes it. After a kill it is left over; the next
write to the same path finds it without a lock, and removes it.
"""

import contextlib
import ctypes
import itertools
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where nobody can tell what is left over: it stays
    fcntl = None  # type: ignore[assignment]

_LONGEST_STEM = 200  # bytes; names of files have 255


def part_of(path: Path, number: int = 0) -> Path:
    """Return the hidden path under which a file or folder is made; others are for those who write at the same time."""
    # The suffix stays, since many writers choose the format by it.
    stem = path.stem.encode()[:_LONGEST_STEM].decode(errors="ignore")
    return path.with_name(f".{stem}.part{number or ''}{path.suffix}")


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a path to write to; the file there is renamed to `path` on success and removed on failure.

    A file that is there keeps its mode; a symbolic link is followed.

    Raises:
        FileNotFoundError: the folder does not exist.
        ValueError: `path` is a folder or a device.
    """
    with atomic_paths(path) as (part,):
        yield part


@contextmanager
def atomic_paths(*paths: str | Path) -> Iterator[tuple[Path, ...]]:
    """Yield paths to write a set of files to; all are on the disk before the first is renamed, in the order given.

    Raises as `atomic_path` does.
    """
    targets = [_target(Path(path)) for path in paths]
    parts: list[Path] = []
    with ExitStack() as locks, naming(targets[-1]):
        try:
            for target in targets:
                part, lock = _claim(target, is_folder=False)
                parts.append(part)
                locks.callback(_release, lock)
            yield tuple(parts)
            for part, target in zip(parts, targets, strict=True):
                if target.exists():
                    os.chmod(part, stat.S_IMODE(target.stat().st_mode))
                flush(part)
            for target in targets:
                os.replace(parts[0], target)
                del parts[0]  # its name is free, and may be another writer's from here on
            for folder in {target.parent for target in targets}:
                flush(folder)
        finally:
            for part in parts:
                part.unlink(missing_ok=True)


@contextmanager
def naming(path: str | Path, part: Path | None = None) -> Iterator[None]:
    """Have an error of the machine name a path: a full disk's names no file, and a hidden part's name helps nobody.

    Args:
        path: what is written, as its user knows it.
        part: a folder in which it is made; errors of the files in it name `path`, too.
    """
    try:
        yield
    except OSError as error:
        name = error.filename
        is_inside = part is not None and name is not None and Path(os.fsdecode(name)).is_relative_to(part)
        if error.errno is None or not (is_inside or _is_hidden(name)):
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


class AtomicFolder:
    """A folder that is made beside its path, and moved there by `commit`.

    Args:
        path: where the folder will be.
        replace: whether a folder with anything in it may be there; it is swapped for the new one, and removed.

    Raises:
        ValueError: something is there that may not be replaced.
    """

    def __init__(self, path: str | Path, *, replace: bool = False) -> None:
        self.path = Path(os.path.realpath(path)) if Path(path).is_symlink() else Path(path)
        self._replace = replace
        self._check()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.part, lock = _claim(self.path, is_folder=True)
        self._locks = [] if lock is None else [lock]

    def commit(self) -> None:
        """Move the folder to its path; on failure it is removed."""
        try:
            self._check()
            for path in self.part.rglob("*"):
                if not path.is_symlink():
                    flush(path)
            flush(self.part)
            old = self._swapped() if self.path.exists() and any(self.path.iterdir()) else None
            if old is None:
                os.replace(self.part, self.path)
            flush(self.path.parent)
        except BaseException:
            self.discard()
            raise
        if old is not None:
            shutil.rmtree(old)
        self._close()

    def discard(self) -> None:
        """Remove what was written."""
        shutil.rmtree(self.part, ignore_errors=True)
        self._close()

    def _swapped(self) -> Path:
        """Exchange the folder for the one that is there; return where that one is now."""
        if fcntl is not None:  # the old one is no left-over while it is removed
            self._locks.append(os.open(self.path, os.O_RDONLY))
            fcntl.flock(self._locks[-1], fcntl.LOCK_EX)
        if _exchange(self.part, self.path):
            return self.part
        aside = self.path.with_name(f".{self.path.name}.old")
        shutil.rmtree(aside, ignore_errors=True)
        os.replace(self.path, aside)
        os.replace(self.part, self.path)
        return aside

    def _close(self) -> None:
        while self._locks:
            os.close(self._locks.pop())

    def _check(self) -> None:
        if not self.path.exists():
            return
        if not self.path.is_dir() or (any(self.path.iterdir()) and not self._replace):
            raise ValueError(
                f"{self.path}: expected nothing there, found something; choose another folder or remove it"
            )


@contextmanager
def atomic_folder(path: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a folder to fill; it is moved to `path` on success and removed on failure. See `AtomicFolder`."""
    folder = AtomicFolder(path, replace=replace)
    with naming(path, folder.part):
        try:
            yield folder.part
        except BaseException:
            folder.discard()
            raise
        folder.commit()


def _target(path: Path) -> Path:
    """Return the file that will be replaced: where a symbolic link leads."""
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path}: expected an existing folder, got {target.parent}; make it first")
    if target.exists() and not target.is_file():
        raise ValueError(f"{path}: expected a file to write, got a folder or device; choose another name")
    return target


def _claim(path: Path, *, is_folder: bool) -> tuple[Path, int | None]:
    """Return an empty part of a path, and the handle that locks it; a part that is left over is removed."""
    for number in itertools.count():
        part = part_of(path, number)
        if part.exists() and not _remove_left_over(part):
            continue
        try:
            if is_folder:
                part.mkdir()
                handle = os.open(part, os.O_RDONLY) if fcntl else None
            else:
                handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        except FileExistsError:
            continue
        if fcntl is None or handle is None:
            _release(handle)
            return part, None
        fcntl.flock(handle, fcntl.LOCK_EX)
        if _is_same(part, handle):  # else another took it for a left-over before the lock
            return part, handle
        _release(handle)
    raise AssertionError("unreachable")


def _remove_left_over(part: Path) -> bool:
    """Remove a part that nobody has locked; return whether it is gone."""
    if fcntl is None or part.is_symlink():
        return False
    with contextlib.suppress(OSError):
        handle = os.open(part, os.O_RDONLY | os.O_NONBLOCK)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink()
        finally:
            os.close(handle)
    return not part.exists()


def _is_hidden(name: str | bytes | None) -> bool:
    """Return whether an error names no file, or one that is hidden."""
    return name is None or os.path.basename(os.fsdecode(name)).startswith(".")


def _is_same(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _release(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)


def flush(path: Path) -> None:
    """Have the disk hold what was written to a file or folder."""
    if path.is_dir():
        if os.name == "nt":
            return  # folders cannot be opened there
        handle = os.open(path, os.O_RDONLY)
    else:
        handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _exchange(a: Path, b: Path) -> bool:
    """Exchange two folders in one step, where the system can; return whether it did."""
    if sys.platform != "linux":
        return False
    here, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):  # an old C library
        return False
    return bool(call(here, os.fsencode(a), here, os.fsencode(b), swap) == 0)
