"""Numbered files to which episodes are appended; when a file has reached its size, the next one is started."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from motiongen_datasets.lerobot.layout import CAMERA, CHUNK_FILES, DATA_PATH, VIDEO_PATH
from motiongen_datasets.lerobot.video import VideoWriter


class _FileSeries:
    """Numbered files, the last of which is open for writing.

    Args:
        folder: folder of the dataset.
        pattern: pattern of the files' paths.
        limit_mb: size in megabytes at which the next file is started.
    """

    def __init__(self, folder: Path, pattern: str, limit_mb: float) -> None:
        self._folder, self._pattern, self._limit = folder, pattern, limit_mb * 2**20
        self._number = -1
        self._writer: Any = None

    def close(self) -> None:
        """Finish the open file, if there is one."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    @property
    def _file_indices(self) -> dict[str, int]:
        """Numbers of the open file and of its folder, as the dataset's columns name them."""
        chunk, file = divmod(self._number, CHUNK_FILES)
        return {"chunk_index": chunk, "file_index": file}

    @property
    def _path(self) -> Path:
        """Path of the open file."""
        return self._folder / self._pattern.format(video_key=CAMERA, **self._file_indices)

    def _start_next(self) -> bool:
        """Close a file that has reached its size; return whether the caller must open a new one, at `_path`."""
        if self._writer is not None and self._path.stat().st_size < self._limit:
            return False
        self.close()
        self._number += 1
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return True


class DataFiles(_FileSeries):
    """Parquet files of frames, one row group per episode."""

    def __init__(self, folder: Path, schema: Any, limit_mb: float) -> None:
        super().__init__(folder, DATA_PATH, limit_mb)
        self._schema = schema

    def add(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Append an episode's columns; return the numbers of its file as columns of the episodes' table."""
        if self._start_next():
            self._writer = pq.ParquetWriter(self._path, self._schema)
        arrays = [_array(columns[field.name], field.type) for field in self._schema]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        return {f"data/{name}": value for name, value in self._file_indices.items()}


class VideoFiles(_FileSeries):
    """Videos of the camera, episode after episode."""

    def __init__(self, folder: Path, fps: Fraction, limit_mb: float) -> None:
        super().__init__(folder, VIDEO_PATH, limit_mb)
        self._fps = fps

    def add(self, pictures: NDArray[np.uint8]) -> dict[str, Any]:
        """Append an episode's pictures (T, H, W, 3); return their video and times as columns of the episodes' table."""
        if self._start_next():
            self._writer = VideoWriter(self._path, self._fps, *pictures.shape[1:3])
        start = self._writer.seconds
        self._writer.add(pictures)
        location = {**self._file_indices, "from_timestamp": start, "to_timestamp": self._writer.seconds}
        return {f"videos/{CAMERA}/{name}": value for name, value in location.items()}


def _array(values: NDArray[Any], dtype: Any) -> Any:
    """Return values (T,) or (T, N) as an Arrow array of a type."""
    flat = pa.array(values.ravel())
    return (
        pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
        if pa.types.is_fixed_size_list(dtype)
        else flat
    )
