"""Reading of files that may be broken or hostile: one kind of error, and no path that leads elsewhere."""

import json
import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import unquote

from motiongen import limits

_BROKEN: tuple[type[Exception], ...] = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RuntimeError,  # RecursionError and NotImplementedError, too; and torch's
    SyntaxError,  # of the headers of NumPy's arrays
    TypeError,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What code raises, beside ValueError, when a file's content is not as it must be."""


@contextmanager
def reading(path: str | Path, expected: str, *also: type[Exception]) -> Iterator[None]:
    """Turn whatever a broken file makes the block raise into one ValueError that names the file.

    A ValueError that names the file passes as it is, with its line or frame; so do errors of the machine, which name a
    file of their own (none there, no right to read it).

    Args:
        path: the file.
        expected: what it should be, such as "a whole NPZ archive".
        also: errors of a library that mean that the file is broken.

    Raises:
        ValueError: the block failed.
    """
    try:
        yield
    except ValueError as error:
        if isinstance(error, also):
            raise _broken(path, expected, error) from error
        if Path(path).name in str(error):
            raise
        raise ValueError(f"{path}: {_one_line(error)}") from error
    except _BROKEN + also as error:
        raise _broken(path, expected, error) from error
    except OSError as error:
        if error.filename is not None:
            raise
        raise _broken(path, expected, error) from error


def _broken(path: str | Path, expected: str, error: Exception) -> ValueError:
    reason = f"{type(error).__name__} {_one_line(error)}".rstrip()
    return ValueError(f"{path}: expected {expected}, got a damaged one ({reason}); copy it again")


def _one_line(error: Exception, longest: int = 300) -> str:
    """Return an error's text as one line."""
    text = " ".join(str(error).split())
    return text if len(text) <= longest else text[:longest] + " …"


def read_json(path: str | Path, expected: str = "a JSON object") -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is too large, or holds no JSON object.
    """
    path = Path(path)
    with reading(path, expected):
        limits.check_file_size(path, limits.MAX_JSON_BYTES)
        try:
            record = json.loads(path.read_text(encoding="utf-8-sig"))
        except ValueError as error:
            raise ValueError(f"{path}: expected JSON, got an error ({error}); copy it again") from error
        if not isinstance(record, dict):
            raise ValueError(f"{path}: expected a JSON object, got {type(record).__name__}; copy it again")
    return record


def read_xz(path: Path, name: str, fix: str) -> str:
    """Return the text of an xz file; no more is decompressed than a file of its size can honestly hold.

    Args:
        path: the file.
        name: of what it holds, for the message.
        fix: what to do where it is damaged.

    Raises:
        ValueError: it is too large, or does not end where it must.
    """
    limits.check_file_size(path)
    return unpack_xz(path.read_bytes(), name, fix)


def unpack_xz(data: bytes, name: str, fix: str) -> str:
    """Return the text of the bytes of an xz file; see `read_xz`."""
    decompressor = lzma.LZMADecompressor()
    text = decompressor.decompress(data, max(limits.FREE_BYTES, limits.GROWTH * len(data)))
    if not decompressor.eof:
        raise ValueError(f"{name}: expected the end of the list, got more or less; {fix}")
    return text.decode("utf-8")


def beside(folder: str | Path, name: str, *also: Path, is_uri: bool = False) -> Path:
    """Return the path of a file that another file names, which must lie in the same folder or below it.

    Args:
        folder: the folder of the file that holds the name.
        name: relative path with forward slashes.
        also: other folders in which a symbolic link may end.
        is_uri: whether the name is percent-coded, and may not be an address.

    Raises:
        ValueError: the name is absolute, has "..", is an address, or leads out of the folder by a symbolic link.
    """
    folder = Path(folder)
    plain = unquote(name, errors="strict") if is_uri else name
    windows = PureWindowsPath(plain)
    if (
        not plain
        or "\0" in plain
        or PurePosixPath(plain).is_absolute()
        or windows.root
        or windows.drive
        or ".." in windows.parts
        or (is_uri and "://" in plain)
    ):
        raise ValueError(
            f"{folder}: expected the name of a file in this folder or below, got {name[:200]!r}; copy the file there"
        )
    path = folder / plain
    real = path.resolve()
    if not any(real.is_relative_to(home.resolve()) for home in (folder, *also)):
        raise ValueError(
            f"{folder}: expected {name[:200]!r} to lie in this folder, got a link out of it; copy the file there"
        )
    return path


def visible(paths: Iterator[Path], root: Path) -> list[Path]:
    """Return paths below a folder, sorted, without those that are hidden or lie in a hidden folder below it."""
    return sorted(p for p in paths if not any(part.startswith(".") for part in p.relative_to(root).parts))
