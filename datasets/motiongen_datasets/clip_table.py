"""Tables of clips: the rows of the clips.csv files that list a dataset's motion files."""

import csv
from pathlib import Path

TABLE = "clips.csv"


def read_rows(root: Path, columns: frozenset[str]) -> list[tuple[Path, dict[str, str]]]:
    """Return (folder of the table, row) for each row of the clips.csv in a folder, else of all below it.

    Args:
        root: the folder.
        columns: columns that a table must have; a table without them belongs to another dataset and is passed over.
    """
    own = root / TABLE
    found = []
    for table in [own] if own.is_file() else sorted(root.rglob(TABLE)):
        with table.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            if columns <= set(reader.fieldnames or ()):
                found += [(table.parent, row) for row in reader]
    return found
