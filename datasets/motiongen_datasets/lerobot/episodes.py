"""Episodes of a LeRobot dataset and the files that hold them: listed in Parquet by v3.0, in JSON lines by v2."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from motiongen import limits
from motiongen.files import reading
from motiongen_datasets.lerobot.info import VERSION, Info
from motiongen_datasets.lerobot.tables import read_table

EPISODES, OLD_EPISODES = "meta/episodes", "meta/episodes.jsonl"


@dataclass(frozen=True)
class Episode:
    """One episode, and the files that hold it.

    Attributes:
        index: number of the episode.
        length: number of its frames.
        instruction: the task that it demonstrates, in words.
        data: the Parquet file that holds its frames, perhaps beside those of other episodes.
        videos: camera's column -> (video that holds its pictures, time at which they start in it, seconds).
    """

    index: int
    length: int
    instruction: str
    data: Path
    videos: dict[str, tuple[Path, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (type(self.index) is type(self.length) is int and self.index >= 0 and self.length > 0):
            raise ValueError(f"episode {self.index}: expected one frame or more, got {self.length}")
        if not isinstance(self.instruction, str):
            raise ValueError(f"episode {self.index}: expected an instruction in words, got another type")
        for _, start in self.videos.values():
            if not 0 <= start < math.inf:
                raise ValueError(f"episode {self.index}: expected the time of its first picture, got {start}")


def read_episodes(info: Info, videos: Iterable[str], chosen: Iterable[int] | None = None) -> list[Episode]:
    """Return a dataset's episodes in order.

    Args:
        info: description of the dataset.
        videos: columns of the cameras whose videos are looked up.
        chosen: numbers of the episodes; None for all.

    Raises:
        ValueError: a file or a column is missing or broken, there are no episodes, or one of those chosen is missing.
    """
    columns = tuple(videos)
    found = _episodes(info, columns) if info.version == VERSION else _old_episodes(info, columns)
    if not found:
        raise ValueError(f"{info.folder}: expected at least one episode, got an empty dataset")
    by_index = {episode.index: episode for episode in found}
    indices = sorted(by_index) if chosen is None else list(chosen)
    for index, times in Counter(indices).items():
        if index not in by_index or times > 1:
            raise ValueError(
                f"{info.folder}: episodes: expected 0 to {max(by_index)}, each once, got {index}"
            )
    if not indices:
        raise ValueError(f"{info.folder}: episodes: expected at least one, got none")
    return [by_index[index] for index in indices]


def _episodes(info: Info, videos: tuple[str, ...]) -> list[Episode]:
    """Return the episodes that a dataset of v3.0 lists."""
    file_keys = ("chunk_index", "file_index")
    columns = ["episode_index", "tasks", "length", *(f"data/{key}" for key in file_keys)]
    columns += [f"videos/{column}/{key}" for column in videos for key in (*file_keys, "from_timestamp")]
    paths = sorted((info.folder / EPISODES).glob("*/*.parquet"))
    if not paths:
        raise ValueError(f"{info.folder / EPISODES}: expected Parquet files, found none")
    episodes = []
    for path in paths:
        with reading(path, "a table of episodes"):
            for row in _rows(path, columns):
                data = info.path(info.data_path, **{key: row[f"data/{key}"] for key in file_keys})
                segments = {}
                for column in videos:
                    numbers = {key: row[f"videos/{column}/{key}"] for key in file_keys}
                    video = info.path(info.video_path, video_key=column, **numbers)
                    segments[column] = (video, row[f"videos/{column}/from_timestamp"])
                episodes.append(
                    Episode(row["episode_index"], row["length"], _first(row["tasks"]), data, segments)
                )
    return episodes


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file, in which no value is missing."""
    table = read_table(path, columns)
    for column in columns:
        if table.column(column).null_count:
            raise ValueError(f"{path}: {column}: expected a value for each episode, got some without")
    return table.to_pylist()


def _old_episodes(info: Info, videos: tuple[str, ...]) -> list[Episode]:
    """Return the episodes that a dataset of v2.0 or v2.1 lists."""
    path = info.folder / OLD_EPISODES
    if not path.is_file():
        raise ValueError(f"{path}: expected a file, found none")
    limits.check_file_size(path, limits.MAX_JSON_BYTES)
    episodes = []
    with reading(path, "text in UTF-8"):
        # By line feeds alone: instructions may hold other characters that Python takes for the end of a line.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            index, length, instruction = int(row["episode_index"]), int(row["length"]), _first(row["tasks"])
            Episode(index, length, instruction, path)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise ValueError(
                f"{path}: line {number}: expected episode_index, length and tasks, got {line[:80]!r}"
            ) from error
        numbers = {"episode_chunk": index // info.chunk_size, "episode_index": index}
        data = info.path(info.data_path, **numbers)
        segments = {
            column: (info.path(info.video_path, video_key=column, **numbers), 0.0) for column in videos
        }
        episodes.append(Episode(index, length, instruction, data, segments))
    return episodes


def _first(tasks: Sequence[str] | str) -> str:
    """Return the first instruction of several, or the only one, which some write without a list; "" for none."""
    if isinstance(tasks, str):
        return tasks
    return tasks[0] if tasks else ""
