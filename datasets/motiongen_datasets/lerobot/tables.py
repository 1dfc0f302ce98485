"""Columns of Parquet files as arrays, with errors of one line that name the file and the column."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from motiongen import limits
from motiongen.files import reading


@contextmanager
def open_table(path: Path, columns: Sequence[str]) -> Iterator[Any]:
    """Yield an open Parquet file that has these columns.

    Raises:
        ValueError: the file or a column is missing, or the file is broken.
    """
    if not path.is_file():
        raise ValueError(f"{path}: expected a Parquet file, found none")
    with reading(path, "a whole Parquet file", pa.ArrowException), pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        for column in columns:
            if column not in names:
                raise ValueError(f"{path}: expected a column {column}, got {', '.join(names)[:200]}")
        yield file


def read_table(path: Path, columns: Sequence[str], width: int = 1) -> Any:
    """Return the columns of a Parquet file, of `width` numbers a row in all. Raises as `open_table` does."""
    with open_table(path, columns) as file:
        # Runs of the same value take no space in the file.
        limits.check_expanded(8 * width * file.metadata.num_rows, path.stat().st_size)
        return file.read(columns=list(columns))


def integers(table: Any, column: str, path: Path) -> NDArray[np.int64]:
    """Return a column of integers (R,). Raises ValueError for any other column."""
    values = table.column(column)
    if not pa.types.is_integer(values.type) or values.null_count:
        raise ValueError(f"{path}: {column}: expected whole numbers, got {_kind(values)}")
    return np.asarray(values.to_numpy(), dtype=np.int64)


def rows(table: Any, column: str, width: int, path: Path) -> NDArray[np.float32]:
    """Return a column of rows of numbers (R, width). Raises ValueError for other values and other widths."""
    values = table.column(column).combine_chunks()
    expected = f"{path}: {column}: expected rows of shape ({width},)"
    if values.null_count:
        raise ValueError(f"{expected}, got {_kind(values)}")
    if (
        pa.types.is_list(values.type)
        or pa.types.is_large_list(values.type)
        or pa.types.is_fixed_size_list(values.type)
    ):
        widths = pc.unique(pc.list_value_length(values)).to_pylist()
        if widths not in ([width], []):
            raise ValueError(
                f"{expected}, got {' and '.join(f'({n},)' for n in sorted(widths))}; is it another robot's?"
            )
        values = values.flatten()
    elif width != 1:
        raise ValueError(f"{expected}, got {_kind(values)}")
    kind = values.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise ValueError(f"{expected}, got {_kind(values)}")
    # Nulls become NaN, which the reader reports with frame and episode.
    return values.to_numpy(zero_copy_only=False).astype(np.float32, copy=False).reshape(-1, width)


def _kind(values: Any) -> str:
    """Return the type of a column, and the number of its missing values, for messages."""
    return f"{values.type}" + (f" with {values.null_count} empty rows" if values.null_count else "")
