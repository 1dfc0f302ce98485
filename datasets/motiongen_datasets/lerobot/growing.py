"""Files that episodes are appended to until they are large enough: then the next one begins."""

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


class _Files:
    """A row of files, the last of which is open.

    Args:
        folder: the dataset's.
        pattern: of the files' paths.
        limit_mb: megabytes from which on the next one begins.
    """

    def __init__(self, folder: Path, pattern: str, limit_mb: float) -> None:
        self._folder, self._pattern, self._limit = folder, pattern, limit_mb * 2**20
        self._number = -1
        self._writer: Any = None

    def close(self) -> None:
        """Finish the file that is open, if any."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    @property
    def _place(self) -> dict[str, int]:
        chunk, file = divmod(self._number, CHUNK_FILES)
        return {"chunk_index": chunk, "file_index": file}

    @property
    def _path(self) -> Path:
        return self._folder / self._pattern.format(video_key=CAMERA, **self._place)

    def _begin_next(self) -> bool:
        """Make room for an episode: return whether a new file is to be opened, at `_path`."""
        if self._writer is not None and self._path.stat().st_size < self._limit:
            return False
        self.close()
        self._number += 1
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return True


class DataFiles(_Files):
    """Parquet files of frames, one row group an episode."""

    def __init__(self, folder: Path, schema: Any, limit_mb: float) -> None:
        super().__init__(folder, DATA_PATH, limit_mb)
        self._schema = schema

    def add(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Append an episode's columns; return where it lies."""
        if self._begin_next():
            self._writer = pq.ParquetWriter(self._path, self._schema)
        arrays = [_array(columns[field.name], field.type) for field in self._schema]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        return {f"data/{name}": value for name, value in self._place.items()}


class VideoFiles(_Files):
    """Videos of the camera, episode after episode."""

    def __init__(self, folder: Path, fps: Fraction, limit_mb: float) -> None:
        super().__init__(folder, VIDEO_PATH, limit_mb)
        self._fps = fps

    def add(self, pictures: NDArray[np.uint8]) -> dict[str, Any]:
        """Append an episode's pictures (T, H, W, 3); return where they lie."""
        if self._begin_next():
            self._writer = VideoWriter(self._path, self._fps, *pictures.shape[1:3])
        start = self._writer.seconds
        self._writer.add(pictures)
        place = {**self._place, "from_timestamp": start, "to_timestamp": self._writer.seconds}
        return {f"videos/{CAMERA}/{name}": value for name, value in place.items()}


def _array(values: NDArray[Any], dtype: Any) -> Any:
    flat = pa.array(values.ravel())
    return (
        pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
        if pa.types.is_fixed_size_list(dtype)
        else flat
    )
