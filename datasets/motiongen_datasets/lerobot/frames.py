"""Frames of episodes, out of a Parquet file in which they may lie in any order beside others."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from motiongen_datasets.lerobot.episodes import Episode
from motiongen_datasets.lerobot.tables import integers, open_table, rows

_PLACE = ["episode_index", "frame_index"]
_ROWS_AT_ONCE = 256
"""Rows with pictures."""


def read_frames(
    path: Path,
    placed: Sequence[tuple[Episode, int]],
    numbers: dict[str, NDArray[np.float32]],
    pictures: dict[str, NDArray[np.uint8]],
) -> None:
    """Fill in what a Parquet file has of some episodes.

    Args:
        path: the file.
        placed: the episodes that it has, each with the place of its first frame in the arrays.
        numbers: column -> (T, N), filled in.
        pictures: column -> (T, H, W, 3), filled in; the column has files of pictures (PNG, JPEG).

    Raises:
        ValueError: the file is broken, or what it has is not as expected.
    """
    with open_table(path, [*_PLACE, *numbers, *pictures]) as file:
        table = file.read(columns=[*_PLACE, *numbers])
        places = _places(table, placed, path)
        taken = places >= 0
        for column, values in numbers.items():
            values[places[taken]] = rows(table, column, values.shape[1], path)[taken]
        if not pictures:
            return
        row = 0
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=list(pictures)):
            for column, target in pictures.items():
                for place, cell in zip(places[row:], batch.column(column), strict=False):
                    if place >= 0:
                        target[place] = _picture(cell.as_py(), target.shape[1:], f"{path}: {column}")
            row += len(batch)


def _places(table: Any, placed: Sequence[tuple[Episode, int]], path: Path) -> NDArray[np.int64]:
    """Return where in the arrays each row (R,) of a file belongs; -1 for those of other episodes."""
    episode, frame = (integers(table, column, path) for column in _PLACE)
    order = np.argsort(episode, kind="stable")
    places = np.full(len(episode), -1, np.int64)
    for one, start in placed:
        first, last = np.searchsorted(episode, [one.index, one.index + 1], sorter=order)
        here = order[first:last]
        if not np.array_equal(np.sort(frame[here]), np.arange(one.length)):
            raise ValueError(
                f"{path}: frame_index: expected 0 to {one.length - 1} for episode {one.index}, got {len(here)} rows"
            )
        places[here] = start + frame[here]
    return places


def _picture(cell: Any, shape: tuple[int, ...], where: str) -> NDArray[np.uint8]:
    """Return the pixels of a picture that is stored as a file's bytes."""
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    if not content:
        raise ValueError(f"{where}: expected the bytes of a picture, got none")
    try:
        pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{where}: expected a picture, got {error}") from error
    if pixels.shape != shape:
        raise ValueError(f"{where}: expected pictures of shape {shape}, got {pixels.shape}")
    return pixels
