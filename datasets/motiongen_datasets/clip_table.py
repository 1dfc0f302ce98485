"""Tables of clips: the rows of the clips.csv files that list a dataset's motion files, and of users' own tables."""

import csv
import math
from pathlib import Path

from motiongen import limits
from motiongen.files import beside, reading, visible

TABLE = "clips.csv"
_PATHS = ("file", "skeleton")
"""Columns that name files below the table's folder."""


_NUMBERS = frozenset({"fps", "source_fps", "unit_to_metres"})
"""Columns of positive numbers."""


def read_rows(root: Path, columns: frozenset[str]) -> list[tuple[Path, dict[str, str]]]:
    """Return (folder of the table, row) for each row of the clips.csv in a folder, else of all below it.

    Args:
        root: the folder.
        columns: columns that a table must have; a table without them belongs to another dataset and is passed over.

    Raises:
        ValueError: a table is broken, or names a file outside its folder.
    """
    own = root / TABLE
    found = []
    for table in [own] if own.is_file() else visible(root.rglob(TABLE), root):
        names, rows = read_table(table)
        if columns <= set(names):
            for line, row in enumerate(rows, 2):
                with reading(table, "a table of clips"):
                    for column in _PATHS:
                        if row.get(column):
                            beside(table.parent, row[column])
                    for column in _NUMBERS & row.keys():
                        _check_positive(row[column], f"row {line}: {column}")
            found += [(table.parent, row) for row in rows]
    return found


def read_table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Return the columns and the rows of a table as programs write it; a value that is missing is empty.

    Excel writes UTF-8 with a mark, UTF-16 or Windows-1252, and separates by comma, semicolon or tab.

    Raises:
        ValueError: the file is no text, or no table; the message names it.
    """
    with reading(path, "a table as CSV", csv.Error):
        limits.check_file_size(path, limits.MAX_JSON_BYTES)
        text = _decoded(path.read_bytes())
        if "\0" in text:
            raise ValueError("table: expected text, got bytes of 0; save it as CSV in UTF-8")
        head = text.partition("\n")[0]
        lines = csv.DictReader(text.splitlines(True), delimiter=max(",;\t", key=head.count), restval="")
        names = [" ".join(name.split()) for name in lines.fieldnames or ()]
        lines.fieldnames = names
        return names, [{name: row[name] for name in names} for row in lines]


def _check_positive(text: str, name: str) -> None:
    try:
        is_positive = 0 < float(text) < math.inf
    except ValueError:
        is_positive = False
    if not is_positive:
        raise ValueError(f"{name}: expected a positive number, got {text[:80]!r}; correct the table")


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")
