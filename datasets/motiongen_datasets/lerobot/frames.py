"""Reading the frames of episodes from a Parquet file, in which they may be in any order beside others."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from motiongen.files import reading
from motiongen_datasets.lerobot.episodes import Episode
from motiongen_datasets.lerobot.tables import integers, open_table, read_table, rows

_INDEX_COLUMNS = ["episode_index", "frame_index"]
DEPTH_LEVEL = 20
"""Units of a 16-bit distance, millimetres in most datasets, for a level of a grey picture: 255 levels are 5.1 m."""
_BATCH_ROWS = 256
"""Rows with pictures that are in memory at a time."""


def find_frames(path: Path, starts: Sequence[tuple[Episode, int]]) -> NDArray[np.int64]:
    """Return the index in the arrays over all T frames of each row (R,) of a file; -1 for rows of other episodes.

    Args:
        path: the file.
        starts: the episodes in the file, each with the index of its first frame in the arrays.

    Raises:
        ValueError: the file is broken, or an episode has not the frames that its length says.
    """
    return _target_frames(read_table(path, _INDEX_COLUMNS, 2), starts, path)


def read_frames(
    path: Path,
    targets: NDArray[np.int64],
    numbers: dict[str, NDArray[np.float32]],
    pictures: dict[str, NDArray[np.uint8]],
) -> None:
    """Write the frames of some episodes, which a Parquet file holds, into arrays over all T frames.

    Args:
        path: the file.
        targets: from `find_frames`.
        numbers: column -> (T, N), written to.
        pictures: column -> (T, H, W, 3), written to; the column has files of pictures (PNG, JPEG).

    Raises:
        ValueError: the file is broken, or its columns are not as expected.
    """
    table = read_table(path, list(numbers), sum(values.shape[1] for values in numbers.values()))
    with open_table(path, list(pictures)) as file:
        is_read = targets >= 0
        for column, values in numbers.items():
            values[targets[is_read]] = rows(table, column, values.shape[1], path)[is_read]
        if not pictures:
            return
        row = 0
        for batch in file.iter_batches(_BATCH_ROWS, columns=list(pictures)):
            for column, images in pictures.items():
                for target, cell in zip(targets[row:], batch.column(column), strict=False):
                    if target >= 0:
                        images[target] = _picture(cell.as_py(), images.shape[1:], f"{path}: {column}")
            row += len(batch)


def _target_frames(table: Any, starts: Sequence[tuple[Episode, int]], path: Path) -> NDArray[np.int64]:
    """Return the index in the arrays of each row (R,) of a file; -1 for the rows of other episodes."""
    episode_index, frame_index = (integers(table, column, path) for column in _INDEX_COLUMNS)
    order = np.argsort(episode_index, kind="stable")
    targets = np.full(len(episode_index), -1, np.int64)
    for episode, start in starts:
        first, last = np.searchsorted(episode_index, [episode.index, episode.index + 1], sorter=order)
        own_rows = order[first:last]
        found = np.sort(frame_index[own_rows])
        if len(found) != episode.length or not np.array_equal(found, np.arange(episode.length)):
            raise ValueError(
                f"{path}: frame_index: expected 0 to {episode.length - 1} for episode {episode.index}, "
                f"got {len(own_rows)} rows"
            )
        targets[own_rows] = start + frame_index[own_rows]
    return targets


def _picture(cell: Any, shape: tuple[int, ...], source: str) -> NDArray[np.uint8]:
    """Return the pixels of a picture that is stored as the bytes of a file; `source` names it in messages."""
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    if not content:
        raise ValueError(f"{source}: expected the bytes of a picture, got none")
    broken = (Image.DecompressionBombError, SyntaxError, ValueError)
    with reading(source, "a picture", *broken), Image.open(io.BytesIO(content)) as image:
        found = (image.height, image.width, 3)
        pixels = _colours(image) if found == shape else None
    if pixels is None:
        raise ValueError(f"{source}: expected pictures of shape {shape}, got {found}")
    return pixels


def _colours(image: Image.Image) -> NDArray[np.uint8]:
    """Return an image's pixels (H, W, 3); distances of 16 bits, which Pillow would cut at 255, are scaled."""
    if not image.mode.startswith("I"):
        return np.asarray(image.convert("RGB"))
    levels = np.asarray(image, dtype=np.int64) // DEPTH_LEVEL
    return np.repeat(levels.clip(0, 255).astype(np.uint8)[..., None], 3, axis=-1)
